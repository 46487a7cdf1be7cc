"""GitHub's limits: what is too long or refused is cut, says so, and loses nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from incident_actions.domain.issue.labels import MAX_NAME, Label, clean
from incident_actions.domain.issue.observation import find_bot_comments, length_on_github, marker
from incident_actions.domain.postmortem.pulls import BranchTip, CheckResult
from incident_actions.domain.projection import effects as e
from incident_actions.domain.projection.limits import long_text, within_limits
from incident_actions.domain.text.documents import load_yaml, read_front_matter
from incident_actions.errors import ConfigError, Rejected
from incident_actions.github.client import GitHub
from incident_actions.reconcile.apply import apply_one
from tests.support.watch import REPO, TOKEN, Watch, watched

LONG = "A sentence of several words. " * 4_000
EMOJI = "\N{FIRE ENGINE} " * 50_000


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop at 03:00."""
    with watched() as it:
        yield it


@pytest.mark.parametrize("text", [LONG, EMOJI, "x" * 100_000, "```\n" + LONG])
def test_every_text_fits(text: str) -> None:
    """Whatever it is made of, counted as GitHub may count."""
    end = marker("reply", "7.1")
    comment = within_limits(e.PostComment(1, "reply", "7.1", f"{text}\n\n{end}"))
    assert length_on_github(comment.text) <= 65_536
    assert comment.text.endswith(end)
    assert "cut" in comment.text[-300:]
    assert comment.text.count("```") % 2 == 0
    opened = within_limits(e.OpenIssue(text, text, (text, "a\x07b", "incident", " ")))
    assert 0 < length_on_github(opened.title) <= 256
    assert length_on_github(opened.body) <= 65_536
    assert all(0 < len(name) <= 50 and name.isprintable() for name in opened.labels)
    assert opened.labels[1:] == ("ab", "incident")
    pull = within_limits(e.OpenPull(text, "b", "main", text))
    assert length_on_github(pull.title) <= 256
    assert length_on_github(pull.body) <= 65_536
    label = within_limits(e.CreateLabel(Label(text, "ffffff", text))).label
    assert (len(label.name) <= 50, len(label.description) <= 100) == (True, True)
    check = CheckResult("postmortem", "a" * 40, False, text, text, (), "k")
    published = within_limits(e.PublishCheck(check)).check
    assert length_on_github(published.summary) <= 65_535
    assert length_on_github(published.title) <= 255
    commit = e.CommitFiles("b", BranchTip("a", "b"), {}, text)
    assert len(within_limits(commit).message) <= 10_000


def test_what_fits_stays_as_it_is() -> None:
    """To the last character."""
    for effect in (
        e.PostComment(1, "k", "1", "text\n\n" + marker("k", "1")),
        e.OpenIssue("Title", "body", ("incident", "service:a b", "\N{BUG} bug")),
        e.EditIssue(1, "Title", "body", ("incident",), ("alice",), open=True),
    ):
        assert within_limits(effect) == effect


def test_a_body_that_does_not_fit_is_not_written() -> None:
    """It holds people's words and the state: cut, it would lose them."""
    change = within_limits(e.EditIssue(1, body=LONG, labels=("incident",)))
    assert change.body is None
    assert change.labels == ("incident",)


@pytest.mark.parametrize("command", ["/runbook triage", "/help", "/help severity"])
def test_a_comment_with_many_questions_is_answered(shop: Watch, command: str) -> None:
    """Each page once, and not longer than GitHub takes."""
    number = shop.declare()
    shop.respond()
    names = ("triage", "roles", "rollback-rules", "severity", "communication", "lifecycle")
    pages = [f"/runbook {name}" for name in names] * 5
    shop.alice.comment(number, "\n".join([command] * 25 + pages[:20]))
    shop.respond()
    replies = [
        comment.body
        for comment in shop.github.repo(REPO).issues[number].comments
        if "incident-actions:reply" in comment.body
    ]
    assert len(replies) == 1
    assert replies[0].count("One command per line") <= 1


def test_a_service_with_a_control_character(shop: Watch) -> None:
    """Its label is cleaned; the other labels and the dashboard are there; a second run rests."""
    number = shop.declare(services="pay\x07ments")
    shop.alice.label(number, "service:web")
    shop.sweep()
    shop.sweep()
    labels = [label.name for label in shop.github.repo(REPO).issues[number].labels]
    assert "status:investigating" in labels
    assert all(name.isprintable() for name in labels)
    shop.github.clear_log()
    shop.sweep()
    assert shop.github.requests(write=True) == 0


@pytest.mark.parametrize("name", ["x" * 60, "a\nb", "\x00", "service:" + "\N{FIRE}" * 60])
def test_labels_are_cleaned(name: str) -> None:
    """What is left is a name that GitHub takes, or nothing."""
    assert len(clean(name)) <= MAX_NAME
    assert clean(name).isprintable()
    assert clean(clean(name)) == clean(name)


def test_one_part_that_is_refused_does_not_lose_the_others(shop: Watch) -> None:
    """GitHub refuses an edit as a whole; then its parts are made one by one."""
    number = int(shop.alice.open_issue("Incident", "x")["number"])
    hub = GitHub(TOKEN, REPO, shop.github.url)
    shop.github.fail(f"PATCH */issues/{number}", status=422, message="title is invalid", times=1)
    shop.github.fail(f"PATCH */issues/{number}", nth=3, status=422, message="no title", times=1)
    change = e.EditIssue(number, title="New", body="new", labels=("incident",), open=False)
    outcome = apply_one(hub, change)
    issue = shop.github.repo(REPO).issues[number]
    assert (issue.body, issue.state) == ("new", "closed")
    assert outcome.refused is not None or issue.title == "New"


def test_an_edit_of_one_part_that_is_refused_is_an_error(shop: Watch) -> None:
    """There is nothing else to save."""
    number = int(shop.alice.open_issue("Incident", "x")["number"])
    shop.github.fail(f"PATCH */issues/{number}", status=422, message="no", times=9)
    with pytest.raises(Rejected):
        apply_one(GitHub(TOKEN, REPO, shop.github.url), e.EditIssue(number, body="new"))


def test_a_cut_comment_is_still_known_as_ours(shop: Watch) -> None:
    """So that it is not posted again."""
    number = int(shop.alice.open_issue("Incident", "x")["number"])
    text = f"{LONG}\n\n{marker('reply', '7.1')}"
    hub = GitHub(TOKEN, REPO, shop.github.url)
    apply_one(hub, e.PostComment(number, "reply", "7.1", text))
    comments = [entry for entry in hub.history(number) if hasattr(entry, "body")]
    assert "reply 7.1" in find_bot_comments(comments, ["github-actions[bot]"]).by_name


BOMBS = {
    "values": "a: &a [x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [" + ",".join([f"*{chr(97 + n)}"] * 8) + "]\n"
        for n in range(9)
    ),
    "one long text many times": f"a: &a {'x' * 30_000}\nb: [" + ",".join(["*a"] * 8_000) + "]\n",
    "merged keys": "a: &a {"
    + ",".join(f"k{n}: v" for n in range(50))
    + "}\n"
    + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [" + ",".join([f"*{chr(97 + n)}"] * 20) + "]}\n"
        for n in range(6)
    ),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_short_text_describes_no_huge_document(bomb: str) -> None:
    """Neither in a file of its own nor in front matter."""
    with pytest.raises(ConfigError):
        load_yaml(bomb, "x.yml")
    assert read_front_matter(f"---\n{bomb}---\n") is None


def test_a_text_without_a_marker_is_cut_too() -> None:
    """At a word."""
    text = long_text(LONG, 1_000)
    assert len(text) <= 1_000
    assert text.partition("\n")[0].endswith("words.") or " " in text
