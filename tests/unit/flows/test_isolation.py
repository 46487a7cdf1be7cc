"""Whatever goes wrong with one issue is said there, once, and the others get their turn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from incident_actions.domain.postmortem import link
from incident_actions.domain.postmortem import record as records
from incident_actions.domain.timeline import untrusted_reports
from incident_actions.errors import Crashed
from incident_actions.github.client import GitHub
from incident_actions.reconcile import freeze, issue, recent_comments
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from tests.support.watch import BOT, REPO, TOKEN, WORKFLOW, Watch, watched

SECRET = "ghs_aTextThatNobodyMayRead"
RUN = "https://github.com/acme/shop/actions/runs/42"


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop at 03:00."""
    with watched() as it:
        yield it


def said(shop: Watch, number: int) -> list[str]:
    """What the bot said of a failure on an issue."""
    comments = shop.github.repo(REPO).issues[number].comments
    ours = [comment.body for comment in comments if comment.user.login == BOT]
    return [text for text in ours if "<!-- incident-actions:crash " in text]


def breaks(
    monkeypatch: pytest.MonkeyPatch, place: Any, name: str, bad: Callable[..., bool]
) -> None:
    """Let a function fail where `bad` says so of its arguments."""
    right = getattr(place, name)

    def broken(*given: Any, **named: Any) -> Any:
        if bad(*given):
            raise ValueError(f"no such thing: {SECRET}")
        return right(*given, **named)

    monkeypatch.setattr(place, name, broken)


def break_incident(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let bringing one incident up to date fail."""
    breaks(monkeypatch, issue, "reconcile", lambda _, seen, *more: seen.issue.number == number)


def test_the_other_incidents_get_their_turn(
    shop: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the order; the run ends with an error, the log has all, the issue a reference."""
    first, broken, last = (shop.declare() for _ in range(3))
    break_incident(monkeypatch, broken)
    for _ in range(3):
        with pytest.raises(Crashed) as raised:
            shop.sweep()
        shop.passes(30)
    assert raised.value.exit_code != 0
    (comment,) = said(shop, broken)
    reference = comment.split("`")[1]
    assert reference in str(raised.value)
    assert SECRET not in comment
    assert "Traceback" not in comment
    assert (said(shop, first), said(shop, last)) == ([], [])
    for number in (first, last):
        labels = [label.name for label in shop.github.repo(REPO).issues[number].labels]
        assert "status:investigating" in labels
    (record, *_) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert reference in record.getMessage()


@pytest.mark.parametrize(
    "started", ["08:00-2400", "14:02 +9999", "0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"]
)
def test_no_answer_in_a_form_stops_a_run(shop: Watch, started: str) -> None:
    """Neither the run for its issue nor a sweep, before or after the other incidents."""
    numbers = [shop.declare(), shop.declare(started=started), shop.declare()]
    shop.sweep()
    shop.run("issues", {"action": "edited", "issue": {"number": numbers[1]}})
    for number in numbers:
        labels = [label.name for label in shop.github.repo(REPO).issues[number].labels]
        assert "status:investigating" in labels
        assert said(shop, number) == []


def test_a_run_for_one_issue_says_it_too(shop: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the link to the run's log."""
    number = shop.declare()
    break_incident(monkeypatch, number)
    tools = Tools(lambda: shop.now, lambda _: None, lambda *_: True, WORKFLOW, run_url=RUN)
    name, payload = shop.github.deliveries[-1]
    for _ in range(2):
        with pytest.raises(Crashed):
            respond(
                GitHub(TOKEN, REPO, shop.github.url), WorkflowEvent(name, payload), "x.yml", tools
            )
    (comment,) = said(shop, number)
    assert f"({RUN})" in comment


def test_freezes(shop: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can't be read keeps no other from its end, and no incident from its reminder."""
    until = "### Until when?\n\n2026-11-23 03:30 UTC\n\n### Who may deploy?\n\n@bob"
    bad, good = (
        shop.alice.open_issue("Freeze", until, ["deploy-freeze"])["number"] for _ in range(2)
    )
    breaks(monkeypatch, freeze, "read_wish", lambda seen: seen.number == bad)
    shop.passes(60)
    with pytest.raises(Crashed):
        shop.sweep()
    assert shop.github.repo(REPO).issues[good].state == "closed"
    assert len(said(shop, bad)) == 1


def test_held_reports(shop: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment that can't be read silences no other report's answer."""
    shop.github.user("mallory")
    mallory = shop.github.as_user("mallory")
    numbers = []
    for _ in range(2):
        body = "### Severity\n\nSEV1 - x\n\n### What is broken?\n\nIt."
        numbers.append(int(mallory.file_form_issue("Down", body)["number"]))
        shop.respond()
    bad, good = numbers
    for number in numbers:
        shop.alice.comment(number, f"/dismiss number {number}")
    breaks(monkeypatch, recent_comments, "read_comment", lambda text, _: f"number {bad}" in text)
    breaks(monkeypatch, untrusted_reports, "decide", lambda seen, *_: seen.issue.number == bad)
    with pytest.raises(Crashed):
        shop.sweep()
    assert shop.github.repo(REPO).issues[good].state == "closed"
    assert len(said(shop, bad)) == 1


@pytest.mark.parametrize(
    ("place", "name", "label", "pull"),
    [
        (link, "read_times", "postmortem", True),
        (records, "read_record", "action-item", False),
    ],
    ids=["postmortems", "action items"],
)
def test_reminders_after_incidents(
    shop: Watch, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, label: str, pull: bool
) -> None:
    """One that can't be read is said, and the sweep goes on to its end."""
    shop.grant(actions="read", pull_requests="write")
    if pull:
        bad = shop.alice.open_pull("Postmortem", {"a.md": "x"}, "a")["number"]
        shop.github.repo(REPO).issues[bad].user = shop.github.world.bot
    else:
        bad = shop.alice.open_issue("Do it", "x")["number"]
        shop.github.repo(REPO).issues[bad].user = shop.github.world.bot
    shop.alice.label(bad, label)
    breaks(monkeypatch, place, name, lambda *_: True)
    with pytest.raises(Crashed):
        shop.sweep()
    assert len(said(shop, bad)) == 1
    assert any(entry.path.endswith(f"/{REPO}") for entry in shop.github.log)  # the last task's
