"""The watch: a run that stays awake while something open has a clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_actions.config import PATH
from incident_actions.errors import Unauthorized, Unavailable
from incident_actions.sandbox import Sandbox
from tests.support.awake import Actions
from tests.support.events import form_body
from tests.support.openapi import watch

REPO, TOKEN, BOT = "acme/shop", "ghs_watch", "github-actions[bot]"
BEGIN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


PROBED = """
## Recovery

- [ ] The API answers `probe: https://api.example/health` <!-- check: api -->
"""


class Night:
    """acme/shop at 03:00. alice and bob may write, mallory is a stranger; Actions are simulated."""

    def __init__(self, github: Sandbox) -> None:
        self.github = github
        github.repository(REPO, labels=["incident", "deploy-freeze"])
        for login in ("alice", "bob"):
            github.user(login, permission={REPO: "write"})
        github.user("mallory")
        self.alice, self.bob = github.as_user("alice"), github.as_user("bob")
        self.mallory = github.as_user("mallory")
        self.actions = Actions(github, REPO, TOKEN, BEGIN)
        self.grant(actions="write")

    def grant(self, **more: str) -> None:
        """What the workflow's token may do."""
        given = {"issues": "write", "contents": "read", "deployments": "read", **more}
        self.github.actions_token(TOKEN, REPO, given)

    def configure(self, text: str) -> None:
        """Put `.github/incident.yml` there."""
        self.github.file(REPO, PATH, text)

    def declare(self, severity: str = "SEV1", *, run: bool = True) -> int:
        """Alice files the form, and its run comes."""
        given = {"severity": severity, "summary": "Logins fail.", "affected": "nobody"}
        number = int(self.alice.file_form_issue("Logins fail", form_body(given))["number"])
        if run:
            self.run()
        return number

    def say(self, number: int, text: str, *, run: bool = True) -> None:
        """Alice comments, and the run comes."""
        self.alice.comment(number, text)
        if run:
            self.run()

    def run(self) -> None:
        """The run for what happened last."""
        self.actions.event(*self.github.deliveries[-1])

    def reminders(self, number: int) -> dict[str, datetime]:
        """The reminders that stand on an issue: by key, when each was posted."""
        comments = self.github.repo(REPO).issues[number].comments
        found = {}
        for comment in comments:
            if comment.user.login == BOT and "incident-actions:reminder" in comment.body:
                key = comment.body.rpartition("incident-actions:reminder ")[2].split()[0]
                found[key] = datetime.fromisoformat(comment.created_at)
        return found

    def said(self, number: int, kind: str) -> list[str]:
        """The bot's comments of a kind."""
        comments = self.github.repo(REPO).issues[number].comments
        return [c.body for c in comments if f"incident-actions:{kind} " in c.body]

    @property
    def dispatches(self) -> list[dict[str, Any]]:
        """What was dispatched so far."""
        return self.github.repo(REPO).dispatches


@pytest.fixture
def night() -> Iterator[Night]:
    """With the proof that every request and answer was as GitHub describes them."""
    with Sandbox() as github:
        wrong = watch(github)
        yield Night(github)
    assert not wrong, "\n".join(wrong)


def test_a_declaration_starts_a_watch_and_a_second_event_does_not(night: Night) -> None:
    """The workflow that runs is started again, on the default branch, with the input `watch`."""
    number = night.declare()
    assert night.dispatches == [
        {"workflow": ".github/workflows/incident.yml", "ref": "main", "inputs": {"watch": "true"}}
    ]
    night.say(number, "/ack")  # it waits for a runner
    night.actions.pass_(minutes=1)
    night.say(number, "/note it runs")
    assert len(night.dispatches) == 1
    assert len(night.actions.watches) == 1


@pytest.mark.parametrize(
    ("severity", "config"),
    [
        ("SEV3", ""),
        ("SEV1", "reminders: {watch: off}"),
        ("SEV2", "reminders: {watch: sev1}"),
    ],
)
def test_what_is_not_worth_a_watch_starts_none(night: Night, severity: str, config: str) -> None:
    """SEV3 waits for the hourly sweep; the configuration says which severities do."""
    night.configure(config)
    night.declare(severity)
    night.actions.sweep()
    assert night.dispatches == []


def test_reminders_stand_within_seconds_of_their_time(night: Night) -> None:
    """Nobody takes command: after 5, 10 and 15 minutes, then hourly."""
    number = night.declare()
    due = [5, 10, 15, 75, 135]
    for minutes in due:
        night.actions.play(BEGIN + timedelta(minutes=minutes, seconds=30))
        key = f"no-commander.{BEGIN + timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}"
        late = night.reminders(number)[key] - BEGIN - timedelta(minutes=minutes)
        assert timedelta() < late <= timedelta(seconds=5)


def test_a_promise_is_kept_to_the_second(night: Night) -> None:
    """The run of the command changes the state; the watch sees it and wakes for the new time."""
    number = night.declare()
    night.say(number, "/ack")
    night.actions.pass_(minutes=3)
    night.say(number, "/update next 7m still looking")
    due = night.actions.now + timedelta(minutes=7)
    night.actions.play(due - timedelta(seconds=1))
    assert not any(key.startswith("promised") for key in night.reminders(number))
    night.actions.play(due + timedelta(seconds=30))
    assert f"promised-update.{due:%Y%m%dT%H%M%SZ}" in night.reminders(number)


def test_a_lost_run_is_made_up_for_within_two_minutes(night: Night) -> None:
    """A command whose run never came, while the watch is awake."""
    number = night.declare()
    night.actions.pass_(minutes=1)
    night.say(number, "/ack", run=False)
    night.actions.pass_(minutes=2)
    assert "acknowledged" in night.github.repo(REPO).issues[number].body.lower()
    night.github.repo(REPO).issues[number]
    night.bob.close(number)
    night.actions.pass_(minutes=2)
    assert night.github.repo(REPO).issues[number].state == "open"


def test_awake_with_nothing_changed_costs_nothing_of_the_rate_limit(night: Night) -> None:
    """Two hours of looking every 20 seconds: at most five requests an hour count."""
    night.configure("reminders: {internal-update: {sev1: 12h}, no-commander: {after: 12h}}")
    number = night.declare()
    night.say(number, "/ack\n/update looking")
    night.actions.pass_(minutes=10)
    night.github.clear_log()
    used = dict(night.github.site.used)
    night.actions.pass_(hours=2)
    login = BOT
    counted = night.github.site.used[login] - used[login]
    assert counted <= 10
    assert len(night.github.log) >= 2 * 2 * 3 * 59  # it did look
    assert night.github.requests(write=True) == 0


def test_it_ends_when_nothing_has_a_clock(night: Night) -> None:
    """Two minutes after the incident: what was closed is looked after once more."""
    number = night.declare()
    night.actions.pass_(minutes=2)
    night.say(number, "/resolve --force fine")
    night.actions.pass_(minutes=2)
    assert night.actions.watches == []
    assert len(night.dispatches) == 1


def test_it_hands_over_before_its_time_is_over(night: Night) -> None:
    """Somebody is awake without a gap that a reminder could fall into."""
    number = night.declare()
    night.say(number, "/ack")
    for hours in range(1, 12):
        night.actions.play(BEGIN + timedelta(hours=hours))
        night.say(number, "/update still looking")
    assert len(night.dispatches) == 3
    assert [end - begin for begin, end in night.actions.history] == [
        pytest.approx(timedelta(minutes=330), abs=timedelta(minutes=11))
    ] * 2
    assert len(night.actions.watches) == 1


def test_a_killed_watch_is_replaced_by_the_next_event_or_sweep(night: Night) -> None:
    """And what was due meanwhile is said at once."""
    number = night.declare()
    night.actions.pass_(minutes=2)
    night.actions.kill(night.actions.watches[0])
    night.actions.pass_(minutes=10)
    assert night.reminders(number) == {}
    night.actions.sweep()
    night.actions.pass_(seconds=30)
    assert len(night.actions.watches) == 1
    assert list(night.reminders(number)) == [
        f"no-commander.{BEGIN + timedelta(minutes=10):%Y%m%dT%H%M%SZ}"
    ]


def test_a_doubled_watch_says_nothing_twice(night: Night) -> None:
    """Without a concurrency group the younger waits a little, and then ends."""
    night.declare()
    night.actions.pass_(minutes=1)
    id = night.github.run(
        REPO, "incident.yml", event="workflow_dispatch", status="in_progress", at=night.actions.now
    )
    night.actions.double(id)
    assert len(night.actions.watches) == 2
    night.actions.pass_(minutes=6)
    assert len(night.actions.watches) == 1
    night.actions.pass_(minutes=30)
    posted = [e for e in night.github.log if e.method == "POST" and e.path.endswith("/comments")]
    assert len(posted) == 5  # nobody commands, three times; the update is due, twice


def test_without_the_permission_it_is_said_once(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything else works as ever, and GitHub is not asked again and again."""
    night.grant(actions="read")
    number = night.declare()
    night.say(number, "/ack")
    night.actions.sweep()
    [text] = night.said(number, "no-watch")
    assert "`actions: write`" in text
    assert "`incident.yml`" in text
    logged = [each for each in caplog.messages if each.startswith("StartWatch was left out.")]
    assert all("Give the job `actions: write`." in each for each in logged)
    assert logged
    night.github.clear_log()
    night.say(number, "/note slow")
    assert not any("dispatches" in entry.path for entry in night.github.log)


def test_without_a_watch_a_sweep_says_what_is_due_before_the_next(night: Night) -> None:
    """Once an hour, with the first of what comes, and no escalation ahead of its time."""
    night.configure("reminders: {watch: off, escalation: [acme/sre]}")
    number = night.declare()
    night.actions.sweep()
    said = [{key for key in night.reminders(number) if key.startswith("no-commander")}]
    assert said == [{f"no-commander.{BEGIN + timedelta(minutes=5):%Y%m%dT%H%M%SZ}"}]
    for hours in range(1, 4):
        night.actions.play(BEGIN + timedelta(hours=hours))
        night.actions.sweep()
        said.append({key for key in night.reminders(number) if key.startswith("no-commander")})
        assert len(said[-1]) == 1
        assert said[-1] != said[-2]


def test_a_forgotten_incident_burns_no_minutes(night: Night) -> None:
    """Six hours without a word: the watch rests, says so once; the next word wakes it."""
    number = night.declare()
    night.actions.pass_(hours=6, minutes=3)
    assert night.actions.watches == []
    [text] = night.said(number, "watch-rests")
    assert "03:00 UTC" in text
    for _ in range(5):
        night.actions.pass_(hours=1)
        night.actions.sweep()
    assert len(night.said(number, "watch-rests")) == 1
    dispatched = len(night.dispatches)
    night.say(number, "Sorry, I slept.")
    night.actions.pass_(minutes=1)
    assert len(night.dispatches) == dispatched + 1
    assert len(night.actions.watches) == 1


def test_a_lost_token_ends_it_with_a_word(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    """The token of an App is good for an hour."""
    night.declare()
    night.actions.pass_(minutes=2)
    night.github.fail("GET *", status=401, times=1000)
    night.actions.pass_(minutes=1)
    assert night.actions.watches == []
    [error] = night.actions.errors
    assert isinstance(error, Unauthorized)
    assert "`watch-minutes: 50`" in caplog.text


def test_an_outage_is_outlived(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    """Twenty minutes without GitHub; what was due meanwhile is said then. An hour ends it."""
    number = night.declare()
    night.actions.pass_(minutes=3)
    night.github.fail("GET *", status=503, times=10**6)
    night.actions.pass_(minutes=20)
    night.github.site.faults.clear()
    night.actions.pass_(minutes=2)
    assert f"no-commander.{BEGIN + timedelta(minutes=15):%Y%m%dT%H%M%SZ}" in night.reminders(number)
    night.github.fail("GET *", status=503, times=10**6)
    night.actions.pass_(minutes=45)
    assert night.actions.watches == []
    assert isinstance(night.actions.errors[-1], Unavailable)
    assert "nothing has worked for long" in caplog.text


def test_a_sweep_that_fails_again_and_again_is_repeated_ever_less_often(night: Night) -> None:
    """GitHub shows the lists, but never the comments of one incident. That uses up no hour's
    requests, and the other incident's reminders are on time.
    """
    night.declare()
    night.actions.pass_(minutes=2)
    other = night.declare()
    night.actions.pass_(minutes=2)
    night.github.fail("GET */issues/1/comments*", status=502, times=10**6)
    night.say(1, "/ack", run=False)
    used = dict(night.github.site.used)
    night.actions.pass_(hours=1)
    assert night.github.site.used[BOT] - used[BOT] < 400
    assert len(night.actions.watches) == 1
    due = BEGIN + timedelta(minutes=17)
    assert night.reminders(other)[f"no-commander.{due:%Y%m%dT%H%M%SZ}"] - due < timedelta(minutes=1)
    night.github.site.faults.clear()
    night.actions.pass_(minutes=17)
    assert "acknowledged" in night.github.repo(REPO).issues[1].body.lower()


def test_a_hand_over_that_is_forbidden_is_tried_once_and_at_the_end(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody who may not lend it `actions: write` started this watch by hand."""
    night.actions.length = timedelta(minutes=30)
    night.declare()
    night.actions.pass_(minutes=1)
    night.grant(actions="read")
    night.actions.pass_(minutes=31)
    assert night.actions.watches == []
    refused = [each for each in caplog.messages if each.startswith("StartWatch was left out.")]
    assert 1 <= len(refused) <= 2


def test_the_time_in_which_it_stands_by_counts(night: Night) -> None:
    """A job on `ubuntu-slim` is ended after 15 minutes, whatever it waited for."""
    night.actions.length = timedelta(minutes=13)
    night.declare()
    night.actions.pass_(minutes=1)
    [elder] = night.actions.watches
    id = night.github.run(
        REPO, "incident.yml", event="workflow_dispatch", status="in_progress", at=night.actions.now
    )
    began = night.actions.now
    night.actions.double(id)
    night.actions.pass_(minutes=4)
    night.actions.kill(elder)
    night.actions.pass_(minutes=20)
    [end] = [end for start, end in night.actions.history if start == began]
    assert end - began <= timedelta(minutes=13)


def test_an_address_that_does_not_answer_is_asked_every_few_minutes(night: Night) -> None:
    """A bad answer leaves nothing in the state; the watch does not ask again and again for it."""
    night.github.file(REPO, "ops/runbooks/verification-checklist.md", PROBED)
    night.actions.probe = lambda *_: False
    number = night.declare()
    night.say(number, "/ack")
    night.actions.pass_(minutes=1)
    night.say(number, "/mitigated")
    night.actions.pass_(minutes=1)
    used = dict(night.github.site.used)
    night.actions.pass_(minutes=30)
    assert len(night.actions.watches) == 1
    assert night.github.site.used[BOT] - used[BOT] < 100


FORGED = re.compile(r'"times":\{[^}]*\},|"last_deed":"[^"]*",?')


@pytest.mark.parametrize("edit", ['"times":{}', '"times":{"declared":"9999-12-31T23:00:00Z"}'])
def test_a_text_that_a_stranger_forged_ends_no_watch(night: Night, edit: str) -> None:
    """An issue whose own run is lost, with a state in it that no run wrote."""
    night.declare()
    night.actions.pass_(minutes=1)
    state = night.github.repo(REPO).issues[1].body.replace('"number":1', '"number":2')
    night.mallory.file_form_issue("x", FORGED.sub("", state).replace('"v":1', f'{edit},"v":1'))
    night.actions.pass_(minutes=4)
    assert len(night.actions.watches) == 1
    assert night.actions.sweep().error is None
    labels = night.github.repo(REPO).issues[2].labels
    assert "needs-confirmation" in [label.name for label in labels]


def test_a_text_that_this_program_fails_on_keeps_no_other_incident_waiting(night: Night) -> None:
    """Somebody of the team broke the text of an issue, and its run is lost."""
    night.declare()
    night.actions.pass_(minutes=1)
    night.declare()
    text = FORGED.sub("", night.github.repo(REPO).issues[2].body)
    night.alice.edit_issue_body(2, text.replace('"v":1', '"times":{},"v":1'))
    night.actions.pass_(minutes=1)
    assert len(night.actions.watches) == 1
    night.actions.play(BEGIN + timedelta(minutes=5, seconds=30))
    assert f"no-commander.{BEGIN + timedelta(minutes=5):%Y%m%dT%H%M%SZ}" in night.reminders(1)


def test_a_watch_that_just_ended_is_not_relied_upon(night: Night) -> None:
    """GitHub shows it for another minute, and somebody declares an incident meanwhile: a watch that
    waits for its end takes over. While one waits, no event calls another.
    """
    number = night.declare()
    night.actions.pass_(minutes=2)
    night.say(number, "/resolve --force fine")
    night.actions.shown_for = 60
    while night.actions.watches:
        night.actions.pass_(seconds=5)
    number = night.declare()
    night.say(number, "/note it is down")
    assert len(night.dispatches) == 2
    night.actions.play(night.actions.now + timedelta(minutes=5, seconds=30))
    assert len(night.actions.watches) == 1
    assert [key.split(".")[0] for key in night.reminders(number)] == ["no-commander"]


def test_a_watch_that_never_starts_is_not_relied_upon(night: Night) -> None:
    """GitHub took the dispatch and lost it, or has no runner. Each sweep says what comes before
    the next, and calls again; the first that starts takes over.
    """
    night.actions.queue = 10**7
    number = night.declare()
    night.actions.pass_(minutes=11)
    night.actions.sweep()
    due = BEGIN + timedelta(minutes=15)
    assert f"internal-update.{due:%Y%m%dT%H%M%SZ}" in night.reminders(number)
    assert len(night.dispatches) == 2
    night.say(number, "/note down")
    assert len(night.dispatches) == 2
    night.actions.queue = 15
    night.actions.pass_(minutes=11)
    night.say(number, "/note still down")
    night.actions.pass_(minutes=1)
    assert len(night.actions.watches) == 1


def test_a_configuration_that_breaks_changes_nothing_for_a_watch(night: Night) -> None:
    """It goes by the one from before, for as long as nobody corrects it."""
    number = night.declare()
    night.actions.pass_(minutes=1)
    night.configure("reminders: {watch: [")
    night.actions.pass_(minutes=75)
    due = BEGIN + timedelta(minutes=75)
    assert f"no-commander.{due:%Y%m%dT%H%M%SZ}" in night.reminders(number)
    night.configure("reminders: {watch: off}")
    night.actions.pass_(minutes=6)
    assert night.actions.watches == []


def test_a_rate_limit_is_waited_for(night: Night) -> None:
    """It is over after an hour; then the watch says what was due."""
    number = night.declare()
    night.actions.pass_(minutes=3)
    limited = {"x-ratelimit-remaining": "0", "retry-after": "3000"}
    night.github.fail("*", status=429, times=10**6, headers=limited)
    night.actions.pass_(minutes=50)
    night.github.site.faults.clear()
    night.actions.pass_(minutes=2)
    assert len(night.actions.watches) == 1
    assert f"no-commander.{BEGIN + timedelta(minutes=15):%Y%m%dT%H%M%SZ}" in night.reminders(number)


def test_one_failure_delays_no_reminder(night: Night) -> None:
    """GitHub fails for some seconds, just before something is due."""
    number = night.declare()
    due = BEGIN + timedelta(minutes=5)
    night.actions.play(due - timedelta(seconds=25))
    night.github.fail("GET *", status=503, times=4)
    night.actions.play(due + timedelta(seconds=30))
    assert f"no-commander.{due:%Y%m%dT%H%M%SZ}" in night.reminders(number)
