"""What the lint finds, and what it leaves alone."""

from __future__ import annotations

from datetime import date

import pytest

from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.link import SECTIONS
from incident_actions.domain.postmortem.lint import (
    LintFacts,
    LintFinding,
    LintLevel,
    OwnerStanding,
    clean,
    lint,
)

TODAY = date(2026, 11, 24)
ACTION = "- [ ] [missing-alert] Page on the oldest job / @bea / 2026-12-01"
FRONT = """---
incident: 12
severity: sev1
times:
  started: 2026-11-23T02:50:00Z
  detected: 2026-11-23T02:56:00Z
  declared: 2026-11-23T02:57:00Z
  acknowledged: 2026-11-23T02:59:00Z
  mitigated: 2026-11-23T03:10:00Z
  resolved: 2026-11-23T03:30:00Z
durations: # minutes
  detect: 6
  acknowledge: 2
  mitigate: 20
  resolve: 40
roles:
  commander: dana
cause: null
services: [api]
---
"""
BODY = "".join(
    f"\n## {title}\n\n{ACTION if title == 'Corrective actions' else 'Written.'}\n"
    for title in SECTIONS
)
GOOD = FRONT + BODY


def findings(text: str, **facts: object) -> tuple[LintFinding, ...]:
    given = {"today": TODAY, "incident": 12, **facts}
    return lint(Document(text), LintFacts(**given))


def test_a_finished_postmortem_has_nothing_left() -> None:
    """No finding at all."""
    assert findings(GOOD) == ()


# What was changed in the good one, and the finding: the line that it is at, and a part of it.
CASES = {
    "prompt": ("Written.", "> ✍️ Write it.", "> ✍️", "Nobody has written `Summary` yet"),
    "no-front-matter": (FRONT, "", "", "front matter is missing"),
    "broken-yaml": ("incident: 12\n", "incident: [\n", "---", "is no YAML"),
    "other-incident": ("incident: 12", "incident: 13", "incident", "the file's name says 12"),
    "no-number": ("incident: 12", "incident: twelve", "incident", "must be the number"),
    "severity": ("severity: sev1", "severity: sev4", "severity", "must be sev1, sev2 or sev3"),
    "unknown-time": ("  detected:", "  noticed:", "  noticed", "is no time that is kept"),
    "no-time": ("03:30:00Z", "half past", "  resolved", "is no date and time"),
    "resolved-before-started": (
        "resolved: 2026-11-23", "resolved: 2026-11-22", "  resolved", "`resolved` is before",
    ),
    "after-resolved": ("T03:10", "T04:10", "  mitigated", "`mitigated` is after `resolved`"),
    "duration": ("resolve: 40", "resolve: 400", "  resolve:", "but started to resolved is 40"),
    "unknown-duration": ("detect: 6", "notice: 6", "  notice", "no duration that is kept"),
    "negative-duration": ("detect: 6", "detect: -6", "  detect:", "must be minutes"),
    "missing-section": ("## Trigger\n", "## Trigge\n", "- [", "`Trigger` is missing"),
    "empty-section": (
        "## Trigger\n\nWritten.", "## Trigger\n\n<!-- later -->", "## Trigger", "is empty",
    ),
    "no-owner": (" / @bea", "", "- [", "has no owner"),
    "no-due-date": (" / 2026-12-01", "", "- [", "has no due date"),
    "no-text": ("Page on the oldest job ", "", "- [", "has no text"),
    "impossible-date": ("2026-12-01", "2026-02-30", "- [", "`2026-02-30` is no date"),
    "due-in-the-past": ("2026-12-01", "2026-11-23", "- [", "is in the past"),
    "unknown-category": ("missing-alert", "more-alerts", "- [", "`more-alerts` is no category"),
    "team": ("@bea", "@acme/ops", "- [", "is a team"),
    "no-login": ("@bea", "@be_a", "- [", "is no GitHub login"),
    "owner-without-at": ("@bea", "bea", "- [", "is no GitHub login"),
    "sev1-without-action": (ACTION, "None.", "## Corrective", "SEV1 without a single"),
    "the-same-twice": (ACTION, f"{ACTION}\n{ACTION}", "- [", "is the same action"),
    "no-box": (ACTION, f"{ACTION}\n- Text / @bea / 2026-12-01", "- Text", "has no box"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "said"), CASES.values(), ids=CASES)
def test_each_mistake_is_an_error_at_its_line(old: str, new: str, where: str, said: str) -> None:
    """It is found where it is, with what to do, and keeps the postmortem from being ready."""
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    found = [each for each in findings(text) if said in each.message]
    assert found, [each.message for each in findings(text)]
    assert found[0].level is LintLevel.ERROR
    assert text.split("\n")[found[0].line - 1].startswith(where)
    assert not clean(findings(text))


@pytest.mark.parametrize("text", [GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, GOOD + "\n\n"])
def test_line_ends_and_marks_are_no_mistake(text: str) -> None:
    """However an editor saves it."""
    assert findings(text) == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "@bea forgot to run the migration.",
        "dana should have known better.",
        "The outage was Dana's fault.",
        "Root cause: human error.",
        "It was an operator error.",
        "The deploy by @kim broke logins.",
    ],
)
def test_a_person_as_the_cause_is_a_warning(sentence: str) -> None:
    """It is worth a look, and no reason to stop a review."""
    text = GOOD.replace("## Root cause\n\nWritten.", f"## Root cause\n\n{sentence}")
    (finding,) = findings(text)
    assert finding.level is LintLevel.WARNING
    assert text.split("\n")[finding.line - 1] == sentence
    assert clean((finding,))


@pytest.mark.parametrize(
    "sentence",
    [
        "The deploy broke logins.",
        "@bea rolled back within two minutes.",
        "The runbook did not name the mistake that is easy to make.",
        "The pool ignored its limit. dana noticed.",
        "Mail to ops@broke.example failed to arrive.",
    ],
)
def test_what_blames_nobody_is_left_alone(sentence: str) -> None:
    """A blame word without a person, or a person without one."""
    assert findings(GOOD.replace("## Root cause\n\nWritten.", f"## Root cause\n\n{sentence}")) == ()


def test_the_timeline_may_say_who_did_what() -> None:
    """It is a record, and nobody is judged there."""
    text = GOOD.replace("## Timeline\n\nWritten.", "## Timeline\n\n- 03:00, dana: broke the lock")
    assert findings(text) == ()


def test_what_github_says_of_owners_and_numbers() -> None:
    """Unknown people and foreign issues are errors; who can't be assigned is a warning."""
    (unknown,) = findings(GOOD, owners={"bea": OwnerStanding.UNKNOWN})
    assert (unknown.level, "knows nobody" in unknown.message) == (LintLevel.ERROR, True)
    (unfit,) = findings(GOOD, owners={"bea": OwnerStanding.UNFIT})
    assert (unfit.level, "can't be assigned" in unfit.message) == (LintLevel.WARNING, True)
    filed = GOOD.replace("- [ ] [", "- [ ] #57 [")
    assert findings(filed, filed=frozenset({57})) == ()
    (foreign,) = findings(filed, filed=frozenset({58}))
    assert "#57 is no action item" in foreign.message


def test_an_overdue_action_item_does_not_stop_the_review() -> None:
    """It is an issue already, and reminded of; a ticked one is done."""
    overdue = GOOD.replace("- [ ] [", "- [ ] #57 [").replace("2026-12-01", "2026-11-01")
    (finding,) = findings(overdue)
    assert finding.level is LintLevel.WARNING
    assert findings(overdue.replace("- [ ]", "- [x]")) == ()


@pytest.mark.parametrize("text", ["", "\x00", "---", "---\n---\n", "- [ ]", "## Summary", "\ufeff"])
def test_nonsense_gets_findings_and_no_crash(text: str) -> None:
    """Whatever the file is."""
    assert not clean(findings(text))
