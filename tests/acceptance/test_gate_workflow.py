"""The deploy workflow, run for real, while incidents come and go."""

from __future__ import annotations

import json

from tests.support.shop import Shop


def test_a_deploy_runs_while_nothing_is_open(shop: Shop) -> None:
    """No incident: two requests, and the deploy job starts."""
    run = shop.push()
    assert run.exit_code == 0, run.log
    assert run.output("verdict") == "clear"
    assert run.output("frozen") == "false"
    assert shop.sandbox.requests() == 2


def test_a_freeze_starts_before_the_incident_workflow_ever_ran(shop: Shop) -> None:
    """The filled form alone stops the deploy, and the error says which incident and why."""
    number = shop.declare(severity="SEV1")
    run = shop.push()
    assert run.exit_code == 1
    assert (run.output("verdict"), run.output("frozen")) == ("frozen", "true")
    (incident,) = json.loads(run.output("incidents"))
    assert (incident["number"], incident["severity"]) == (number, "sev1")
    (error,) = run.errors
    assert f"#{number}" in error
    assert "logins fail" in run.summary


def test_the_deploy_job_waits_for_the_gate(own: Shop) -> None:
    """A job that needs the gate runs after it, and not at all while deploys are frozen."""
    assert own.push().jobs == {"gate": "success", "deploy": "success"}
    own.declare()
    assert own.push().jobs == {"gate": "failure"}


def test_a_minor_incident_lets_deploys_pass(shop: Shop) -> None:
    """A SEV3 does not freeze."""
    shop.declare(severity="SEV3")
    assert shop.push().exit_code == 0


def test_a_strangers_report_does_not_stop_deploys(shop: Shop) -> None:
    """Who can't push code can't stop a deploy, whatever the form says."""
    shop.declare(shop.mallory, severity="SEV1")
    assert shop.push().exit_code == 0


def test_deploys_run_again_once_the_incident_is_closed(shop: Shop) -> None:
    """The freeze ends with the incident, with no cache in between."""
    number = shop.declare()
    assert shop.push().exit_code == 1
    shop.alice.close(number)
    assert shop.push().exit_code == 0


def test_a_hand_made_freeze_stops_deploys(shop: Shop) -> None:
    """An issue labelled `deploy-freeze` is enough."""
    shop.alice.ask("POST", "/labels", {"name": "deploy-freeze", "color": "1d76db"})
    shop.alice.open_issue("Holidays", labels=["deploy-freeze"])
    assert shop.push().exit_code == 1


def test_no_answer_from_github_blocks_the_deploy(shop: Shop) -> None:
    """By default a deploy waits until GitHub can be asked; the error says what it answered."""
    shop.sandbox.fail("GET *", status=502, times=100)
    run = shop.push()
    assert run.exit_code == 1
    assert run.output("verdict") == "error"
    (error,) = run.errors
    assert "502" in error


def test_a_rollback_started_by_hand_passes(own: Shop) -> None:
    """The playbook's first mitigation is never blocked, and is told as what it is."""
    own.declare()
    run = own.run("gate", ("workflow_dispatch", {"inputs": {"intent": "rollback"}}))
    assert run.jobs == {"gate": "success", "deploy": "success"}
    assert run.output("verdict") == "rollback"


def test_a_team_with_the_readmes_deploy_can_roll_back(shop: Shop) -> None:
    """The button `Run workflow` has the way out; a push still waits."""
    shop.declare()
    assert shop.push().exit_code == 1
    run = shop.run("gate", ("workflow_dispatch", {"inputs": {"intent": "rollback"}}))
    assert run.exit_code == 0, run.log
    assert run.output("verdict") == "rollback"
