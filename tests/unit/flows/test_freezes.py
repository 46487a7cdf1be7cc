"""Freezes that are no incidents: by the form, by a label, by a window; and what ends them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from incident_actions.cli.freeze_status import freeze_status
from incident_actions.config import Config, read_config
from incident_actions.domain.issue.observation import Observation
from incident_actions.errors import InputError
from incident_actions.gate_readers import FROM_HEADING
from incident_actions.github.client import GitHub
from incident_actions.reconcile.context import RunContext
from incident_actions.reconcile.freeze import reconcile_freeze, reconcile_freezes
from incident_actions.reconcile.overview import look
from incident_actions.reconcile.recent_comments import RecentComments
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from incident_actions.sandbox import Sandbox
from incident_actions.sandbox.people import Person
from tests.support.events import ROOT, form_body, payload_of, schedule_event
from tests.support.overtaken import overtaken_at_first_open

NAME, TOKEN = "acme/shop", "ghs_job"
FORM = ROOT / ".github" / "ISSUE_TEMPLATE" / "freeze.yml"
WEEKEND = """
freeze:
  windows:
    - {name: weekend, every: FREQ=WEEKLY;BYDAY=FR, start: 2026-01-02T18:00, duration: 62h,
       timezone: Europe/Berlin, reason: "Quiet <b>", allow: ["@bob"]}
"""
GRANTED = {"issues": "write", "contents": "read", "deployments": "read", "metadata": "read"}


class Town:
    """acme/shop on a Friday evening. Alice and Bob may write, Mallory has no rights."""

    def __init__(self, github: Sandbox) -> None:
        self.github = github
        self.now = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
        github.world.clock = lambda: self.now
        github.repository(NAME, labels=["incident", "deploy-freeze"])
        for login in ("alice", "bob"):
            github.user(login, permission={NAME: "write"}, member_of=["acme"])
        github.user("mallory")
        github.user("tom", permission={NAME: "triage"}, member_of=["acme"])
        self.tom = github.as_user("tom")
        github.actions_token(TOKEN, NAME, GRANTED)
        self.alice, self.bob = github.as_user("alice"), github.as_user("bob")
        self.mallory = github.as_user("mallory")

    @property
    def hub(self) -> GitHub:
        return GitHub(TOKEN, NAME, self.github.url)

    def freeze(
        self, who: Person, labels: tuple[str, ...] = ("deploy-freeze",), **given: str
    ) -> int:
        body = form_body({"reason": "We move.", **given}, FORM)
        return int(who.file_form_issue("Deploy freeze: move", body, labels)["number"])

    def respond(self) -> None:
        """Run for the last event."""
        self._run(*self.github.deliveries[-1])

    def sweep(self) -> None:
        """Run for the schedule."""
        self._run("schedule", schedule_event())

    def look_at_freezes(self) -> int:
        """Do the sweep's task for freezes alone; gives its requests."""
        hub = self.hub
        config = read_config(hub.file(".github/incident.yml"), ".github/incident.yml")
        context = RunContext(hub, config, self.now, lambda url, private: False, sweeping=True)
        self.github.clear_log()
        reconcile_freezes(context, RecentComments(context), look(hub).freezes)
        return self.github.requests()

    def _run(self, name: str, payload: dict[str, Any]) -> None:
        given = payload if name == "schedule" else payload_of((name, payload))
        tools = Tools(lambda: self.now, lambda seconds: None, lambda url, private: False)
        respond(self.hub, WorkflowEvent(name, given), ".github/incident.yml", tools)

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def say(self, who: Person, number: int, text: str) -> None:
        self.later(minutes=1)
        who.comment(number, text)
        self.respond()

    def words(self, number: int) -> list[str]:
        """What the bot said there."""
        found = self.alice.ask("GET", f"/issues/{number}/comments")
        return [each["body"] for each in found if each["user"]["type"] == "Bot"]

    def labels(self, number: int) -> set[str]:
        return {label["name"] for label in self.alice.issue(number)["labels"]}

    def make_label(self, name: str) -> None:
        self.alice.ask("POST", "/labels", {"name": name, "color": "ededed"})

    def status(self, *services: str) -> dict[str | None, str]:
        """The verdict by service, as `freeze-status --json` has it."""
        environ = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": self.github.url}
        text = freeze_status(self.hub, NAME, services, environ, self.now, as_json=True)
        return {row["service"]: row["verdict"] for row in json.loads(text)["services"]}

    @property
    def frozen(self) -> bool:
        return self.status()[None] == "frozen"

    def open_freezes(self) -> list[int]:
        found = self.alice.ask("GET", "/issues?labels=deploy-freeze&state=open")
        return [int(issue["number"]) for issue in found]


@pytest.fixture
def town(sandbox: Sandbox) -> Town:
    """Our team."""
    return Town(sandbox)


def test_a_writers_freeze_is_in_force_and_left_alone(town: Town) -> None:
    """Nothing to put right: no comment, no label, not one write."""
    number = town.freeze(town.alice, until="2026-11-21 08:00", services="api")
    town.github.clear_log()
    town.respond()
    assert town.github.requests(write=True) == 0
    assert town.status("api", "web") == {"api": "frozen", "web": "clear"}
    assert town.open_freezes() == [number]


def test_the_form_makes_up_for_a_label_that_was_dropped(town: Town) -> None:
    """GitHub drops a form's label that does not exist; taken off by hand, it stays off."""
    number = town.freeze(town.alice, labels=())
    town.respond()
    assert "deploy-freeze" in town.labels(number)
    town.alice.unlabel(number, "deploy-freeze")
    town.respond()
    assert "deploy-freeze" not in town.labels(number)


def test_a_strangers_freeze_is_held_once(town: Town) -> None:
    """A label, one friendly answer, and deploys go on, however often the event comes."""
    number = town.freeze(town.mallory)
    town.respond()
    town.respond()
    assert "needs-confirmation" in town.labels(number)
    assert len(town.words(number)) == 1
    assert not town.frozen


def test_confirming_opens_it_in_the_bots_name(town: Town) -> None:
    """With what was asked for then: the stranger can't change it any more."""
    report = town.freeze(town.mallory, until="2026-11-21 08:00", services="api, web")
    town.respond()
    town.say(town.bob, report, "/confirm")
    town.respond()
    (number,) = town.open_freezes()
    issue = town.alice.issue(number)
    assert issue["user"]["type"] == "Bot"
    assert f"#{report}" in issue["body"]
    assert town.status("api", "other") == {"api": "frozen", "other": "clear"}
    town.mallory.edit_issue_body(report, form_body({"until": "2020-01-01"}, FORM))
    town.respond()
    assert town.status("api") == {"api": "frozen"}
    town.later(days=1)
    town.sweep()
    assert town.open_freezes() == []


def test_the_bots_answer_that_got_lost_opens_no_second_one(town: Town) -> None:
    """GitHub opens the issue and the answer is lost: the next try finds it."""
    report = town.freeze(town.mallory)
    town.respond()
    town.github.fail(f"POST /repos/{NAME}/issues", status=502, after=True)
    town.say(town.bob, report, "/confirm")
    assert len(town.open_freezes()) == 1


def test_two_runs_for_one_confirmation_leave_one_freeze(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right before a run opens the freeze another one opens it: each looks again afterwards."""
    report = town.freeze(town.mallory)
    town.respond()
    town.later(minutes=1)
    town.bob.comment(report, "/confirm")
    overtaken_at_first_open(monkeypatch, town.respond)
    town.respond()
    assert town.open_freezes() == [report + 1]
    assert town.alice.issue(report + 2)["state_reason"] == "not_planned"


def test_a_writers_own_hand_on_the_label_is_a_confirmation(town: Town) -> None:
    """A writer labels a stranger's issue: deploys wait, by a freeze in the bot's name."""
    number = int(town.mallory.open_issue("Please wait", "with deploys")["number"])
    town.alice.label(number, "deploy-freeze")
    town.respond()
    (opened,) = town.open_freezes()
    assert opened != number
    assert town.frozen


def test_a_writer_whose_membership_github_hides_still_freezes(town: Town) -> None:
    """The gate can't believe such an author, so the freeze goes on in the bot's name."""
    number = town.freeze(town.alice)
    hub = town.hub
    hidden = replace(hub.issue(number), association="NONE")
    context = RunContext(hub, Config(), town.now, lambda url, private: False)
    reconcile_freeze(context, Observation(hidden, hub.history(number), "github-actions[bot]"))
    (opened,) = town.open_freezes()
    assert opened != number
    assert town.frozen


def test_dismissing_closes_it(town: Town) -> None:
    """With the reason, and without a freeze."""
    number = town.freeze(town.mallory)
    town.respond()
    town.say(town.alice, number, "/dismiss nothing is planned")
    assert town.alice.issue(number)["state"] == "closed"
    assert "nothing is planned" in town.words(number)[-1]
    assert not town.frozen


def test_only_writers_decide(town: Town) -> None:
    """A stranger's `/confirm` and `/thaw` do nothing, and are answered once."""
    held = town.freeze(town.mallory)
    town.respond()
    town.say(town.mallory, held, "/confirm")
    assert not town.frozen
    real = town.freeze(town.alice)
    town.say(town.mallory, real, "/thaw please")
    town.say(town.mallory, real, "/thaw please!")
    assert town.frozen
    assert len(town.words(real)) == 1


@pytest.mark.parametrize("label", ["needs-confirmation", "drill", "service:zzz", "environment:zzz"])
def test_a_label_of_somebody_without_write_access_holds_no_freeze(town: Town, label: str) -> None:
    """It goes again, with one short answer, also when it comes back."""
    town.make_label(label)
    number = town.freeze(town.alice)
    for _ in range(2):
        town.later(minutes=1)
        town.tom.label(number, label)
        town.respond()
        town.respond()
        assert town.labels(number) == {"deploy-freeze"}
    (answer,) = town.words(number)
    assert answer.startswith("@tom, only people with write access")
    assert town.status("api") == {"api": "frozen"}


def test_the_sweep_takes_such_a_label_off_when_the_run_was_lost(town: Town) -> None:
    """The list tells that the freeze is held."""
    town.make_label("needs-confirmation")
    number = town.freeze(town.alice)
    town.tom.label(number, "needs-confirmation")
    assert town.frozen
    town.sweep()
    assert town.labels(number) == {"deploy-freeze"}
    assert town.frozen
    assert len(town.words(number)) == 1


def test_only_who_may_end_a_freeze_takes_its_label_off(town: Town) -> None:
    """Else it comes back."""
    number = town.freeze(town.alice)
    town.tom.unlabel(number, "deploy-freeze")
    town.respond()
    assert town.frozen
    town.bob.unlabel(number, "deploy-freeze")
    town.respond()
    assert not town.frozen


def test_only_who_may_end_a_freeze_closes_it(town: Town) -> None:
    """Closed by somebody else, it is opened again, as often as it takes."""
    number = town.freeze(town.alice)
    for _ in range(2):
        town.later(minutes=1)
        town.tom.close(number)
        town.respond()
        assert town.frozen
        town.github.clear_log()
        town.respond()
        assert town.github.requests(write=True) == 0
    assert len(town.words(number)) == 1
    town.bob.close(number)
    town.respond()
    assert not town.frozen


def test_what_is_over_is_not_opened_again(town: Town) -> None:
    """Closing a freeze whose time has come needs no permission."""
    number = town.freeze(town.alice, until="2026-11-20 16:30")
    town.later(minutes=31)
    town.tom.close(number)
    town.github.clear_log()
    town.respond()
    assert town.alice.issue(number)["state"] == "closed"


def test_a_writer_may_hold_a_freeze_by_hand(town: Town) -> None:
    """A drill, or one that has to wait for a word."""
    number = town.freeze(town.alice)
    town.bob.label(number, "drill")
    town.respond()
    assert "drill" in town.labels(number)
    assert town.words(number) == []


def test_the_team_may_let_others_end_a_freeze(town: Town) -> None:
    """By hand it needs the same permission as by command."""
    town.github.file(NAME, ".github/incident.yml", "permissions: {thaw: triage}")
    number = town.freeze(town.alice)
    town.tom.close(number)
    town.respond()
    assert not town.frozen


def test_thaw_ends_a_freeze_and_reopening_starts_it_anew(town: Town) -> None:
    """What was decided before an issue was opened again counts no more."""
    number = town.freeze(town.alice)
    town.say(town.bob, number, "/thaw we are done")
    assert town.alice.issue(number)["state"] == "closed"
    town.later(minutes=1)
    town.alice.reopen(number)
    town.respond()
    assert town.frozen


def test_another_command_is_answered(town: Town) -> None:
    """Never silence: it says why not, and what to type."""
    number = town.freeze(town.alice)
    town.say(town.alice, number, "/ack")
    assert "/thaw REASON" in town.words(number)[-1]


def test_a_time_that_can_not_be_read_is_told(town: Town) -> None:
    """Deploys wait until the issue is closed; its author learns how to write the time."""
    number = town.freeze(town.alice, until="next Tuesday")
    town.respond()
    town.respond()
    assert len(town.words(number)) == 1
    assert "can't be read" in town.words(number)[0]
    assert town.frozen


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("Friday Jan-06-2023 @ 14:00 UTC", "2023-01-06 14:00 UTC, which is over"),
        ("28 Dec 2026 9:00 CET", "`2026-12-28 08:00`, in UTC"),
        ("14:00 IST", "`IST` is the name of several time zones"),
        ("03/01/2027 09:00", "may be 2027-01-03 or 2027-03-01"),
    ],
)
def test_what_is_wrong_with_a_time_is_told_exactly(town: Town, until: str, words: str) -> None:
    """With the time to type, as far as it can be known; the freeze stays until then."""
    number = town.freeze(town.alice, until=until)
    town.respond()
    assert words in town.words(number)[0]
    assert town.frozen


@pytest.mark.parametrize("until", ["-", "tbd", "N/A"])
def test_an_end_that_is_no_answer_gets_no_words(town: Town, until: str) -> None:
    """It is like an empty one: until the issue is closed."""
    number = town.freeze(town.alice, until=until)
    town.respond()
    assert town.words(number) == []
    assert town.frozen


@pytest.mark.parametrize(
    ("begins", "words"),
    [
        ("tomorrow", "`2026-11-21 16:00`, in UTC"),
        ("21 Nov 2026 9:00 CET", "`2026-11-21 08:00`, in UTC"),
        ("03/01/2027 09:00", "may be 2027-01-03 or 2027-03-01"),
        ("2026-11-21\n\n### From\n\n2026-11-22", "only one answer of one line is read"),
        ("2026-11-22", "that is not before the end, 2026-11-21 23:59 UTC, so neither counts"),
        ("2026-11-22", "edit the answer: `2026-11-21 22:59`"),
    ],
)
def test_a_begin_that_can_not_be_taken_is_told(town: Town, begins: str, words: str) -> None:
    """Deploys wait at once, and its author learns what to type; typed so, it begins then."""
    number = town.freeze(town.alice, **{"from": begins, "until": "2026-11-21"})
    town.respond()
    town.respond()
    (told,) = town.words(number)
    assert words in told
    assert "deploys wait already" in told
    assert town.frozen
    town.later(minutes=1)
    body = town.alice.issue(number)["body"]
    typed = told.rpartition("edit the answer: `")[2].partition("`")[0]
    wrong = body[body.index("### From") : body.index("### Until")]
    town.alice.edit_issue_body(number, body.replace(wrong, f"### From (UTC)\n\n{typed}\n\n"))
    town.respond()
    assert len(town.words(number)) == 1
    assert not town.frozen
    town.later(days=1)
    assert town.frozen is (typed <= "2026-11-21 16:01")


@pytest.mark.parametrize("begins", ["", "-", "tbd"])
def test_a_begin_that_is_no_answer_gets_no_words(town: Town, begins: str) -> None:
    """It is like an empty one: at once."""
    number = town.freeze(town.alice, **{"from": begins})
    town.respond()
    assert town.words(number) == []
    assert town.frozen


def test_a_freeze_by_the_form_may_begin_later(town: Town) -> None:
    """Nothing to put right before and while; then it ends by itself."""
    number = town.freeze(town.alice, **{"from": "2026-11-20 18:00", "until": "2026-11-20 19:00"})
    town.github.clear_log()
    town.respond()
    assert town.github.requests(write=True) == 0
    held = []
    for seconds in (7199, 1, 3599, 1):
        town.later(seconds=seconds)
        assert town.look_at_freezes() >= 1
        held.append(town.frozen)
    assert held == [False, True, True, False]
    assert town.alice.issue(number)["state"] == "closed"


def test_a_strangers_freeze_keeps_its_begin_in_the_bots_name(town: Town) -> None:
    """Once somebody with write access confirms it."""
    report = town.freeze(
        town.mallory, **{"from": "2026-11-20 18:00:30", "until": "2026-11-20 19:00:30"}
    )
    town.respond()
    town.say(town.alice, report, "/confirm")
    (opened,) = town.open_freezes()
    body = town.alice.issue(opened)["body"]
    assert "### From\n\n2026-11-20 18:00:30 UTC\n\n### Until\n\n2026-11-20 19:00:30 UTC\n" in body
    assert not town.frozen
    town.later(hours=2)
    assert town.frozen


def test_the_sweep_closes_what_is_over_and_says_so_once(town: Town) -> None:
    """The gate let deploys pass from that minute on; the issue follows."""
    number = town.freeze(town.alice, until="2026-11-20 16:30")
    assert town.frozen
    town.later(minutes=30)
    assert not town.frozen
    town.sweep()
    town.sweep()
    assert town.alice.issue(number)["state"] == "closed"
    assert len(town.words(number)) == 1


def test_an_idle_sweep_asks_for_the_list_and_no_more(town: Town) -> None:
    """One request for the open freezes, also while some are in force."""
    assert town.look_at_freezes() == 2
    town.freeze(town.alice, until="2026-11-25 16:30")
    town.freeze(town.bob)
    assert town.look_at_freezes() == 2
    town.github.file(NAME, ".github/incident.yml", WEEKEND)
    town.sweep()
    assert town.look_at_freezes() == 2


def test_an_open_window_costs_one_list_more_at_most(town: Town) -> None:
    """And only when its freeze was closed early; however many freezes there ever were."""
    town.github.file(NAME, ".github/incident.yml", WEEKEND)
    town.later(days=-2)
    for _ in range(120):
        town.alice.close(town.freeze(town.alice))
    town.later(days=2, hours=2)
    town.sweep()
    assert town.look_at_freezes() == 2
    town.alice.close(town.open_freezes()[0])
    assert town.look_at_freezes() == 3
    assert town.open_freezes() == []


def test_the_sweep_holds_a_strangers_freeze_that_no_run_saw(town: Town) -> None:
    """An event that GitHub lost is made up for, and a lost `/confirm` as well."""
    number = town.freeze(town.mallory)
    town.sweep()
    assert "needs-confirmation" in town.labels(number)
    town.later(minutes=5)
    town.alice.comment(number, "/confirm")
    town.sweep()
    assert town.frozen


def test_strangers_freezes_cost_no_sweep(town: Town) -> None:
    """Each is held once; then the list alone tells that nobody waits there."""
    for _ in range(5):
        town.freeze(town.mallory)
    town.sweep()
    assert town.look_at_freezes() == 2


def test_a_window_opens_and_closes_by_itself(town: Town) -> None:
    """Once, with its people and its end in it, and nobody's text as markup."""
    town.github.file(NAME, ".github/incident.yml", WEEKEND)
    town.later(hours=-23, seconds=-1)
    town.sweep()
    assert town.open_freezes() == []
    town.later(seconds=1)
    town.sweep()
    town.sweep()
    (number,) = town.open_freezes()
    body = town.alice.issue(number)["body"]
    assert "### From\n\n2026-11-20 17:00 UTC\n\n### Until\n\n2026-11-23 07:00 UTC\n" in body
    assert "### Who may deploy?\n\nbob\n" in body
    assert "<b>" not in body
    assert not town.frozen
    town.later(hours=24)
    assert town.frozen
    town.later(days=3)
    assert not town.frozen
    town.sweep()
    assert town.open_freezes() == []


def test_a_run_that_died_after_opening_a_window_opens_it_no_second_time(town: Town) -> None:
    """Its issue carries the occurrence, so the next sweep knows."""
    town.github.file(NAME, ".github/incident.yml", WEEKEND)
    town.later(hours=2)
    town.github.fail(f"POST /repos/{NAME}/issues", status=502, after=True)
    town.sweep()
    town.sweep()
    assert len(town.open_freezes()) == 1


def test_closing_a_window_early_counts_for_that_occurrence_only(town: Town) -> None:
    """It stays closed until the window comes again."""
    town.github.file(NAME, ".github/incident.yml", WEEKEND)
    town.later(hours=2)
    town.sweep()
    town.alice.close(town.open_freezes()[0])
    town.sweep()
    assert town.open_freezes() == []
    town.later(days=7)
    town.sweep()
    assert len(town.open_freezes()) == 1


def test_a_stranger_can_not_pretend_that_a_window_was_opened(town: Town) -> None:
    """Only the bot's own issues count, whatever a marker says."""
    marker = "<!-- incident-actions:window weekend 2026-11-20T17:00:00Z -->"
    town.mallory.file_form_issue("Freeze", marker, ["deploy-freeze"])
    town.github.file(NAME, ".github/incident.yml", WEEKEND)
    town.later(hours=2)
    town.sweep()
    assert town.frozen


def test_the_status_lists_every_service_that_is_known(town: Town) -> None:
    """From labels and from what is open; the first line is a deploy that names none."""
    town.alice.ask("POST", "/labels", {"name": "service:web", "color": "ededed"})
    town.alice.ask("POST", "/labels", {"name": "service:api", "color": "ededed"})
    number = town.freeze(town.alice)
    town.alice.label(number, "service:api")
    assert list(town.status().items()) == [
        (None, "frozen"),
        ("api", "frozen"),
        ("web", "clear"),
    ]
    environ = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": town.github.url}
    text = freeze_status(town.hub, NAME, (), environ, town.now, as_json=False)
    assert "| a deploy that names no service | frozen |" in text
    assert "| web | go on |" in text
    assert f"| api | frozen | #{number} deploy freeze Deploy freeze: move | 0 min |" in text


def test_the_status_shows_a_freeze_that_begins_later(town: Town) -> None:
    """For the services that it will stop, and the first one where there are several."""
    town.alice.ask("POST", "/labels", {"name": "service:web", "color": "ededed"})
    late = town.freeze(town.alice, **{"from": "2026-11-22 17:00"})
    number = town.freeze(
        town.alice, **{"from": "2026-11-21 17:00", "until": "2026-11-21 19:00"}, services="api"
    )
    environ = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": town.github.url}
    text = freeze_status(town.hub, NAME, (), environ, town.now, as_json=False)
    assert f"| api | go on | #{number} Deploy freeze: move, from 2026-11-21 17:00 UTC |  |" in text
    assert "| 2026-11-21 19:00 UTC |" in text
    assert f"| web | go on | #{late} Deploy freeze: move, from 2026-11-22 17:00 UTC |  |  |" in text
    given = json.loads(freeze_status(town.hub, NAME, ["web"], environ, town.now, as_json=True))
    assert f"#{late} freezes deploys from 2026-11-22 17:00 UTC" in given["services"][0]["reason"]
    town.later(days=1, hours=1)
    text = freeze_status(town.hub, NAME, ["api"], environ, town.now, as_json=False)
    assert f"| api | frozen | #{number} deploy freeze Deploy freeze: move | 0 min |" in text


def test_the_status_lists_the_services_that_the_teams_form_offers(town: Town) -> None:
    """They are there before the first incident makes a label of any; a broken form hides none."""
    path = ".github/ISSUE_TEMPLATE/incident.yml"
    choice = (
        "type: dropdown, id: services, attributes: {label: Services, options: [Web Shop, web, api]}"
    )
    town.github.file(NAME, path, f"body: [{{{choice}}}]")
    assert town.status() == {None: "clear", "api": "clear", "web": "clear"}
    town.github.file(NAME, path, "body: [")
    assert town.status() == {None: "clear"}


def test_the_status_holds_to_the_teams_list_of_services(town: Town) -> None:
    """It shows all of them; an issue of an unknown service is about all, a typo is told."""
    town.github.file(NAME, ".github/incident.yml", "services: [web, api]\n")
    number = town.freeze(town.alice)
    town.alice.label(number, "service:api")
    assert town.status() == {None: "frozen", "web": "clear", "api": "frozen"}
    with pytest.raises(InputError, match="none of the services") as refused:
        town.status("wbe")
    assert "Did you mean `web`?" in refused.value.told()
    town.alice.label(number, "service:wbe")
    assert town.status() == {None: "frozen", "web": "frozen", "api": "frozen"}
    environ = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": town.github.url}
    text = freeze_status(town.hub, NAME, (), environ, town.now, as_json=False)
    assert text.count("wbe") == 1
    assert "it counts as about all" in text


def test_the_status_of_a_phrase_is_refused(town: Town) -> None:
    """It is the name of no service, with or without a list."""
    with pytest.raises(InputError, match="no service's name"):
        town.status("API server")


def test_the_form_asks_what_the_gate_reads() -> None:
    """Its headings are the ones that the gate looks for, and one answer is enough."""
    form = yaml.safe_load(FORM.read_text("utf-8"))
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    labels = [field["attributes"]["label"].casefold() for field in fields]
    assert form["labels"] == ["deploy-freeze"]
    assert [label for label in labels if re.fullmatch(FROM_HEADING, label)] == ["from (utc)"]
    assert sum("until" in label for label in labels) == 1
    assert sum("may deploy" in label for label in labels) == 1
    required = [f["id"] for f in fields if f.get("validations", {}).get("required")]
    assert required == ["reason"]
