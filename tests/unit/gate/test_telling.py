"""Inputs, exit codes, outputs, annotations and the job summary; on every Python that is there."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from pathlib import Path

import pytest

from incident_actions import gate
from tests.support.programs import GATE, Where, run_gate
from tests.unit.gate.cases import SEV1, SHA, Json, allow, form, freeze, issue
from tests.unit.gate.conftest import Run
from tests.unit.gate.hostile import Hostile

OUTPUTS = {"frozen", "verdict", "reason", "incidents"}


def test_a_freeze_blocks_with_one_annotation(run: Run, github: Hostile) -> None:
    """Exit code 1; one error that names the incident, its link and the ways out."""
    github.will("incident", [SEV1])
    ran = run()
    assert (ran.exit_code, ran.outputs.keys()) == (1, OUTPUTS)
    assert ran.outputs["frozen"] == "true"
    [error] = ran.errors
    for part in ("#12 SEV1", "https://github.com/acme/shop/issues/12", "/allow", "/thaw"):
        assert part in error


def test_outputs_list_what_freezes(run: Run, github: Hostile) -> None:
    """`incidents` is JSON that later steps can read; a freeze by hand has no severity."""
    github.will("incident", [SEV1, issue("sev3", number=13)])
    github.will("deploy-freeze", [freeze()])
    incidents = json.loads(run().outputs["incidents"])
    assert [(each["number"], each["severity"]) for each in incidents] == [(12, "sev1"), (40, None)]
    assert set(incidents[0]) == {"number", "title", "severity", "url"}


AHEAD = "#40 freezes deploys from 2026-11-23 07:00 UTC, in 3 h 27 min."


@pytest.fixture
def tonight(github: Hostile) -> Json:
    """A freeze that begins in some hours."""
    github.believe()
    item = freeze(body=form(From="2026-11-23 07:00"))
    github.will("deploy-freeze", [item])
    return item


def test_a_freeze_that_begins_later_is_announced(run: Run, github: Hostile, tonight: Json) -> None:
    """In the reason, a notice, and the job summary; each once, and the deploy passes."""
    ran = run()
    assert (ran.exit_code, ran.verdict, ran.outputs["frozen"]) == (0, "clear", "false")
    assert ran.outputs["reason"] == f"Deploys are not frozen. {AHEAD}"
    [notice] = ran.annotations
    assert (notice.level, AHEAD in notice.message) == ("notice", True)
    assert ran.summary.count("freezes deploys from") == 1
    assert json.loads(ran.outputs["incidents"]) == []


def test_it_is_announced_beside_what_else_is_open(run: Run, github: Hostile, tonight: Json) -> None:
    """As a note where something freezes now; by time where there are several."""
    github.will("incident", [issue("sev3", number=13)])
    assert run().outputs["reason"] == (
        f"Deploys are not frozen. #13 is of a severity that does not freeze. {AHEAD}"
    )
    github.will("incident", [SEV1])
    ran = run()
    assert AHEAD in ran.errors[0]
    assert AHEAD in ran.summary
    assert [each["number"] for each in json.loads(ran.outputs["incidents"])] == [12]
    github.will("incident", [])
    soon = freeze(number=41, body=form(From="2026-11-23T03:33:01Z"))
    more = [freeze(number=n, body=form(From=f"2026-11-2{n - 38}")) for n in (42, 43, 44)]
    github.will("deploy-freeze", [*more, tonight, soon])
    assert run().outputs["reason"] == (
        "Deploys are not frozen. #41 freezes deploys from 2026-11-23 03:33 UTC, in 1 min."
        f" {AHEAD} #42 freezes deploys from 2026-11-24 00:00 UTC, in 20 h 27 min."
        " 2 more begin later."
    )


def test_a_freeze_counts_from_its_begin(run: Run, github: Hostile) -> None:
    """Not from when its issue was opened, a day ahead."""
    github.will("deploy-freeze", [freeze(body=form(From="2026-11-23 03:23", Until="2026-11-24"))])
    assert "(for 10 min, until 2026-11-24 23:59 UTC)" in run().outputs["reason"]


def test_a_later_freeze_costs_no_more_requests_than_one_that_is_over(
    run: Run, github: Hostile, tonight: Json
) -> None:
    """Two lists, and the same questions about who wrote the text."""
    run()
    ahead = sorted(github.log)
    github.log.clear()
    github.will("deploy-freeze", [freeze(body=form(Until="2026-11-23 03:00"))])
    assert run().verdict == "clear"
    assert sorted(github.log) == ahead


def test_report_mode_tells_and_passes(run: Run, github: Hostile) -> None:
    """`mode: report` sets the outputs, warns, and exits with 0."""
    github.will("incident", [SEV1])
    ran = run(inputs={"mode": "report"})
    assert (ran.exit_code, ran.verdict, ran.outputs["frozen"]) == (0, "frozen", "true")
    assert [each.level for each in ran.annotations] == ["warning"]


def test_an_override_leaves_a_trace(run: Run, github: Hostile) -> None:
    """A used override is in the summary, and in a notice that programs can read back."""
    github.believe()
    github.will("incident", [issue("sev1", body=allow(sha=SHA))])
    ran = run(GITHUB_RUN_ID="99")
    [notice] = ran.annotations
    assert (notice.level, notice.place["title"]) == ("notice", "incident-actions override")
    trace = json.loads(notice.message)
    assert (trace["v"], trace["sha"], trace["overrides"][0]["incident"]) == (1, SHA, 12)
    assert trace["run"] == "https://github.com/acme/shop/actions/runs/99"
    assert "by @\u200balice until 2026-11-23T05:00:00Z (hotfix)" in ran.summary


def test_a_title_can_not_smuggle_commands(run: Run, github: Hostile) -> None:
    """Line ends, workflow commands and output delimiters in a title stay text."""
    title = "x\n::error::owned\r\n##[error]owned\nfrozen=false\n%0A::set-output name=frozen::false"
    github.will("incident", [issue("sev1", title=title)])
    ran = run("--json")
    assert ran.outputs.keys() == OUTPUTS
    assert ran.outputs["frozen"] == "true"
    assert len(ran.errors) == 1
    assert "##[" not in ran.log
    assert "\n::error::owned" not in ran.log


@pytest.mark.parametrize(
    ("inputs", "variables", "word"),
    [
        ({"intent": "yolo"}, {}, "`intent`"),
        ({"mode": "off"}, {}, "`mode`"),
        ({"on-error": "ignore"}, {}, "`on-error`"),
        ({"severities": "sev1,sev9"}, {}, "`severities`"),
        ({"severities": ","}, {}, "`severities`"),
        ({"repository": "shop"}, {}, "`repository`"),
        ({"repository": "a/b/c"}, {}, "`repository`"),
        ({"repository": "a/.."}, {}, "`repository`"),
        ({"repository": "a/b?x="}, {}, "`repository`"),
        ({"wait-minutes": "-1"}, {}, "`wait-minutes`"),
        ({"wait-minutes": "soon"}, {}, "`wait-minutes`"),
        ({"budget": "9999"}, {}, "`budget`"),
        ({"config": "../secret"}, {}, "`config`"),
        ({}, {"GITHUB_TOKEN": ""}, "no token"),
        ({}, {"GITHUB_TOKEN": " \n"}, "no token"),
        ({}, {"GITHUB_TOKEN": "a b"}, "token"),
        ({}, {"GITHUB_TOKEN": "schlüssel"}, "token"),
        ({}, {"GITHUB_REPOSITORY": ""}, "`repository`"),
        ({}, {"GITHUB_API_URL": "ftp://x"}, "GITHUB_API_URL"),
        ({}, {"GITHUB_API_URL": "http://"}, "GITHUB_API_URL"),
        ({}, {"GITHUB_API_URL": "http://x:99999"}, "GITHUB_API_URL"),
        ({}, {"GITHUB_API_URL": "http://x y"}, "GITHUB_API_URL"),
        ({}, {"INCIDENT_NOW": "yesterday"}, "INCIDENT_NOW"),
    ],
)
def test_bad_input_is_told_and_nothing_is_asked(
    run: Run, github: Hostile, inputs: dict[str, str], variables: dict[str, str], word: str
) -> None:
    """Exit code 2, also in report mode, with one annotation that names the input."""
    ran = run(inputs={"mode": "report", **inputs}, **variables)
    assert ran.exit_code == 2
    assert len(ran.errors) == 1
    assert word in ran.errors[0]
    assert github.log == []
    assert ran.summary


def test_flags_beat_variables(run: Run, github: Hostile) -> None:
    """From a shell each input is a flag."""
    github.will("incident", [issue("sev3")])
    assert run("--severities", "SEV3", inputs={"severities": "sev1"}).verdict == "frozen"
    assert run("--severities=sev3", "--mode", "report").exit_code == 0


def test_githubs_own_spelling_of_an_input_is_read(run: Run, github: Hostile) -> None:
    """`INPUT_ON-ERROR`, as GitHub sets it itself, counts like `INPUT_ON_ERROR`."""
    github.will("incident", {})
    assert run(**{"INPUT_ON-ERROR": "allow"}).exit_code == 0


def test_an_empty_input_means_its_default(run: Run, github: Hostile) -> None:
    """A caller that passes an empty text gets what the documentation promises."""
    github.will("incident", [issue("sev2")])
    empty = {name: "" for name, _, _ in gate.INPUTS}
    assert run(inputs=empty).verdict == "frozen"


def test_the_input_token_wins(run: Run, github: Hostile) -> None:
    """A token that is passed beats the job's own."""
    run(INPUT_TOKEN="another-token")
    assert set(github.tokens) == {"Bearer another-token"}


def test_help_and_unknown_flags(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` lists every input; an unknown flag is exit code 2."""
    with pytest.raises(SystemExit) as help_exit:
        gate.main(["--help"], {})
    text = capsys.readouterr().out
    assert help_exit.value.code == 0
    assert all(f"--{name}" in text for name, _, _ in gate.INPUTS)
    with pytest.raises(SystemExit) as unknown:
        gate.main(["--nonsense"], {})
    assert unknown.value.code == 2


def test_files_that_can_not_be_written_leave_the_verdict(run: Run, github: Hostile) -> None:
    """A full or missing disk does not turn a freeze into a pass, nor a pass into a failure."""
    nowhere = {"GITHUB_OUTPUT": "/nowhere/o", "GITHUB_STEP_SUMMARY": "/nowhere/s"}
    assert run(**nowhere).exit_code == 0
    github.will("incident", [SEV1])
    assert run(**nowhere).exit_code == 1


def pythons() -> list[object]:
    """Python 3.9 to 3.14: the ones that are on this machine, the others as skips."""
    found: dict[str, str] = {f"3.{sys.version_info.minor}": sys.executable}
    roots = sorted(Path.home().glob(".pyenv/versions/3.*/bin"))
    for minor in range(9, 15):
        name = f"3.{minor}"
        here = next((r / "python3" for r in roots if r.parent.name.startswith(f"{name}.")), None)
        path = str(here) if here else shutil.which(f"python{name}", path="/usr/bin:/usr/local/bin")
        if path:
            found.setdefault(name, path)
    return [
        pytest.param(
            found.get(name, ""),
            id=name,
            marks=[] if name in found else pytest.mark.skip(reason=f"Python {name} is not here"),
        )
        for name in (f"3.{minor}" for minor in range(9, 15))
    ]


@pytest.mark.parametrize("python", pythons())
def test_the_file_runs_on_every_python(python: str, github: Hostile) -> None:
    """By path, without site packages, frozen and clear, on the runner's own Python."""
    where = Where(github.url, "acme/shop", "a-token", {"INCIDENT_NOW": "2026-11-23T03:33:00Z"})
    assert run_gate(where, python=python).outputs["verdict"] == "clear"
    github.will("incident", [issue("sev1", title="Größe ⚠ zählt", body=allow(pr=7))])
    blocked = run_gate(where, python=python, GITHUB_SHA=SHA, LANG="C", LC_ALL="C")
    assert (blocked.exit_code, blocked.outputs["verdict"]) == (1, "frozen")
    assert "Größe ⚠ zählt" in blocked.errors[0]
    passed = run_gate(where, python=python, inputs={"intent": "rollback"})
    assert (passed.exit_code, passed.outputs["verdict"]) == (0, "rollback")


@pytest.mark.parametrize("part", sorted(GATE.parent.glob("gate*.py")), ids=lambda path: path.name)
def test_only_the_standard_library_and_its_own_parts_are_imported(part: Path) -> None:
    """The gate needs nothing but the files beside it."""
    names = set()
    for node in ast.walk(ast.parse(part.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            module = node.module or ""
            whole = module == "incident_actions"
            names |= {f"{module}.{alias.name}" for alias in node.names} if whole else {module}
    ours = {name for name in names if name.startswith("incident_actions")}
    assert all(name.startswith("incident_actions.gate") for name in ours)
    assert {name.partition(".")[0] for name in names - ours} <= sys.stdlib_module_names


def test_a_clear_deploy_loads_nothing_beside_it_and_a_frozen_one_leaves_nothing_behind(
    github: Hostile, tmp_path: Path
) -> None:
    """The gate alone is enough when nothing is open; no compiled file is left where it lies."""
    shutil.copy(GATE, tmp_path)
    where = Where(github.url, "acme/shop", "a-token")
    alone = run_gate(where, gate=tmp_path / "gate.py")
    assert (alone.exit_code, alone.outputs["verdict"]) == (0, "clear")
    for part in GATE.parent.glob("gate_*.py"):
        shutil.copy(part, tmp_path)
    github.will("incident", [SEV1])
    assert run_gate(where, gate=tmp_path / "gate.py").exit_code == 1
    assert {path.suffix for path in tmp_path.iterdir()} == {".py"}
