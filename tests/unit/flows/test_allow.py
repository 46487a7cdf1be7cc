"""`/allow`: a change is let through as the commit it was, from the comment to the gate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from incident_actions.domain.issue.observation import take_apart
from incident_actions.domain.projection.state import State, read_state
from tests.support import ceilings
from tests.support.programs import Where, run_gate
from tests.support.watch import REPO, TOKEN, Watch, watched

NOTHING = "there is no"


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop at 03:00, whose jobs may read pull requests."""
    with watched() as it:
        it.grant(**{"pull-requests": "read"})
        yield it


@pytest.fixture
def number(shop: Watch) -> int:
    """A SEV1 that a run has seen."""
    number = shop.declare()
    shop.respond()
    shop.passes(1)
    return number


def state_of(shop: Watch, number: int) -> State:
    """The state in an issue's body."""
    state = read_state(take_apart(shop.alice.issue(number)["body"]).state, number)
    assert state is not None
    return state


def allow(shop: Watch, number: int, text: str) -> list[str]:
    """Bob lets a change through; what the bot says then."""
    before = shop.said(number)
    shop.passes(1)
    shop.bob.comment(number, f"/allow {text}")
    shop.respond()
    return shop.said(number)[len(before) :]


def pushed(shop: Watch, number: int) -> list[str]:
    """What the bot said of commits that came after an `/allow`."""
    return [text for text in shop.said(number) if "<!-- incident-actions:pushed " in text]


def verdict(shop: Watch, sha: str) -> str:
    """What the gate says of a deploy of this commit."""
    now = f"{shop.now:%Y-%m-%dT%H:%M:%SZ}"
    ran = run_gate(Where(shop.github.url, REPO, TOKEN), GITHUB_SHA=sha, INCIDENT_NOW=now)
    return ran.outputs["verdict"]


@pytest.mark.parametrize("digits", [7, 10, 40])
def test_a_commit_becomes_a_whole_one(shop: Watch, number: int, digits: int) -> None:
    """By its first digits; a commit that begins alike does not pass."""
    sha = shop.alice.push({"a": "b"}, branch="fix")
    assert allow(shop, number, f"{sha[:digits]} it is the fix") == []
    assert shop.requests <= ceilings.COMMENT
    assert [each.sha for each in state_of(shop, number).allow] == [sha]
    assert verdict(shop, sha) == "exempt"
    assert verdict(shop, sha[:12] + "0" * 28) == "frozen"
    shop.sweep()
    assert shop.asked("/commits/") == 0


@pytest.mark.parametrize("change", ["1f1f1f1", "ab" * 20, "#99", "deadbeef"])
def test_a_change_that_is_not_here_is_refused(shop: Watch, number: int, change: str) -> None:
    """With what to type; a branch of that name is no commit."""
    shop.alice.push({"a": "b"}, branch="deadbeef")
    [answer] = allow(shop, number, f"{change} it is the fix")
    assert f"{NOTHING} {'pull request' if change[0] == '#' else 'commit'} `{change}` here" in answer
    assert state_of(shop, number).allow == ()
    shop.sweep()
    assert shop.asked("/commits/") + shop.asked("/pulls/") == 0


def test_a_commit_elsewhere_is_named_by_its_link(shop: Watch, number: int) -> None:
    """It can't be looked up here, so its whole SHA is taken."""
    sha = "ab" * 20
    assert allow(shop, number, f"https://github.com/acme/api/commit/{sha} it is the fix") == []
    assert verdict(shop, sha) == "exempt"


def test_a_pull_request_is_let_through_as_it_was(shop: Watch, number: int) -> None:
    """A commit that comes later waits; this is said once, and another `/allow` renews it."""
    pull = shop.alice.open_pull("Fix logins", {"a": "b"}, "fix")
    change, first = f"#{pull['number']}", pull["head"]["sha"]
    assert allow(shop, number, f"{change} it is the fix") == []
    assert [each.sha for each in state_of(shop, number).allow] == [first]
    assert f"(as of {first[:7]})" in shop.alice.issue(number)["body"]
    shop.sweep()
    assert verdict(shop, first) == "exempt"
    second = shop.alice.push({"c": "d"}, branch="fix")
    shop.passes(5)
    for _ in range(3):
        shop.sweep()
    [told] = pushed(shop, number)
    assert f"/allow {change} for 2h REASON" in told
    assert (verdict(shop, second), verdict(shop, first)) == ("frozen", "exempt")
    allow(shop, number, f"{change} looked at that, too")
    assert shop.requests <= ceilings.COMMENT
    shop.sweep()
    assert pushed(shop, number) == [told]
    assert [each.sha for each in state_of(shop, number).allow] == [first, second]
    merged = shop.alice.merge(pull["number"], "squash")
    assert (verdict(shop, second), verdict(shop, merged)) == ("exempt", "exempt")


def test_a_lost_answer_is_asked_for_again(shop: Watch, number: int) -> None:
    """Until then nothing passes, and the dashboard says so."""
    sha = shop.alice.push({"a": "b"}, branch="fix")
    shop.github.fail("GET */commits/*", times=9, status=502)
    allow(shop, number, f"{sha[:7]} it is the fix")
    assert "not looked up yet" in shop.alice.issue(number)["body"]
    assert verdict(shop, sha) == "frozen"
    shop.github.clear_faults()
    shop.sweep()
    assert verdict(shop, sha) == "exempt"
