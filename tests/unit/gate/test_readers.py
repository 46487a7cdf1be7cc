"""What the gate and the rest both read: one table each, and both sides are held to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from incident_actions import gate
from incident_actions.cli.inputs import clock
from incident_actions.domain.issue.forms import read_severity
from incident_actions.domain.issue.observation import BEGIN, END, take_apart
from incident_actions.errors import InputError
from incident_actions.gate_decision import ListedIssue, read_issue
from incident_actions.gate_readers import parse_time, parse_until, split_body
from tests.unit.gate.cases import SHA, allow, form, issue, with_state

SEVERITIES = {
    "SEV3?": None,
    "SEV-3 or SEV1": None,
    "SEV3 / 1": None,
    "~~SEV3~~ SEV1": None,
    "- [x] SEV1\n- [x] SEV3": None,
    "SEV3 - a workaround (it was SEV1)": "sev3",
    "SEV1": "sev1",
    "sev2 - a part": "sev2",
    "SEV_3": "sev3",
    "SEV-3": "sev3",
    "SEV 3": "sev3",
    "SEV  2": "sev2",
    "SEV\u00a02": "sev2",
    "SEV - 2": None,
    "SEV\n2": None,
    "**SEV1**": "sev1",
    "__SEV1__": "sev1",
    "_sev-2_: slow": "sev2",
    "> 🔥🔥🔥 **SEV2**": "sev2",
    "(SEV3)": "sev3",
    "- [X] SEV3": "sev3",
    "- [x] **SEV3**": "sev3",
    "- [ ] SEV3": None,
    "SEV3_old": None,
    "SEV33": None,
    "SEV4": None,
    "not SEV3": None,
    "": None,
}


@pytest.mark.parametrize("answer", SEVERITIES)
def test_a_severity_is_read_alike(answer: str) -> None:
    """By the gate before `respond` has run, and by `respond`."""
    found = read_issue(issue(body=form(Severity=answer)))
    assert found is not None
    assert found.severity == SEVERITIES[answer]
    assert read_severity(answer) == SEVERITIES[answer]


STATE = '<!-- incident-actions:state {"v":1,"services":["web"]} -->'
FORGED = '<!-- incident-actions:state {"v":1,"services":["db"]} -->'
BLOCK = f"{BEGIN}\n## Dashboard\n{STATE}\n{END}"
BODIES = {
    "as we write it": (f"{BLOCK}\n\nmine", "web", "mine"),
    "a line above": (f"\n{BLOCK}\n\nmine", "web", "mine"),
    "spaces and a byte order mark above": (f"\ufeff \r\n\t{BLOCK}\n\nmine", "web", "mine"),
    "CRLF": (f"{BLOCK}\n\none\ntwo".replace("\n", "\r\n"), "web", "one\r\ntwo"),
    "END is lost": (f"{BLOCK.removesuffix(END)}\n\nmine", "web", "mine"),
    "END is lost, and typed below": (
        f"{BLOCK.removesuffix(END)}\n\nmine {END} too",
        "web",
        f"mine {END} too",
    ),
    "END is lost, and a state is typed below": (
        f"{BLOCK.removesuffix(END)}\n\nmine\n{FORGED}",
        "web",
        f"mine\n{FORGED}",
    ),
    "END is lost, and a whole block typed below": (
        f"{BLOCK.removesuffix(END)}\n\nmine\n{FORGED}\n{END}",
        "web",
        f"mine\n{FORGED}\n{END}",
    ),
    "a state is typed below": (f"{BLOCK}\n\n{FORGED}\n{END}", "web", f"{FORGED}\n{END}"),
    "a block further down": (f"mine\n{BLOCK}", None, f"mine\n{BLOCK}"),
    "no state": (f"{BEGIN}\n## Dashboard\n{END}\n\nmine", None, "mine"),
    "BEGIN alone": (f"{BEGIN}\nmine", None, "mine"),
    "empty lines of the reporter's": (f"{BLOCK}\n\n\n\n mine \n", "web", "\n\n mine \n"),
    "nothing": ("", None, ""),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_parted_alike(name: str) -> None:
    """The gate believes the state that `respond` wrote, and both leave the reporter's text."""
    body, service, reporter = BODIES[name]
    assert take_apart(body).reporter == split_body(body)[2] == reporter
    assert take_apart(body).state == split_body(body)[1]
    found = read_issue(issue("sev1", body=body))
    assert found is not None
    assert found.services == ((service,) if service else ())


@pytest.mark.parametrize("above", ["", "\n", "\r\n \r\n", "\ufeff", " "])
def test_what_stands_above_the_dashboard_hides_no_override(above: str) -> None:
    """Somebody pressed enter in the editor: an /allow still counts."""
    found = read_issue(issue("sev1", body=above + allow(sha=SHA)))
    assert found is not None
    assert len(found.allow) == 1


@pytest.mark.parametrize("services", [[""], [" "], [None, ""]])
def test_a_service_without_a_name_narrows_nothing(services: list[Any]) -> None:
    """Neither from the state, nor from a label."""
    found = read_issue(issue("sev1", "service: ", body=with_state(services=services)))
    assert found is not None
    assert found.services == ()


AT = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
TIMES = {
    "2026-11-23T14:02:00Z": AT,
    "2026-11-23T14:02Z": AT,
    "2026-11-23 14:02": AT,
    "2026-11-23 14:02 UTC": AT,
    "2026-11-23 14:02 utc": AT,
    "2026-11-23t14:02z": AT,
    "2026-11-23T14:02:00 Z": AT,
    " `2026-11-23T15:02:00+01:00` ": AT,
    "2026-11-23": datetime(2026, 11, 23, tzinfo=UTC),
    "2026-11-23Z": datetime(2026, 11, 23, tzinfo=UTC),
    "20261123": None,
    "2026-W48-1": None,
    "2026-11-23T24:00": None,
    "14:02": None,
    "soon": None,
}


@pytest.mark.parametrize("text", TIMES)
def test_the_fixed_clock_is_read_alike(text: str) -> None:
    """INCIDENT_NOW means the same for the gate and for the other commands."""
    env = {"INCIDENT_NOW": text, "GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "acme/shop"}
    if TIMES[text] is None:
        with pytest.raises(InputError):
            clock(env)
        with pytest.raises(gate.BadInputError):
            gate.read_inputs([], env)
    else:
        assert clock(env) == gate.read_inputs([], env)[0].now == TIMES[text]


@pytest.mark.parametrize("text", TIMES)
def test_an_end_differs_from_a_time_only_by_the_day(text: str) -> None:
    """A date alone is the start of that day as a time, and its last second as an end."""
    end = parse_until(text)
    if len(text.rstrip("Z")) == 10 and TIMES[text]:
        assert end == datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
    else:
        assert end == parse_time(text) == TIMES[text]


NAMES = {
    "acme/shop": True, "acme/.github": True, "a-b/c.d_e": True, "acme": False, "a/b/c": False,
    "a/..": False, "../a": False, "a/b?x": False, "a/b c": False, "acmé/shop": False, "": False,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_repository_is_checked_once(name: str) -> None:
    """What is no OWNER/NAME is refused before anything is asked."""
    assert gate.is_repository(name) is NAMES[name]


@pytest.mark.parametrize("item", [None, "issue", 7, [], {}, {"number": "7"}])
def test_an_item_of_another_shape_is_a_problem_and_has_every_field(item: object) -> None:
    """So whoever tells of the list, like `freeze-status`, finds what it looks for."""
    found = read_issue(item)
    assert found is not None
    assert found.problem
    assert set(ListedIssue.__annotations__) <= set(vars(found))
