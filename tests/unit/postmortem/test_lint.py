"""What the lint finds, and what it leaves alone."""

from __future__ import annotations

from datetime import date

import pytest

from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.filler import PROSE
from incident_actions.domain.postmortem.link import SECTIONS
from incident_actions.domain.postmortem.lint import (
    LintFacts,
    LintFinding,
    LintLevel,
    OwnerStanding,
    clean,
    lint,
    to_do,
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
cause: bad-deploy
services: [api]
---
"""
WRITTEN = {
    "Summary": "The job queue stood still for forty minutes.",
    "Customer impact": "Exports came late for one customer in three.",
    "Timeline": "- 02:50, dana: saw the queue grow",
    "Root cause": "A worker that dies keeps its lock.",
    "Trigger": "Release 41 doubled the size of a job.",
    "Detection gap": "No alert watches the age of the oldest job.",
    "What worked": "The runbook named the command.",
    "What failed": "Only one person could restart workers.",
    "Corrective actions": ACTION,
}
BODY = "".join(f"\n## {title}\n\n{WRITTEN[title]}\n" for title in SECTIONS)
GOOD = FRONT + BODY


def findings(text: str, **facts: object) -> tuple[LintFinding, ...]:
    given = {"today": TODAY, "incident": 12, **facts}
    return lint(Document(text), LintFacts(**given))


def test_a_finished_postmortem_has_nothing_left() -> None:
    """No finding at all."""
    assert findings(GOOD) == ()


# What was changed in the good one, and the finding: the line that it is at, and a part of it.
CASES = {
    "prompt": (WRITTEN["Summary"], "> ✍️ Write it.", "> ✍️", "Nobody has written `Summary` yet"),
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
        WRITTEN["Trigger"], "<!-- later -->", "## Trigger", "is empty",
    ),
    "empty-cause": ("cause: bad-deploy", "cause:", "cause:", "`cause` is empty"),
    "null-cause": ("cause: bad-deploy", "cause: null", "cause:", "`cause` is empty"),
    "no-known-cause": ("cause: bad-deploy", "cause: tbd", "cause:", "`cause: tbd` names none"),
    "only-drafted": (
        WRITTEN["Root cause"], "Named during the incident: bad-deploy.", "## Root", "only what was",
    ),
    "said-before": (
        WRITTEN["Trigger"], WRITTEN["Root cause"].upper(), "## Trigger", "the same as `Root cause`",
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
    text = GOOD.replace(WRITTEN["Root cause"], sentence)
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
    assert findings(GOOD.replace(WRITTEN["Root cause"], sentence)) == ()


def test_the_timeline_may_say_who_did_what() -> None:
    """It is a record, and nobody is judged there."""
    text = GOOD.replace(WRITTEN["Timeline"], "- 03:00, dana: broke the lock")
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


@pytest.mark.parametrize(
    "said",
    [
        "We wrote this down.", "Written.", "TBD", "n/a", "See above.", "- see timeline",
        "Lorem ipsum dolor.", "To be written later.", "Fill this in.", "Some text here",
        "...\n\nDone.", "asdf asdf", "xxx", "> Most logins fail.\n\nWe have documented it here.",
        "### Why\n\nok", "This was discussed.",
    ],
)  # fmt: skip
def test_a_sentence_without_content_is_no_answer(said: str) -> None:
    """In a single section; the finding is at its heading."""
    text = GOOD.replace(WRITTEN["What failed"], said)
    (finding,) = findings(text)
    assert finding.level is LintLevel.ERROR
    assert finding.message == "`What failed` says nothing"
    assert text.split("\n")[finding.line - 1] == "## What failed"


@pytest.mark.parametrize("said", ["We wrote this down.", "The chat log has everything we know."])
def test_one_sentence_for_all_sections_is_refused(said: str) -> None:
    """Whatever it says: seven sections ask seven things."""
    text = FRONT + "".join(
        f"\n## {title}\n\n{said if title in PROSE else WRITTEN[title]}\n" for title in SECTIONS
    )
    assert len(PROSE) == 7
    assert len(findings(text)) >= 6
    assert not clean(findings(text))


@pytest.mark.parametrize(
    "said",
    ["Nothing.", "The cache.", "Traffic", "Tests.", "満杯でした。", "See #57: it names a test."],
)
def test_a_short_answer_is_an_answer(said: str) -> None:
    """It may be all there is to say, and two sections may name the same thing."""
    assert findings(GOOD.replace(WRITTEN["What failed"], said)) == ()


def test_several_faults_of_one_line_are_one_thing_to_do() -> None:
    """What is told is how many lines are to be put right."""
    text = GOOD.replace(ACTION, "- [ ] Page on the oldest job").replace(WRITTEN["Trigger"], "tbd")
    found = [("a.md", each) for each in findings(text)]
    assert len(found) == 3
    assert [len(faults) for faults in to_do(found).values()] == [1, 2]
