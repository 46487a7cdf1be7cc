"""The incident workflow, run for real: from the filled form to the all-clear."""

from __future__ import annotations

from pathlib import Path

from incident_actions.sandbox import Sandbox
from tests.support import ceilings
from tests.support.act import ROOT
from tests.support.shop import BOTH, Shop


# Requests of one run, without those that create missing labels (they happen once).
def requests_made(shop: Shop) -> int:
    """Requests so far, without the making of labels."""
    return sum((entry.method, entry.path[-7:]) != ("POST", "/labels") for entry in shop.sandbox.log)


def dashboard(shop: Shop, number: int) -> str:
    """The part of an issue's body that the bot keeps."""
    body = str(shop.issue(number)["body"])
    start = body.index("<!-- incident-actions:begin -->")
    return body[start : body.index("<!-- incident-actions:end -->")]


def test_a_filled_form_gets_labels_and_a_dashboard(shop: Shop) -> None:
    """The issue tells severity and status; what the reporter wrote stays below, untouched."""
    number = shop.declare(severity="SEV2", services="api, worker")
    written = shop.issue(number)["body"]
    run = shop.respond()
    assert run.exit_code == 0, run.log
    expected = {"incident", "sev2", "status:investigating", "service:api", "service:worker"}
    assert shop.labels(number) == expected
    assert "SEV2" in dashboard(shop, number)
    assert shop.issue(number)["body"].endswith(written)
    given = {name: run.output(name) for name in ("issue", "severity", "status", "changed")}
    assert given == {
        "issue": str(number),
        "severity": "sev2",
        "status": "investigating",
        "changed": "true",
    }
    assert requests_made(shop) <= ceilings.DECLARATION


def test_a_second_run_writes_nothing(shop: Shop) -> None:
    """The same event twice changes nothing, and says so."""
    shop.declare()
    shop.respond()
    shop.sandbox.clear_log()
    run = shop.respond()
    assert run.exit_code == 0, run.log
    assert shop.sandbox.requests(write=True) == 0
    assert run.output("changed") == "false"


def test_a_comment_moves_the_incident(shop: Shop) -> None:
    """`/ack` puts its author in command, within the ceiling of requests."""
    number = shop.declare()
    shop.respond()
    shop.alice.comment(number, "/ack")
    shop.sandbox.clear_log()
    assert shop.respond().exit_code == 0
    assert "@alice" in dashboard(shop, number)
    assert requests_made(shop) <= ceilings.COMMENT


@BOTH
def test_from_the_form_to_the_all_clear(shop: Shop) -> None:
    """Deploys stop with the report, stay stopped while it is worked on, and run again after it."""
    number = shop.declare(severity="SEV1")
    assert shop.push().output("verdict") == "frozen"
    shop.respond_to(lambda: shop.alice.comment(number, "/ack"))
    shop.respond_to(lambda: shop.bob.comment(number, "/mitigated rolled back the deploy"))
    assert "status:monitoring" in shop.labels(number)
    assert shop.push().output("verdict") == "frozen"
    shop.respond_to(lambda: shop.alice.comment(number, "/verify all watched for ten minutes"))
    shop.respond_to(lambda: shop.alice.comment(number, "/resolve the old release serves again"))
    assert shop.issue(number)["state"] == "closed"
    assert "status:resolved" in shop.labels(number)
    assert shop.push().output("verdict") == "clear"


def test_a_strangers_report_waits_for_a_writer(shop: Shop) -> None:
    """It freezes nothing and is answered; a writer's `/confirm` opens it in the bot's name."""
    report = shop.declare(shop.mallory, severity="SEV1")
    shop.respond()
    assert "needs-confirmation" in shop.labels(report)
    assert len(shop.comments(report)) == 1
    assert shop.push().output("verdict") == "clear"

    shop.respond_to(lambda: shop.alice.comment(report, "/confirm"))
    incidents = shop.alice.ask("GET", "/issues?labels=incident&state=open")
    opened = [issue for issue in incidents if issue["user"]["type"] == "Bot"]
    assert len(opened) == 1
    assert f"#{report}" in opened[0]["body"]
    assert shop.push().output("verdict") == "frozen"


def test_a_mistyped_command_gets_an_answer(shop: Shop) -> None:
    """Never silence: one reply says what to type instead, however often the event comes."""
    number = shop.declare()
    shop.respond()
    shop.respond_to(lambda: shop.alice.comment(number, "/mitigatd"))
    shop.respond()
    (_, reply) = shop.comments(number)
    assert "/mitigated" in reply["body"]


def test_the_sweep_heals_what_a_lost_event_left_undone(shop: Shop) -> None:
    """A scheduled run finds the incident that no run was told of."""
    number = shop.declare(severity="SEV2")
    run = shop.sweep()
    assert run.exit_code == 0, run.log
    assert {"sev2", "status:investigating"} <= shop.labels(number)


def test_a_comment_on_a_pull_request_starts_no_job(own: Shop) -> None:
    """Comments on pull requests come as the same event, and are none of our business."""
    pull = own.alice.open_pull("Fix it", {"src/app.py": "x = 1\n"}, branch="fix")["number"]
    own.alice.comment(pull, "/ack")
    own.sandbox.clear_log()
    run = own.respond()
    assert (run.exit_code, own.sandbox.requests()) == (0, 0)


def test_an_ordinary_issue_is_left_alone(shop: Shop) -> None:
    """An issue that is no incident is not written to."""
    shop.alice.open_issue("A typo in the docs", "In line 3.")
    assert shop.respond().exit_code == 0
    assert shop.sandbox.requests(write=True) == 0


def test_a_repository_without_the_label_gets_it_at_the_first_incident(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """GitHub drops a form's label that does not exist; the first run makes up for it."""
    shop = Shop(sandbox, ROOT, tmp_path, labels=["bug"])
    number = shop.declare(severity="SEV1")
    assert shop.labels(number) == set()
    assert shop.respond().exit_code == 0
    assert {"incident", "sev1"} <= shop.labels(number)
    assert shop.push().output("verdict") == "frozen"
