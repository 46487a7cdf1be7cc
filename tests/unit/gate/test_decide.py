"""The gate's decision, as a table, and what it says about it."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from incident_actions import gate
from incident_actions import gate_decision as decision
from incident_actions import gate_readers as readers
from incident_actions import gate_words as words
from incident_actions.gate_inputs import SourcePull, read_pull
from tests.unit.gate.cases import (
    CASES,
    EARLIER,
    NOT_PLAIN,
    NOW,
    PLAIN,
    SEV1,
    SHA,
    Case,
    allow,
    form,
    freeze,
    issue,
    request,
    with_state,
)


def decide(case: Case) -> gate.GateVerdict:
    """Decide a case as the shell does: once, and again with what was looked up when frozen."""
    asked = request(**case.request)
    issues = [found for found in map(decision.read_issue, case.issues) if found is not None]
    verdict = decision.decide(asked, issues, NOW)
    if verdict.verdict == "frozen":
        verdict = decision.decide(asked, issues, NOW, believed(issues, **case.context))
    return verdict


def believed(issues: list[decision.ListedIssue], **found: object) -> decision.LookedUp:
    """What is looked up when writers stand behind every label, text and pull request."""
    everybody = {
        "may_write": dict.fromkeys(("alice", "erin"), True),
        "labels": {issue.number: issue.labels for issue in issues},
        "bodies": frozenset(issue.number for issue in issues),
    }
    return decision.LookedUp(**{**everybody, **found})


def decide_on(*items: object, **changes: object) -> gate.GateVerdict:
    """Decide about these open issues."""
    issues = [found for found in map(decision.read_issue, items) if found is not None]
    return decision.decide(request(**changes), issues, NOW, believed(issues))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decision(case: Case) -> None:
    """Each row of the table comes out as it says."""
    verdict = decide(case)
    assert (verdict.verdict, verdict.code) == (case.verdict, case.code)
    if case.blocked_by is not None:
        assert [finding.issue.number for finding in verdict.findings] == case.blocked_by


@pytest.mark.parametrize("answer", NOT_PLAIN)
def test_an_answer_that_is_no_plain_list_narrows_nothing(answer: str) -> None:
    """Whatever is deployed, the incident concerns it."""
    body = form(Affected_services=answer)
    assert decide_on(issue("sev1", body=body), services=("zzz",)).verdict == "frozen"
    labelled = issue("sev1", "service:web", body=body)
    assert decide_on(labelled, services=("zzz",)).verdict == ("frozen" if answer else "clear")


@pytest.mark.parametrize("answer", PLAIN)
def test_a_plain_list_narrows_to_its_names(answer: str) -> None:
    """Each name is frozen, another one is not."""
    item = issue("sev1", body=form(Affected_services=answer))
    for name in PLAIN[answer]:
        assert decide_on(item, services=(name,)).verdict == "frozen"
    assert decide_on(item, services=("zzz",)).verdict == "clear"


def test_a_label_and_an_input_are_the_same_name_however_they_are_encoded() -> None:
    """An accent may be a character of its own."""
    item = issue("sev1", "service:cafe\u0301")
    assert decide_on(item, services=(gate.normal("CAF\u00c9"),)).verdict == "frozen"


@pytest.mark.parametrize("name", ["all", "not sure", "n/a", "whole-platform"])
def test_a_label_that_means_everything_narrows_nothing(name: str) -> None:
    """It may have been put there by hand."""
    assert decide_on(issue("sev1", f"service:{name}"), services=("zzz",)).verdict == "frozen"


@pytest.mark.parametrize(
    ("association", "text"),
    [("OWNER", "Fixes #12"), ("MEMBER", "Fixes #12"), ("COLLABORATOR", "Fixes #12"),
     ("CONTRIBUTOR", ""), ("NONE", ""), (None, ""), (["OWNER"], "")],
)  # fmt: skip
def test_a_description_counts_only_when_the_team_wrote_it(association: object, text: str) -> None:
    """Its author can edit it at any time, after the review, too. A title closes nothing."""
    item = {"number": 7, "title": "Fixes #13", "body": "Fixes #12"}
    pull = read_pull({**item, "author_association": association})
    assert pull is not None
    assert pull.text == text


def test_the_table_covers_every_code_of_a_decision() -> None:
    """No reason code is left without a case."""
    asking = {
        "unauthorized", "forbidden", "not-found", "rate-limited", "server-error", "unreachable",
        "certificate", "timeout", "unexpected", "internal", "bad-input",
    }  # fmt: skip
    assert {case.code for case in CASES} == set(get_args(decision.Code)) - asking


def test_names_of_cases_are_unique() -> None:
    """A failing row can be told from all the others."""
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


def test_reason_names_incident_severity_age_and_commander() -> None:
    """The one line says what is broken, how bad, since when, and who commands."""
    body = with_state(times={"started": "2026-11-23T02:33:00Z"}, roles={"commander": "bob"})
    assert decide_on(issue("sev1", body=body)).reason == (
        "Deploys are frozen by #12 SEV1 “Checkout fails” (for 1 h 0 min, @bob commands)."
    )


def test_reason_falls_back_to_creation_and_assignee() -> None:
    """Before `respond` has run, the issue itself says since when and who."""
    reason = decide_on(issue("sev2", assignees=[{"login": "erin"}])).reason
    assert "for 43 min, @erin commands" in reason


def test_reason_names_the_other_incidents_too() -> None:
    """Several incidents are all named, the first in full."""
    reason = decide_on(SEV1, *(issue("sev1", number=n) for n in range(20, 30))).reason
    assert reason.endswith("also #20, #21, #22, #23, #24 and 5 more.")


def test_expired_allow_is_said() -> None:
    """A deployer learns that the way out they rely on is over."""
    notes = decide_on(issue("sev1", body=allow(EARLIER, sha=SHA))).notes
    assert notes == ("/allow 0123456789a… by alice on #12 is over since 2026-11-23 03:00 UTC.",)


def test_expired_freeze_is_said() -> None:
    """A freeze whose end has come is named, so that somebody closes it."""
    notes = decide_on(freeze(body=form(Until=EARLIER))).notes
    assert notes == ("The freeze #40 is over since 2026-11-23 03:00 UTC.",)


def test_fix_that_is_not_linked_learns_how() -> None:
    """`intent: fix` on an unlinked change says what to write."""
    assert 'writes "Fixes #12"' in " ".join(decide_on(SEV1, intent="fix").notes)


def test_used_override_keeps_its_trace() -> None:
    """Who allowed what, until when and why goes along with the verdict."""
    verdict = decide_on(issue("sev1", body=allow(sha=SHA)))
    assert verdict.overrides == [
        {
            "incident": 12,
            "kind": "allowed",
            "actor": "dave",
            "change": "0123456789a…",
            "by": "alice",
            "reason": "hotfix",
            "until": "2026-11-23T05:00:00Z",
        }
    ]
    assert "/allow 0123456789a… by @alice until 2026-11-23T05:00:00Z (hotfix)" in verdict.reason


def test_json_is_versioned_and_lists_what_freezes() -> None:
    """Programs get a version, a code and the incidents as the output has them."""
    data = words.as_json(decide_on(SEV1))
    assert (data["v"], data["frozen"], data["code"]) == (1, True, "severity")
    assert data["incidents"] == [
        {
            "number": 12,
            "title": "Checkout fails",
            "severity": "sev1",
            "url": "https://github.com/acme/shop/issues/12",
        }
    ]
    assert json.loads(json.dumps(data)) == data


def test_summary_escapes_what_an_outsider_wrote() -> None:
    """A title can't bring markup, HTML, links, mentions or another line into the summary."""
    title = "<img src=x>\n# Big @team [x](http://evil) `|` **bold** $x$ ##[error]"
    text = words.summary(request(), decide_on(issue("sev1", title=title)), NOW)
    row = next(line for line in text.splitlines() if "#12](" in line)
    for markup in ("<img", "@team", "[x](", "`|`", "**", "http://", "##[", "$x$"):
        assert markup not in row.replace("https://github.com", "").replace("\\", "\\ ")
    assert "# Big" in row


def test_summary_lists_three_ways_out() -> None:
    """A blocked deployer finds rollback, letting the change through, and ending the freeze."""
    text = words.summary(request(), decide_on(SEV1), NOW)
    for way in ("intent: rollback", "/allow 0123456789 for 2h", "intent: fix", "/thaw", "/resolve"):
        assert way in text


def test_summary_of_a_pull_request_offers_its_number() -> None:
    """In a pull request the way out names it, not a commit that nobody knows."""
    pulls = (SourcePull(number=7, shas=frozenset(), text=""),)
    assert "/allow #7 for 2h" in words.summary(request(pulls=pulls), decide_on(SEV1), NOW)


def test_summary_of_a_freeze_says_how_it_ends() -> None:
    """A freeze by hand names who may deploy and when it ends by itself."""
    body = form(Who_may_deploy="@erin", Until="2026-11-23T05:00:00Z")
    text = words.summary(request(), decide_on(freeze(body=body)), NOW)
    assert "@erin may deploy. It ends by itself at 2026-11-23 05:00 UTC." in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("freeze:\n  environments: [production]\n", ("production",)),
        ("freeze:\n  environments: [ 'Production', \"eu west\" ] # ours\n",
         ("production", "eu west")),
        ("freeze:\n  environments:\n    - production\n    - live\n", ("production", "live")),
        ("freeze:\n  environments:\n  # ours\n  - production # us\n\n  - live\n  windows: []\n",
         ("production", "live")),
        ("a: 1\nfreeze:\r\n  severities: [sev1]\r\n  environments: [production]\r\nb: 2\r\n",
         ("production",)),
        ("freeze: {environments: [production]}\n", ("production",)),
        ("freeze:\n  environments: [production,\n    live]\n", ("production", "live")),
        ("freeze:\n  environments: []\n", None),
        ("freeze:\n  severities: [sev1]\n", None),
        ("other:\n  environments: [staging]\n", None),
        ("other:\n  environments: [staging]\nfreeze:\n  windows: []\n", None),
        ("# freeze:\n#   environments: [staging]\n", None),
        ("freeze: {severities: [sev1], environments: [production]}\n", ("production",)),
        ("freeze:\n  windows:\n    - environments: [staging]\n", None),
        ("freeze:\n  windows:\n    - reason: see environments: [staging]\n", None),
        ("freeze:\n  more:\n    environments: [staging]\n  environments: [live]\n", ("live",)),
        ("freeze:\n  reason: |\n    environments: [staging]\n", None),
        ("freeze:\n  windows: []\nother:\n  environments: [staging]\n", None),
        ("", None),
    ],
)  # fmt: skip
def test_environments_are_read_from_plain_yaml(text: str, expected: object) -> None:
    """The one list that the gate needs is found in each plain way to write it."""
    assert readers.environments_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "freeze:\n  environments: production\n",
        "freeze:\n  environments: *shared\n",
        "freeze:\n  environments: [*shared]\n",
        "freeze:\n  environments: [production\n",
        "freeze: {windows: [{environments: [staging]}]}\n",
        "freeze: {reason: 'x, environments: [staging]'}\n",
        "freeze:\n  environments:\n    - {name: production}\n",
        "freeze:\n  environments: [all]\n",
        "freeze:\n  environments:\n    - any-env\n",
    ],
)
def test_environments_that_are_not_plain_are_refused(text: str) -> None:
    """What the gate can't read for sure is an error, so that every environment freezes."""
    with pytest.raises(ValueError, match="plain list"):
        readers.environments_of(text)
