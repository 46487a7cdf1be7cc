"""Conversations with the bot: who may say what, what it makes of it, and what it answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incident_actions.domain.issue import observation as voice
from incident_actions.domain.issue.incident import (
    ActionItem,
    FreezeSwitch,
    Moment,
    Role,
    Severity,
    Status,
    Verification,
)
from incident_actions.domain.issue.observation import (
    Actor,
    Comment,
    EventKind,
    Observation,
    Permission,
    TimelineEvent,
)
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.timeline.interpreter import MOST_REFUSED
from tests.unit.domain.chat import BOT, CHECKS, DECLARED, Chat, an_issue, at


def test_a_sev1_from_the_declaration_to_the_all_clear() -> None:
    """The whole way, with its times, its roles and its timeline."""
    chat = Chat({"severity": "SEV1 - everyone", "started": "13:50", "services": "api, Worker"})
    assert chat.incident.freezes
    chat.say("alice", "/ack")
    chat.say("alice", "/role comms @bob")
    chat.say("bob", "/update next 20m we are looking")
    chat.say("alice", "/did rolled back to v41 -> errors falling")
    chat.say("alice", "/mitigated")
    assert chat.incident.status is Status.MONITORING
    assert chat.say("alice", "/resolve")[0].startswith("Not closed yet")
    chat.say("alice", "/verify error-rate 0.1%\n/verify latency")
    chat.say("alice", "/resolve stable for ten minutes")

    incident = chat.incident
    assert incident.status is Status.RESOLVED
    assert not incident.freezes
    assert incident.services == ("api", "worker")
    assert incident.roles == {Role.COMMANDER: "alice", Role.COMMS: "bob"}
    assert incident.times == {
        Moment.STARTED: at(13, 50),
        Moment.DETECTED: DECLARED,
        Moment.DECLARED: DECLARED,
        Moment.ACKNOWLEDGED: at(14, 1),
        Moment.MITIGATED: at(14, 5),
        Moment.RESOLVED: at(14, 8),
    }
    assert chat.timeline == [
        "14:01 alice: acknowledged and took command",
        "14:02 alice: made @bob communications owner",
        "14:03 bob: posted an update -> we are looking",
        "14:04 alice: rolled back to v41 -> errors falling",
        "14:05 alice: mitigated",
        "14:06 alice: tried to close -> recovery was not verified yet",
        "14:07 alice: verified: Error rate is normal -> 0.1%",
        "14:07 alice: verified: Latency is normal",
        "14:08 alice: resolved -> stable for ten minutes",
    ]


def test_a_typo_gets_an_answer_and_the_rest_is_taken() -> None:
    """Never silence, and nothing is lost for one wrong line."""
    chat = Chat()
    (answer,) = chat.say("alice", "/akc\n/severity sev2 only some")
    assert "`/akc` was not taken: there is no such command." in answer
    assert "Type instead: `/ack`" in answer
    assert chat.incident.severity is Severity.SEV2


def test_several_mistakes_of_a_comment_get_one_answer() -> None:
    """One comment, one reply."""
    (answer,) = Chat().say("alice", "/akc\n/severity high\n/resolve")
    assert "`/akc`" in answer
    assert "`/severity high`" in answer
    assert "Not closed yet" in answer


def test_taken_commands_get_no_words() -> None:
    """There is nothing to say; a reaction tells it."""
    chat = Chat()
    assert chat.say("alice", "/ack\n/note x\n/update y") == []
    assert [comment.body for comment in chat.folded.taken] == ["/ack\n/note x\n/update y"]


def test_talk_without_commands_is_nobodys_business() -> None:
    """People may talk."""
    chat = Chat()
    assert chat.say("eve", "It fails for me, too. See /var/log/app") == []
    assert chat.folded.commands == ()


def test_a_stranger_commands_nothing_and_is_told_once() -> None:
    """One short refusal for each person and incident."""
    chat = Chat()
    (answer,) = chat.say("eve", "/thaw haha\n/severity sev3")
    assert answer.startswith("@eve, commands are for people with write access")
    assert chat.say("eve", "/resolve --force haha") == []
    assert len(chat.say("mallory", "/ack")) == 1
    assert chat.incident.commander is None
    assert chat.incident.freezes
    assert chat.timeline == []


def test_a_strangers_typo_is_not_explained() -> None:
    """A refusal says all that there is to say."""
    (answer,) = Chat().say("eve", "/akc")
    assert "@eve" in answer
    assert "Type instead" not in answer


def test_triage_may_note_and_update() -> None:
    """Those who help may add to the record; for the rest they are told whom to ask."""
    chat = Chat()
    assert chat.say("tess", "/note queue at 12,000\n/update workers scaled") == []
    (answer,) = chat.say("tess", "/severity sev3\n/note still growing")
    assert "needs write access" in answer
    assert chat.incident.severity is Severity.SEV1
    assert [line.split(": ", 1)[1] for line in chat.timeline] == [
        "queue at 12,000",
        "posted an update -> workers scaled",
        "still growing",
    ]


def test_a_team_may_ask_for_more_or_less() -> None:
    """What a command needs can be configured, command by command."""
    chat = Chat(needs={"note": Permission.WRITE, "severity": Permission.TRIAGE})
    assert chat.say("tess", "/note x") != []
    chat.say("tess", "/severity sev3")
    assert chat.incident.severity is Severity.SEV3


def test_the_bot_does_not_command_itself() -> None:
    """A quoted report or runbook in the bot's own comment commands nothing."""
    chat = Chat()
    assert chat.say(BOT.login, "/resolve --force yes\n/nothing") == []
    assert chat.folded.commands == ()
    assert chat.incident.status is Status.INVESTIGATING


def test_editing_a_comment_corrects_its_entry() -> None:
    """The record says what the comment says now, at the time when it was written."""
    chat = Chat()
    chat.say("alice", "/did rolled bakc -> better")
    chat.edit(0, "/did rolled back -> worse")
    assert chat.timeline == ["14:01 alice: rolled back -> worse"]


def test_deleting_a_comment_strikes_its_entry() -> None:
    """What is not said was not said."""
    chat = Chat()
    chat.say("alice", "/ack\n/severity sev3")
    chat.delete(0)
    assert chat.timeline == []
    assert chat.incident.commander is None
    assert chat.incident.severity is Severity.SEV1


def test_an_answer_goes_when_its_mistake_was_corrected() -> None:
    """Editing the comment is enough."""
    chat = Chat()
    assert len(chat.say("alice", "/akc")) == 1
    chat.edit(0, "/ack")
    assert chat.bot == []
    assert chat.incident.commander == "alice"


def test_another_mistake_gets_another_answer() -> None:
    """An edited comment that is still wrong is answered anew, under another key."""
    chat = Chat()
    chat.say("alice", "/akc")
    (first,) = chat.folded.notices
    chat.edit(0, "/status fixed")
    (second,) = chat.folded.notices
    assert first.key != second.key


class TestRoles:
    """Who does what."""

    def test_the_first_to_acknowledge_takes_command(self) -> None:
        """Later ones only acknowledge."""
        chat = Chat()
        chat.say("bob", "/ack")
        chat.say("alice", "/ack")
        assert chat.incident.commander == "bob"
        assert chat.incident.times[Moment.ACKNOWLEDGED] == at(14, 1)
        assert chat.incident.assigned == ("bob",)

    def test_the_forms_commander_is_in_command(self) -> None:
        """Acknowledging does not take command from somebody who was named."""
        chat = Chat({"severity": "SEV1", "commander": "@bob"})
        assert chat.incident.commander == "bob"
        chat.say("alice", "/ack")
        assert chat.incident.commander == "bob"

    def test_a_stranger_named_in_the_form_is_not(self) -> None:
        """GitHub can't assign them, and nobody outside decides."""
        assert Chat({"severity": "SEV1", "commander": "@eve"}).incident.commander is None

    def test_defaults_hold_until_somebody_is_named(self) -> None:
        """The team's rotation comes first, the form's answer before it."""
        default = {Role.COMMANDER: "bob", Role.COMMS: "tess"}
        assert Chat(default_roles=default).incident.roles == default
        named = Chat({"commander": "alice"}, default_roles=default).incident
        assert named.roles == {Role.COMMANDER: "alice", Role.COMMS: "tess"}

    def test_the_timeline_says_where_a_name_came_from(self) -> None:
        """The form, or the configuration, where a rotation is kept, too."""
        default = {Role.COMMS: "tess"}
        incident = Chat({"commander": "@bob"}, default_roles=default).incident
        assert [entry.action for entry in incident.timeline[1:]] == [
            "named @tess communications owner by the configuration",
            "named @bob incident commander in the form",
        ]

    def test_a_role_passes_on(self) -> None:
        """Who held it leaves, unless another role keeps them."""
        chat = Chat()
        chat.say("alice", "/ack\n/role scribe")
        chat.say("alice", "/role commander @bob")
        assert chat.incident.roles == {Role.SCRIBE: "alice", Role.COMMANDER: "bob"}
        assert set(chat.incident.assigned) == {"alice", "bob"}
        chat.say("alice", "/role scribe @tess")
        assert set(chat.incident.assigned) == {"bob", "tess"}

    def test_one_person_may_hold_every_role(self) -> None:
        """A small team has small hours."""
        chat = Chat()
        chat.say("alice", "\n".join(f"/role {role}" for role in Role))
        assert set(chat.incident.roles.values()) == {"alice"}
        assert chat.incident.assigned == ("alice",)

    def test_a_role_for_a_stranger_is_a_mistake(self) -> None:
        """Said at once, not found out when they are needed."""
        chat = Chat()
        (answer,) = chat.say("alice", "/role comms @eve")
        assert "@eve has no triage or write access" in answer
        assert chat.incident.roles == {}


class TestSeverity:
    """How bad it is."""

    def test_no_answer_is_the_worst(self) -> None:
        """Unknown severity: assume the worse, and say so."""
        incident = Chat({}).incident
        assert incident.severity is Severity.SEV1
        assert not incident.severity_known
        assert incident.freezes
        assert incident.timeline[0].result == "no severity given, so the worst is assumed"

    @pytest.mark.parametrize(
        ("answer", "severity"),
        [
            ("SEV2 - some", Severity.SEV2),
            ("sev-3", Severity.SEV3),
            ("**SEV3** small", Severity.SEV3),
            ("Sev 1", Severity.SEV1),
            ("not SEV3, I hope", Severity.SEV1),
            ("SEV22", Severity.SEV1),
        ],
    )
    def test_the_answer_begins_with_it(self, answer: str, severity: Severity) -> None:
        """As in the form's own options; anything else is unknown."""
        assert Chat({"severity": answer}).incident.severity is severity

    def test_a_label_it_was_born_with_counts_where_the_form_says_nothing(self) -> None:
        """Opened over the API, or from a template with a label."""
        chat = Chat({})
        born = chat.issue.created_at
        chat.by_hand("alice", EventKind.LABELED, "SEV3", at=born)
        assert chat.incident.severity is Severity.SEV3
        assert chat.timeline == []

    def test_a_severity_is_corrected_and_corrected_again(self) -> None:
        """Both stand in the record, with who and why."""
        chat = Chat()
        chat.say("bob", "/severity sev3 one user")
        chat.say("alice", "/severity sev2 more of them")
        assert chat.incident.severity is Severity.SEV2
        assert chat.timeline == [
            "14:01 bob: changed the severity from SEV1 to SEV3 -> one user",
            "14:02 alice: changed the severity from SEV3 to SEV2 -> more of them",
        ]

    def test_only_the_two_worst_freeze(self) -> None:
        """A SEV3 lets deploys go on."""
        assert [Chat({"severity": f"SEV{n}"}).incident.freezes for n in (1, 2, 3)] == [
            True,
            True,
            False,
        ]


class TestFreeze:
    """Freezing is its own switch, whatever the severity."""

    def test_thaw_and_freeze(self) -> None:
        """The last word counts, with its reason."""
        chat = Chat()
        chat.say("alice", "/thaw only the newsletter")
        assert not chat.incident.freezes
        assert chat.incident.freeze is not None
        assert chat.incident.freeze.freeze is FreezeSwitch.OFF
        assert chat.incident.freeze.reason == "only the newsletter"
        chat.say("alice", "/freeze")
        assert chat.incident.freezes

    def test_a_small_incident_may_freeze(self) -> None:
        """A SEV3 in the migration is reason enough."""
        chat = Chat({"severity": "SEV3"})
        chat.say("alice", "/freeze migration half way")
        assert chat.incident.freezes

    def test_lowering_the_severity_leaves_a_freeze_by_hand(self) -> None:
        """The gate can't be dodged by a downgrade."""
        chat = Chat()
        chat.say("alice", "/freeze")
        chat.say("alice", "/severity sev3")
        assert chat.incident.freezes

    def test_a_resolved_incident_freezes_nothing(self) -> None:
        """Also one that was frozen by hand; and reopening starts without the old override."""
        chat = Chat({"severity": "SEV3"})
        chat.say("alice", "/freeze")
        chat.say("alice", "/resolve --force x")
        assert not chat.incident.freezes
        chat.say("alice", "/reopen y")
        assert not chat.incident.freezes

    def test_a_drill_freezes_nothing(self) -> None:
        """Practice never stops anybody."""
        assert not Chat(issue=an_issue(labels=("incident", "Drill"))).incident.freezes

    def test_a_change_is_let_through_for_a_while(self) -> None:
        """By commit or pull request, until it expires."""
        chat = Chat()
        chat.say("alice", "/allow #57 for 1h it is the fix\n/allow 4F2A9C1 a rollback")
        first, second = chat.incident.allow
        assert (first.pr, first.sha, first.by) == (57, None, "alice")
        assert first.until - first.at == timedelta(hours=1)
        assert (second.pr, second.sha, second.reason) == (None, "4f2a9c1", "a rollback")

    def test_one_more_change_pushes_out_none_that_is_let_through(self) -> None:
        """It is refused instead; those that are over make room."""
        chat = Chat()
        for number in range(1, 20):
            chat.say("alice", f"/allow #{number} for 24h fix")
        chat.say("alice", "/allow #20 for 3m fix")
        (answer,) = chat.say("alice", "/allow #21 for 24h fix")
        assert "20 changes are let through already" in answer
        assert [each.pr for each in chat.incident.allow] == list(range(1, 21))
        assert chat.say("alice", "/allow #22 for 24h fix", minutes=5) == []
        assert [each.pr for each in chat.incident.allow] == [*range(1, 20), 22]


class TestRecovery:
    """Closing needs a verified recovery."""

    def test_resolving_too_early_says_what_is_open(self) -> None:
        """With the very words to type for each."""
        (answer,) = Chat().say("alice", "/resolve")
        assert "`/verify error-rate`" in answer
        assert "`/verify latency`" in answer
        assert "`/resolve --force REASON`" in answer

    def test_all_verifies_what_is_open(self) -> None:
        """Who verified one before keeps the credit."""
        chat = Chat()
        chat.say("bob", "/verify latency p95 at 180 ms")
        chat.say("alice", "/verify all signed in on three devices")
        assert {key: who.by for key, who in chat.incident.verified.items()} == {
            "latency": "bob",
            "error-rate": "alice",
        }
        assert chat.say("alice", "/resolve") == []
        assert chat.incident.status is Status.RESOLVED

    @pytest.mark.parametrize("text", ["", " at 14:02", " tbd", " TEXT", "\n\nNow the postmortem."])
    def test_all_asks_what_was_looked_at(self, text: str) -> None:
        """Nobody ticks everything without a word."""
        chat = Chat()
        chat.say("alice", "/note x", minutes=5)
        (answer,) = chat.say("alice", f"/verify all{text}")
        assert "needs what was looked at" in answer
        assert "Type instead: `/verify all TEXT`" in answer
        assert chat.incident.verified == {}

    @pytest.mark.parametrize("checks", ["all", "error-rate, latency"])
    def test_a_text_about_several_checks_is_one_statement(self, checks: str) -> None:
        """Each is ticked, with who and when; the words are kept once, as said of them together."""
        chat = Chat()
        chat.say("alice", f"/verify {checks} signed in on three devices")
        ticked = Verification("alice", at(14, 1))
        assert chat.incident.verified == {"error-rate": ticked, "latency": ticked}
        (said,) = chat.incident.joint
        assert said.text == "signed in on three devices"
        assert set(said.checks) == {"error-rate", "latency"}

    def test_a_check_that_is_verified_anew_is_no_part_of_the_statement(self) -> None:
        """Nor is any once the incident is open again."""
        chat = Chat()
        chat.say("alice", "/verify all signed in on three devices")
        chat.say("bob", "/verify latency p95 at 180 ms")
        assert [said.checks for said in chat.incident.joint] == [("error-rate",)]
        chat.say("bob", "/verify error-rate 0.1%")
        assert chat.incident.joint == ()
        chat.say("alice", "/verify latency, error-rate same\n/resolve")
        chat.say("bob", "/reopen it is back")
        assert chat.incident.joint == ()

    def test_what_is_missing_is_listed_the_shortest_first(self) -> None:
        """So that the eye finds the end of the list."""
        checks = (
            ChecklistItem("Someone walked through the key journeys by hand", "manual-test"),
            ChecklistItem("No alert is firing", "alerts"),
            ChecklistItem("Response times are back to normal", "latency"),
        )
        (answer,) = Chat(checks=checks).say("alice", "/resolve")
        assert "3 checks are open" in answer
        listed = [line for line in answer.split("\n") if line.startswith("- ")]
        assert [line.rpartition(" ")[2] for line in listed] == [
            "alerts`",
            "latency`",
            "manual-test`",
        ]

    def test_a_follow_up_that_is_due_before_it_is_noted_is_a_mistake(self) -> None:
        """It would be overdue at once; the answer has a date that can be kept."""
        chat = Chat()
        (answer,) = chat.say("alice", "/action Alert on depth / @bob / 2026-11-21")
        assert "the due date 2026-11-21 is over" in answer
        assert "`/action Alert on depth / @bob / 2026-11-30`" in answer
        assert chat.say("alice", "/action Alert on depth / @bob / 2026-11-23") == []

    def test_an_unknown_check_is_a_mistake(self) -> None:
        """The answer lists those that there are."""
        (answer,) = Chat().say("alice", "/verify latancy")
        assert "there are `error-rate`, `latency`" in answer
        assert "Type instead: `/verify latency`" in answer

    def test_what_is_no_check_at_all_suggests_one_that_is_open(self) -> None:
        """Never `all`: that would tick what nobody looked at."""
        chat = Chat()
        chat.say("alice", "/verify error-rate")
        assert "Type instead: `/verify latency`" in chat.say("alice", "/verify zzz")[0]

    def test_force_is_for_the_record(self) -> None:
        """It closes, and everybody can see that it was forced, and why."""
        chat = Chat()
        chat.say("alice", "/resolve --force the customer is gone")
        assert chat.incident.forced == "the customer is gone"
        assert chat.timeline == [
            "14:01 alice: resolved without verified recovery -> the customer is gone"
        ]

    def test_force_with_everything_verified_is_no_force(self) -> None:
        """Nothing was skipped."""
        chat = Chat()
        chat.say("alice", "/verify all seen\n/resolve --force just to be sure")
        assert chat.incident.forced is None

    def test_a_team_without_checks_closes_at_once(self) -> None:
        """There is nothing to verify."""
        chat = Chat(checks=())
        assert chat.say("alice", "/resolve") == []
        assert chat.incident.status is Status.RESOLVED

    def test_reopening_begins_anew(self) -> None:
        """Nothing is verified any more, and mitigation and resolution are still to come."""
        chat = Chat()
        chat.say("alice", "/verify all seen\n/resolve")
        chat.say("bob", "/reopen logins fail again")
        incident = chat.incident
        assert incident.status is Status.INVESTIGATING
        assert incident.verified == {}
        assert not {Moment.MITIGATED, Moment.RESOLVED} & incident.times.keys()
        assert chat.say("alice", "/resolve")[0].startswith("Not closed yet")

    def test_a_check_that_the_team_dropped_is_not_waited_for(self) -> None:
        """Only the checks that there are count."""
        chat = Chat(checks=(*CHECKS, ChecklistItem("Queue", "queue")))
        chat.say("alice", "/verify error-rate\n/verify latency\n/resolve")
        assert chat.incident.status is Status.INVESTIGATING
        chat.rules = Chat().rules
        assert chat.incident.status is Status.RESOLVED


class TestTimes:
    """Six times are kept, and each can be corrected."""

    @pytest.mark.parametrize("moment", [m for m in Moment if m is not Moment.RESOLVED])
    def test_each_can_be_corrected(self, moment: Moment) -> None:
        """Whatever it was before."""
        chat = Chat()
        chat.say("alice", f"/time {moment} at 13:30")
        assert chat.incident.times[moment] == at(13, 30)

    def test_the_resolution_can_be_corrected_once_it_is_there(self) -> None:
        """Before that it is a mistake."""
        chat = Chat()
        assert chat.say("alice", "/time resolved at 13:30") != []
        chat.say("alice", "/verify all seen\n/resolve")
        assert chat.say("alice", "/time resolved at 14:02") == []
        assert chat.incident.times[Moment.RESOLVED] == at(14, 2)

    def test_commands_can_be_backdated(self) -> None:
        """The entry stands where it belongs, not where it was typed."""
        chat = Chat()
        chat.say("alice", "/ack", minutes=20)
        chat.say("alice", "/mitigated at 14:10 rollback live")
        assert chat.incident.times[Moment.MITIGATED] == at(14, 10)
        assert chat.timeline == [
            "14:10 alice: mitigated -> rollback live",
            "14:20 alice: acknowledged and took command",
        ]

    @pytest.mark.parametrize(
        ("answer", "started"),
        [
            ("13:50", at(13, 50)),
            ("13:50 UTC", at(13, 50)),
            ("2026-11-22 23:00", at(23) - timedelta(days=1)),
            ("2026-11-23T13:50+01:00", at(12, 50)),
            ("20 min ago", at(13, 40)),
            ("2 hours ago", at(12)),
            ("23:50", at(23, 50) - timedelta(days=1)),
            ("2027-01-01 00:00", DECLARED),
            ("no idea", DECLARED),
            ("99:99", DECLARED),
            ("0" * 5000, DECLARED),
            ("", DECLARED),
        ],
    )
    def test_the_start_is_read_from_the_form(self, answer: str, started: object) -> None:
        """Leniently; what can't be read, or lies in the future, is the declaration's time."""
        incident = Chat({"severity": "SEV1", "started": answer}).incident
        assert incident.times[Moment.STARTED] == started


class TestTheRest:
    """What else is kept."""

    def test_follow_ups(self) -> None:
        """For the postmortem, with an owner and a date."""
        chat = Chat()
        chat.say("alice", "/action Alert on queue depth / @bob / 2026-12-01")
        (item,) = chat.incident.actions
        assert item == ActionItem("Alert on queue depth", "bob", "2026-12-01", "alice", "c101.0")

    def test_updates_are_counted_and_promise_the_next(self) -> None:
        """An update without a promise goes back to the usual rhythm."""
        chat = Chat()
        chat.say("alice", "/update next 20m on it")
        assert chat.incident.next_update == at(14, 21)
        chat.say("alice", "/update still on it")
        assert chat.incident.next_update is None
        assert (chat.incident.updates, chat.incident.last_update) == (2, at(14, 2))

    def test_customer_updates_are_told_apart(self) -> None:
        """They restart no internal clock."""
        chat = Chat()
        chat.say("alice", "/customer Uploads may fail.")
        assert (chat.incident.customer_updates, chat.incident.updates) == (1, 0)
        assert chat.incident.last_update is None

    def test_services_and_cause(self) -> None:
        """Named later, or again."""
        chat = Chat({"services": "api"})
        chat.say("alice", "/service web, worker\n/cause bad deploy")
        assert chat.incident.services == ("web", "worker")
        assert chat.incident.cause == "bad-deploy"

    def test_only_a_command_links_a_fix(self) -> None:
        """What other commands name may be the culprit."""
        chat = Chat()
        chat.say("alice", "/did rolled back #2 -> ok\n/mitigated by reverting #16")
        chat.say("alice", "no command, #99\n\n/note fix in #98\n/update #97 is it")
        assert chat.incident.fixes == ()
        link = "https://github.com/acme/shop/pull/15"
        assert chat.say("alice", f"/fix #12, 13 {link}\n/fix #12") == []
        assert chat.incident.fixes == (12, 13, 15)

    @pytest.mark.parametrize("typed", ["", "it", "#", "#12 soon", "1f1f1f1"])
    def test_a_fix_is_a_pull_request(self, typed: str) -> None:
        """Anything else is answered with what to type."""
        chat = Chat()
        [answer] = chat.say("alice", f"/fix {typed}")
        assert "/fix #" in answer
        assert chat.incident.fixes == ()

    def test_reminders_pause_and_go_on(self) -> None:
        """For a while, or until they are switched on again."""
        chat = Chat()
        chat.say("alice", "/snooze 30m")
        assert chat.incident.snoozed_until == at(14, 31)
        chat.say("alice", "/snooze off")
        assert chat.incident.snoozed_until is None

    def test_a_report_is_confirmed_only_as_long_as_it_is_one(self) -> None:
        """On an incident `/confirm` and `/dismiss` are mistakes."""
        chat = Chat()
        assert "this is an incident already" in chat.say("alice", "/confirm")[0]
        assert "this is an incident already" in chat.say("alice", "/dismiss no")[0]

    def test_a_security_matter(self) -> None:
        """By command or by the form's box."""
        chat = Chat()
        chat.say("alice", "/sensitive")
        assert chat.incident.sensitive
        assert Chat(boxes={"sensitive": ("It is",)}).incident.sensitive
        assert not Chat(boxes={"sensitive": ()}).incident.sensitive

    def test_help_and_runbooks_are_answers(self) -> None:
        """Asked for twice, they come twice: each comment has its own answer."""
        chat = Chat()
        assert chat.say("tess", "/help severity")[0] == "(the page)"
        assert chat.say("tess", "/runbook 502-errors")[0] == "(the page)"
        chat.say("tess", "/help severity")
        assert len(chat.folded.notices) == 3


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (EventKind.LABELED, "deploys-allowed"),
        (EventKind.LABELED, "drill"),
        (EventKind.LABELED, "sev3"),
        (EventKind.LABELED, "service:other"),
    ],
)
def test_labels_by_hand_need_what_their_command_needs(kind: EventKind, label: str) -> None:
    """Somebody who may only triage can't thaw by label what they can't thaw by command."""
    chat = Chat()
    said = chat.by_hand("tess", kind, label)
    assert chat.incident.freezes
    assert chat.incident.severity is Severity.SEV1
    assert chat.incident.services == ()
    assert "needs write access" in said[0]
    assert chat.by_hand("tess", kind, label) == []


def test_a_writer_marks_a_drill_by_hand_and_takes_it_back() -> None:
    """The label counts as long as somebody who may thaw has set it."""
    chat = Chat()
    chat.by_hand("bob", EventKind.LABELED, "drill")
    assert chat.incident.drill
    assert not chat.incident.freezes
    chat.by_hand("bob", EventKind.UNLABELED, "drill")
    assert chat.incident.freezes


def test_other_bots_do_not_speak_for_ours() -> None:
    """A bot that repeats what people write repeats markers, too."""
    history = tuple(
        Comment(
            id, Actor(login, bot=True), f"x\n\n{voice.marker('reply', '5.ab')}", DECLARED, DECLARED
        )
        for id, login in ((1, "translator[bot]"), (2, "our-app[bot]"))
    )
    label = TimelineEvent(
        3, EventKind.LABELED, Actor("our-app[bot]", bot=True), DECLARED, "status:monitoring"
    )
    alone = Observation(an_issue(), history, "github-actions[bot]")
    assert alone.own.by_name == {}
    known = Observation(an_issue(), (*history, label), "github-actions[bot]")
    assert [comment.id for comment in known.own.by_name.values()] == [2]


def test_a_crowd_of_strangers_is_not_answered_one_by_one() -> None:
    """The thread stays readable for those who work in it."""
    chat = Chat()
    answers = [chat.say(f"stranger-{turn}", "/thaw") for turn in range(15)]
    assert sum(bool(answer) for answer in answers) == MOST_REFUSED
