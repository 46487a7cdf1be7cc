"""A locked conversation: the bot speaks through the lock; where it can't, it says so once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.watch import BOT, REPO, Watch, watched


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop at 03:00."""
    with watched() as it:
        yield it


def locked_incident(shop: Watch, reason: str | None = None) -> int:
    """An incident that a run knows, and that alice locked since."""
    number = shop.declare()
    shop.respond()
    given = {"lock_reason": reason} if reason else {}
    shop.alice.ask("PUT", f"/issues/{number}/lock", given)
    return number


def said(shop: Watch, number: int) -> list[str]:
    """What the bot said on an issue."""
    comments = shop.github.repo(REPO).issues[number].comments
    return [comment.body for comment in comments if comment.user.login == BOT]


@pytest.mark.parametrize("reason", ["too heated", None])
def test_answers_and_reminders_come_through_the_lock(shop: Watch, reason: str | None) -> None:
    """It is unlocked for the moment of a comment, and locked again as it was."""
    number = locked_incident(shop, reason)
    shop.alice.comment(number, "/severity high")
    shop.respond()
    shop.passes(20)
    shop.sweep()
    shop.passes(20)
    shop.sweep()
    kinds = [text.rpartition("incident-actions:")[2].split()[0] for text in said(shop, number)]
    assert {"reply", "reminder"} <= set(kinds)
    issue = shop.github.repo(REPO).issues[number]
    assert (issue.locked, issue.lock_reason) == (True, reason)
    assert "conversation is locked" in (issue.body or "")
    assert [
        entry for entry in shop.github.log if entry.status == 403 and "lock" in entry.path
    ] == []


def test_where_it_cannot_be_unlocked_nothing_is_asked_again(shop: Watch) -> None:
    """The dashboard says so; one refused request, and then none in many sweeps."""
    number = locked_incident(shop)
    shop.github.fail(
        f"DELETE */issues/{number}/lock", status=403, message="Must have admin rights", times=999
    )
    refused = []
    for _ in range(12):
        shop.passes(20)
        shop.sweep()
        writes = [entry for entry in shop.github.log if entry.writes]
        refused += [entry for entry in writes if (entry.status or 0) >= 400]
    assert len(refused) == 1
    body = shop.github.repo(REPO).issues[number].body or ""
    assert "**The conversation is locked**" in body
    assert "issues: write" in body
    assert [text for text in said(shop, number) if "reminder" in text] == []


def test_once_it_is_unlocked_what_was_owed_is_said(shop: Watch) -> None:
    """By the next sweep, and the dashboard forgets it."""
    number = locked_incident(shop)
    shop.github.fail(f"DELETE */issues/{number}/lock", status=403, message="No", times=1)
    shop.alice.comment(number, "/severity high")
    shop.respond()
    assert said(shop, number) == []
    shop.alice.unlock(number)
    shop.passes(1)
    shop.sweep()
    assert any("/severity" in text for text in said(shop, number))
    assert "conversation is locked" not in (shop.github.repo(REPO).issues[number].body or "")


def test_a_quiet_sweep_of_a_locked_incident_writes_nothing(shop: Watch) -> None:
    """Being locked is nothing that happens again."""
    number = locked_incident(shop)
    shop.alice.comment(number, "/ack\n/update looking")
    shop.sweep()
    shop.passes(1)
    shop.sweep()
    shop.github.clear_log()
    shop.passes(1)
    shop.sweep()
    assert shop.github.requests(write=True) == 0
    assert shop.github.repo(REPO).issues[number].locked


def test_a_locked_report_of_a_stranger_is_answered(shop: Watch) -> None:
    """And a freeze, by the same rule."""
    shop.github.user("mallory")
    body = "### Severity\n\nSEV1 - x\n\n### What is broken?\n\nIt."
    issue = shop.github.as_user("mallory").file_form_issue("Down", body)
    shop.alice.lock(int(issue["number"]))
    shop.run("issues", {"issue": {"number": issue["number"]}})
    assert len(said(shop, int(issue["number"]))) == 1
    assert shop.github.repo(REPO).issues[int(issue["number"])].locked
