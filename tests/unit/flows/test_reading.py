"""What people write, the whole way: a comment comes, a run reads it, and the issue shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.watch import Watch, watched


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop at 03:00."""
    with watched() as it:
        yield it


def labels(shop: Watch, number: int) -> set[str]:
    """The names of the issue's labels."""
    return {label["name"] for label in shop.alice.issue(number)["labels"]}


MAILS = [
    "On Mon, Nov 23, 2026 at 3:02 AM Alice <***@***.***> wrote:",
    "Von: Alice <a@b.c>\r\nGesendet: Montag, 23. November 2026 03:02\r\nAn: x\r\nBetreff: Re: x",
    "Begin forwarded message:\r\n\r\nSubject: Re: x\r\nFrom: Alice <a@b.c>\r\nDate: 23 Nov 2026",
]


@pytest.mark.parametrize("quote", MAILS)
def test_a_reply_by_mail_says_only_what_stands_above_the_quote(shop: Watch, quote: str) -> None:
    """The command above is taken in bob's name, those in alice's old mail are not."""
    number = shop.declare()
    shop.respond()
    shop.bob.comment(
        number, f"/ack\r\n\r\n{quote}\r\n\r\n/thaw all well\r\n/resolve --force done\r\n"
    )
    shop.respond()
    issue = shop.alice.issue(number)
    assert [who["login"] for who in issue["assignees"]] == ["bob"]
    assert (issue["state"], "deploys-allowed" in labels(shop, number)) == ("open", False)
    assert shop.said(number) == []


@pytest.mark.parametrize("text", ["Hi\r／ａｃｋ", "Hi\r\u200b⧸ack", "\u3164/ack", "/\u200back"])
def test_no_odd_blank_hides_a_command(shop: Watch, text: str) -> None:
    """Old Macs' line ends, and characters that nobody sees."""
    number = shop.declare()
    shop.respond()
    shop.bob.comment(number, text)
    shop.respond()
    assert [who["login"] for who in shop.alice.issue(number)["assignees"]] == ["bob"]


def test_doubts_change_nothing_and_are_answered(shop: Watch) -> None:
    """Each line with its reason, and what to type."""
    number = shop.declare()
    shop.respond()
    before = shop.alice.issue(number)["body"]
    lines = ["/thaw please don't", "/allow #57 not yet", "/resolve?!", "/unfreeze", "/thaw 2h"]
    shop.bob.comment(number, "\n".join(lines))
    shop.respond()
    (answer,) = shop.said(number)
    assert answer.count("Type instead: `/") == len(lines)
    assert "| Frozen" not in before or "deploys-allowed" not in labels(shop, number)
    assert {"incident", "sev1"} <= labels(shop, number)
