"""The three checklists that programs read keep to their formats."""

import re
from pathlib import Path

from incident_actions.domain.playbook.checklist import read_checklist

RUNBOOKS = Path(__file__).resolve().parents[3] / "ops" / "runbooks"
ITEM = re.compile(r"^- \[ \] (?P<text>.+?)(?: <!-- (?P<kind>\w+): (?P<key>[a-z0-9-]+) -->)?$")
SEEN = {
    "thread", "commander", "started", "freeze", "impact", "affected", "ongoing", "changes",
    "severity", "mitigation", "update", "customer-update", "verified", "resolved-time",
    "postmortem", "root-cause", "action-items",
}  # fmt: skip


def sections(name: str) -> dict[str, list[tuple[str, str | None, str | None]]]:
    """Section -> its items as (text, kind of comment, key); fenced blocks are not read."""
    text = (RUNBOOKS / name).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found: dict[str, list[tuple[str, str | None, str | None]]] = {}
    heading = ""
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("- [ ]"):
            match = ITEM.match(line)
            assert match, line
            found.setdefault(heading, []).append((match["text"], match["kind"], match["key"]))
    return found


def test_incident_checklist_has_the_seven_steps_in_order() -> None:
    """The dashboard shows the playbook's seven steps in its order."""
    assert list(sections("incident-checklist.md")) == [
        "1. Acknowledge",
        "2. Triage",
        "3. Stabilize",
        "4. Investigate",
        "5. Communicate",
        "6. Resolve",
        "7. Postmortem",
    ]


def test_incident_checklist_items_fit_the_dashboard() -> None:
    """Item texts stay within 60 characters and are not repeated."""
    texts = [text for items in sections("incident-checklist.md").values() for text, _, _ in items]
    assert [text for text in texts if len(text) > 60] == []
    assert len(texts) == len(set(texts))


def test_incident_checklist_offers_every_fact_that_the_system_sees() -> None:
    """Each fact that the system can see ticks exactly one item."""
    items = [item for found in sections("incident-checklist.md").values() for item in found]
    assert {kind for _, kind, _ in items} == {"seen", None}
    assert sorted(key for _, _, key in items if key) == sorted(SEEN)


def test_recovery_has_the_seven_checks() -> None:
    """Recovery is verified by the playbook's seven checks, under the names that people type."""
    assert [key for _, _, key in sections("verification-checklist.md")["Recovery"]] == [
        "error-rate",
        "latency",
        "queue",
        "database",
        "manual-test",
        "alerts",
        "customer-path",
    ]


def test_the_six_sample_journeys_count_once_a_team_fills_them_in() -> None:
    """Each is commented out; without the four characters and the space before it, it is an item."""
    page = (RUNBOOKS / "verification-checklist.md").read_text(encoding="utf-8")
    assert [section.title for section in read_checklist(page)] == ["Recovery"]
    recovery, journeys = read_checklist(page.replace("<!-- - [ ]", "- [ ]"))
    assert len(recovery.items) == 7
    assert [item.key for item in journeys.items] == [
        "login",
        "signup",
        "checkout",
        "api-health",
        "jobs",
        "webhooks",
    ]


def test_no_probe_is_live() -> None:
    """The probe in our file is an example only: the bot must not ask a made-up address."""
    found = sections("verification-checklist.md")
    assert not [text for items in found.values() for text, _, _ in items if "probe:" in text]


def test_readiness_has_twelve_items_for_doctor() -> None:
    """Each of the twelve readiness items has a key of its own."""
    (items,) = sections("readiness-checklist.md").values()
    assert {kind for _, kind, _ in items} == {"doctor"}
    assert len({key for _, _, key in items}) == len(items) == 12
