"""GitHub's limits: texts of 65,536 characters, a hundred labels. The incident goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from incident_actions.domain.issue.observation import MAX_LENGTH, length_on_github, take_apart
from incident_actions.domain.projection.state import State, read_state
from incident_actions.errors import GitHubError
from tests.support import ceilings
from tests.support.events import form_body
from tests.support.watch import REPO, Watch, watched

RUNBOOKS = Path(__file__).resolve().parents[3] / "ops" / "runbooks"
FORM = form_body({"severity": "SEV1", "summary": "Logins fail.", "affected": "nobody"})


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop at 03:00."""
    with watched() as it:
        yield it


def state_of(shop: Watch, number: int) -> State | None:
    """The state in an issue's body."""
    return read_state(take_apart(shop.alice.issue(number)["body"]).state, number)


@pytest.mark.parametrize("filling", ["<@&", "<", "\n", "@", "😀", "y"])
def test_a_report_is_confirmed_however_long_its_quote_gets(shop: Watch, filling: str) -> None:
    """It is cut by what is stored, with room for the dashboard, and says so."""
    shop.github.user("mallory")
    room = MAX_LENGTH - length_on_github(FORM) - 10
    text = f"{FORM}\n{filling * (room // length_on_github(filling))}"
    report = int(shop.github.as_user("mallory").file_form_issue("Down", text)["number"])
    shop.respond()
    shop.alice.comment(report, "/confirm")
    shop.respond()
    incident = shop.alice.issue(report + 1)
    assert length_on_github(incident["body"]) <= MAX_LENGTH
    assert "(cut: see the report)" in incident["body"]
    assert "Logins fail." in incident["body"]
    assert state_of(shop, report + 1) is not None
    assert shop.alice.issue(report)["state"] == "closed"


def long_incident(shop: Watch, left: int) -> int:
    """Alice's incident, whose text leaves so many characters; a run has seen it."""
    text = FORM + "\n"
    text += "y" * (MAX_LENGTH - length_on_github(text) - left)
    number = int(shop.alice.file_form_issue("Logins fail", text)["number"])
    shop.respond()
    return number


@pytest.mark.parametrize("left", [1_500, 2_500, 4_000, 9_000])
def test_what_matters_is_remembered_in_little_room(shop: Watch, left: int) -> None:
    """Severity, times, commander and exceptions; a second run or sweep writes nothing."""
    number = long_incident(shop, left)
    sha = shop.github.repo(REPO).git.refs["refs/heads/main"]
    shop.passes(1)
    shop.alice.comment(number, f"/ack\n/severity sev2 fewer\n/allow {sha} for 2h {'r' * 400}")
    shop.respond()
    state = state_of(shop, number)
    assert state is not None
    assert (state.severity, state.commander) == ("sev2", "alice")
    assert [each.sha for each in state.allow] == [sha]
    assert len(state.times) >= 4
    for again in (shop.respond, shop.sweep, shop.sweep, shop.respond):
        again()
    assert shop.github.requests(write=True) == 0
    shop.passes(3)
    shop.sweep()
    assert shop.requests <= ceilings.QUIET_SWEEP
    assert shop.github.requests(write=True) == 0


@pytest.mark.parametrize("left", [0, 40, 300])
def test_it_is_said_once_that_there_is_no_room(shop: Watch, left: int) -> None:
    """What is missing and what to do; nothing is written again until the text is shorter."""
    number = long_incident(shop, left)
    shop.passes(1)
    shop.alice.comment(number, "/ack")
    shop.respond()
    assert shop.github.requests(write=True) == 2  # the thumb, and alice is assigned
    for again in (shop.respond, shop.sweep):
        again()
        assert shop.github.requests(write=True) == 0
    (told,) = shop.said(number)
    assert "Shorten the text" in told
    assert state_of(shop, number) is None
    shop.alice.edit_issue_body(number, FORM)
    shop.respond()
    state = state_of(shop, number)
    assert state is not None
    assert state.commander == "alice"


def labelled_incident(shop: Watch, count: int) -> int:
    """Alice's incident of two services, to which she put so many labels of her own."""
    number = shop.declare(services="api, web")
    own = [f"own-{n}" for n in range(count)]
    for name in own:
        shop.github.world.add_label(shop.github.repo(REPO), name, "ededed")
    shop.alice.label(number, *own)
    shop.respond()
    return number


def labels_of(shop: Watch, number: int) -> set[str]:
    """The names of an issue's labels."""
    return {label["name"] for label in shop.alice.issue(number)["labels"]}


def assert_quiet(shop: Watch) -> None:
    """A second run and a sweep write nothing, and the next sweep costs what it always does."""
    for again in (shop.respond, shop.sweep, shop.sweep):
        again()
    assert shop.requests <= ceilings.QUIET_SWEEP
    assert shop.github.requests(write=True) == 0


def test_services_give_way_to_peoples_labels(shop: Watch, caplog: pytest.LogCaptureFixture) -> None:
    """With 96 of their own one of two services is shown; severity and status are."""
    number = labelled_incident(shop, 96)
    labels = labels_of(shop, number)
    assert len(labels) == 100
    assert {"incident", "sev1", "status:investigating", "service:api"} <= labels
    assert any("service:web" in record.getMessage() for record in caplog.records)
    assert_quiet(shop)


def test_labels_without_room_leave_the_rest_as_it_should_be(
    shop: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    """With 99 of their own the labels stay as they are; the dashboard is written."""
    number = labelled_incident(shop, 99)
    assert len(labels_of(shop, number)) == 100
    assert state_of(shop, number) is not None
    assert any("sev1" in record.getMessage() for record in caplog.records)
    shop.alice.comment(number, "/ack")
    shop.respond()
    state = state_of(shop, number)
    assert state is not None
    assert state.commander == "alice"
    shop.respond()
    assert shop.github.requests(write=True) == 0


def test_many_pages_in_one_comment_are_one_answer(shop: Watch) -> None:
    """25 runbooks and 25 times `/help`: the help comes once."""
    number = shop.declare()
    shop.respond()
    names = [path.stem for path in sorted(RUNBOOKS.glob("*.md")) if path.stem != "README"]
    asked = "".join(f"/runbook {name}\n/help\n" for name in (names * 25)[:25])
    shop.alice.comment(number, asked)
    shop.respond()
    answer = shop.said(number)[-1]
    assert length_on_github(answer) <= MAX_LENGTH
    assert answer.count("One command per line") == 1


def test_nor_does_it_after_a_run_that_was_lost_half_way(shop: Watch) -> None:
    """The answer stood when the run ended; the next one gives no thumbs up for it."""
    number = shop.declare()
    shop.respond()
    shop.alice.comment(number, "/runbook nope")
    shop.github.fail(match=f"PATCH */issues/{number}", status=422, times=9)
    with suppress(GitHubError):
        shop.respond()
    shop.github.clear_faults()
    shop.respond()
    assert shop.asked("/reactions") == 0
    assert len([text for text in shop.said(number) if "There is no page" in text]) == 1


def test_a_page_that_is_not_there_gets_no_thumbs_up(shop: Watch) -> None:
    """It is a mistake: the answer lists the pages, and nothing says that all is well."""
    number = shop.declare()
    shop.respond()
    shop.alice.comment(number, "/runbook nope")
    before = shop.asked("/reactions")
    shop.respond()
    assert "There is no page `nope`" in shop.said(number)[-1]
    assert shop.asked("/reactions") == before
    for typed in ("/runbook databse", "/help databse"):
        shop.alice.comment(number, typed)
        shop.respond()
        assert "Did you mean `/runbook database-connection-failures`?" in shop.said(number)[-1]
    assert shop.asked("/reactions") == before
    shop.alice.comment(number, "/runbook severity")
    shop.respond()
    assert shop.asked("/reactions") == before + 1
