"""From nothing: `init` into an empty repository, and then a whole incident with what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from incident_actions.sandbox import Sandbox
from tests.support.act import Run, make_repository
from tests.support.events import form_body
from tests.support.programs import ROOT
from tests.support.shop import NAME, Shop

FORM = ".github/ISSUE_TEMPLATE/incident.yml"


STEPS = """\
on: { push: { branches: [main] } }
permissions:
  contents: read # the code
jobs:
  # Ships it.
  production:
    runs-on: ubuntu-latest
    steps:
      # Really.
      - run: echo "it is shipped"
"""
CALL = """\
on: push
permissions: { contents: read }
jobs:
  production: { uses: ./.github/workflows/called.yml }
"""
CALLED = """\
on: workflow_call
jobs:
  here: { runs-on: ubuntu-latest, steps: [{ run: echo "it is shipped" }] }
"""


def adopt(sandbox: Sandbox, tmp_path: Path, files: dict[str, str], *flags: str) -> Shop:
    """A repository with these files in which somebody ran `init`, committed and pushed."""
    folder = make_repository(tmp_path / "checkout", {"README.md": "# Shop\n", **files})
    done = subprocess.run(
        [sys.executable, "-m", "incident_actions", "init", "--owner", "acme", "--yes", *flags],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    for path in written:  # act resolves the action of OWNER to the working tree
        text = path.read_text("utf-8")
        path.write_text(text.replace("acme/incident-actions@", "OWNER/incident-actions@"), "utf-8")
    made = make_repository(
        folder, {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in written}
    )
    shop = Shop(sandbox, made, tmp_path)
    for path in written:
        sandbox.file(NAME, path.relative_to(folder).as_posix(), path.read_text("utf-8"))
    return shop


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Shop:
    """An empty repository in which somebody ran `init`, committed and pushed."""
    return adopt(sandbox, tmp_path, {}, "--service", "api,worker", "--commander", "alice")


@pytest.mark.parametrize(
    "deploy",
    [{"ship.yml": STEPS}, {"ship.yml": CALL, "called.yml": CALLED}],
    ids=["steps", "a call of another workflow"],
)
def test_a_deploy_that_was_there_stops_in_an_incident(
    sandbox: Sandbox, tmp_path: Path, deploy: dict[str, str]
) -> None:
    """By the gate that `init` put into it, and nothing of it runs."""
    files = {f".github/workflows/{name}": text for name, text in deploy.items()}
    shop = adopt(sandbox, tmp_path, files, "--gate")
    shop.alice.push({"src/app.py": "1\n"}, "Ship it")
    run = shop.run("gate", workflow="ship.yml")
    assert run.exit_code == 0, run.log
    assert "it is shipped" in run.log.splitlines()

    push = shop.sandbox.deliveries[-1]
    number = shop.declare()
    run = shop.run("gate", push, workflow="ship.yml")
    assert run.exit_code == 1, run.log
    assert f"#{number} SEV1" in "".join(run.errors)
    assert "it is shipped" not in run.log.splitlines()


def declare(shop: Shop) -> int:
    """Alice fills in the form that `init` wrote, where services are chosen from a list."""
    answers = {
        "severity": "SEV1",
        "summary": "Most logins answer 502.",
        "affected": "All customers.",
        "services": ["api"],
    }
    body = form_body(answers, shop.checkout / FORM)
    return int(shop.alice.file_form_issue("Incident: logins fail", body)["number"])


def test_a_rehearsal_shows_a_blocked_deploy_and_blocks_none(shop: Shop) -> None:
    """A drill stops the rehearsal, by name, from the form on; the real deploy goes on."""
    assert rehearse(shop).exit_code == 0
    number = declare(shop)
    shop.alice.ask("POST", "/labels", {"name": "drill"})
    shop.alice.label(number, "drill")
    run = rehearse(shop)
    assert (run.exit_code, run.output("verdict")) == (1, "frozen"), run.log
    assert f"#{number} SEV1" in "".join(run.errors)
    assert shop.push().output("verdict") == "clear"

    assert shop.sweep().exit_code == 0
    assert rehearse(shop).output("verdict") == "frozen"
    assert shop.push().output("verdict") == "clear"
    shop.alice.close(number)
    assert rehearse(shop).exit_code == 0


def rehearse(shop: Shop) -> Run:
    """Somebody starts the rehearsal by hand."""
    return shop.run("gate", ("workflow_dispatch", {"inputs": {}}), workflow="rehearsal.yml")


def test_init_into_an_empty_repository_runs_the_whole_story(shop: Shop) -> None:
    """Declared, frozen, commanded, mitigated, verified, resolved, and deploys run again."""
    assert shop.push().output("verdict") == "clear"
    number = declare(shop)
    run = shop.respond()
    assert run.exit_code == 0, run.log
    assert {"sev1", "status:investigating", "service:api"} <= shop.labels(number)
    body = str(shop.issue(number)["body"])
    assert "@alice" in body
    assert "Suspected changes" in body
    assert "/blob/HEAD/ops/runbooks/502-errors.md)" in body
    assert shop.push().output("verdict") == "frozen"

    shop.respond_to(lambda: shop.alice.comment(number, "/ack"))
    shop.respond_to(lambda: shop.bob.comment(number, "/did rolled back -> errors fall"))
    shop.respond_to(lambda: shop.bob.comment(number, "/mitigated"))
    shop.respond_to(lambda: shop.alice.comment(number, "/verify all watched ten minutes"))
    run = shop.respond_to(lambda: shop.alice.comment(number, "/resolve stable"))
    assert run.exit_code == 0, run.log
    assert shop.issue(number)["state"] == "closed"
    assert "status:resolved" in shop.labels(number)
    assert shop.push().output("verdict") == "clear"
