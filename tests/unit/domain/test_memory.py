"""What is remembered: permissions, the state block, ticks, and the bot's own words."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.issue.observation import (
    Actor,
    Comment,
    Deed,
    EventKind,
    Judged,
    Observation,
    Permission,
    Permissions,
    marker,
)
from incident_actions.domain.playbook.checklist import (
    ChecklistItem,
    ChecklistSection,
    ticked_by_people,
)
from incident_actions.domain.projection.state import State, read_state, write_state
from incident_actions.domain.timeline.interpreter import (
    Notice,
    NoticeKind,
    outdated,
    reply,
    unposted,
)
from tests.unit.domain.chat import BOT, DECLARED, Chat, an_issue


def deed(number: int, login: str = "alice", minutes: int = 0) -> Deed:
    """What somebody did so many minutes after the declaration."""
    return Deed(f"c{number}", login, DECLARED + timedelta(minutes=minutes))


class TestPermissions:
    """Each deed is judged once, when it is first seen."""

    def test_what_was_judged_stays(self) -> None:
        """Leaving the team takes nothing back, joining it makes nothing up."""
        before, after = deed(1), deed(2, minutes=60)
        known = Permissions()
        known.judge(before, Permission.WRITE)
        known.judge(after, Permission.NONE)
        again = Permissions(known.dump([before, after], []))
        assert [again.of(each) for each in (before, after)] == [Permission.WRITE, Permission.NONE]
        assert not again.is_open(before)

    def test_a_deleted_account_keeps_what_it_did(self) -> None:
        """GitHub shows it as `ghost`; the deed is the same one."""
        known = Permissions()
        known.judge(deed(1), Permission.WRITE)
        again = Permissions(known.dump([deed(1)], []))
        assert again.of(deed(1, "ghost")) is Permission.WRITE
        assert not again.is_open(deed(1, "ghost"))

    def test_an_old_refusal_is_no_question_any_more(self) -> None:
        """Whoever joins the team later is not obeyed for what they wrote as a stranger."""
        known = Permissions()
        for each in (deed(1, "eve"), deed(2, minutes=60)):
            known.judge(each, Permission.NONE if each.login == "eve" else Permission.WRITE)
        judged = known.dump([deed(1, "eve"), deed(2, minutes=60)], [])
        assert judged is not None
        assert judged.deeds == {"write": ("c2",)}  # strangers do not make the state grow
        again = Permissions(judged)
        assert not again.is_open(deed(1, "eve"))
        assert again.of(deed(1, "eve")) is Permission.NONE

    def test_a_deed_that_github_shows_late_is_judged(self) -> None:
        """Lists may lack a comment for a while although a younger one is there."""
        known = Permissions()
        known.judge(deed(2, minutes=60), Permission.WRITE)
        again = Permissions(known.dump([deed(2, minutes=60)], []))
        assert again.is_open(deed(1, minutes=58))
        assert not again.is_open(deed(1, minutes=50))

    def test_a_deed_that_waits_is_judged_by_a_later_run(self) -> None:
        """One run does not ask about any number of people; what it left stays a question."""
        known = Permissions()
        waiting, judged = deed(1, "eve"), deed(2, minutes=60)
        known.judge(judged, Permission.WRITE)
        again = Permissions(known.dump([waiting, judged], []))
        assert again.is_open(waiting)
        assert again.of(judged) is Permission.WRITE

    def test_recent_refusals_are_kept_up_to_a_number(self) -> None:
        """Else each run would ask again about everybody who just wrote."""
        many = [deed(n, f"eve{n}") for n in range(150)]
        known = Permissions()
        for each in many:
            known.judge(each, Permission.READ)
        judged = known.dump(many, [])
        assert judged is not None
        assert len(judged.deeds["read"]) == Permissions.MOST_REFUSED

    def test_the_unknown_may_nothing(self) -> None:
        """And are known to be unknown."""
        assert Permissions().of(deed(1, "eve")) is Permission.NONE
        assert Permissions().of_person("eve") is Permission.NONE
        assert not Permissions().knows("eve")

    def test_people_who_were_named_are_remembered_while_they_are(self) -> None:
        """Those whom nobody names any more are forgotten."""
        known = Permissions()
        known.learn("Alice", Permission.WRITE)
        known.learn("Bob", Permission.READ)
        again = Permissions(known.dump([], ["ALICE"]))
        assert again.of_person("alice") is Permission.WRITE
        assert not again.knows("bob")


def state(**facts: object) -> State:
    it = Chat().incident
    known = {name: getattr(it, name) for name in Incident.__struct_fields__ if name != "timeline"}
    return State(v=1, number=7, **{**known, **facts})


class TestState:
    """JSON in an HTML comment, and only a cache."""

    def test_it_comes_back(self) -> None:
        """Everything but the timeline, which is GitHub's to keep."""
        chat = Chat({"severity": "SEV2", "services": "api"})
        chat.say(
            "alice", "/ack\n/verify all seen\n/allow #5 x\n/action A / @bob / 2026-12-01\n/freeze y"
        )
        it = chat.incident
        known = {n: getattr(it, n) for n in Incident.__struct_fields__ if n != "timeline"}
        judged = Judged(DECLARED, {"write": ("c1",)})
        whole = State(v=1, number=7, **known, posted=("reply 1",), judged=judged)
        assert read_state(write_state(whole), 7) == whole

    @settings(max_examples=200)
    @given(
        st.text()
        | st.sampled_from(["-->", "--!>", "<!--", "<script>", "--", "\u2028", "\n", "\ud800"])
    )
    def test_no_text_can_end_the_comment(self, text: str) -> None:
        """Whatever people typed, the block is one line that HTML does not see through."""
        text = text.encode("utf-8", "replace").decode()
        whole = state(posted=(text,), cause=text)
        line = write_state(whole)
        assert not set("<>\n") & set(line)
        assert "--" not in line
        assert read_state(line, 7) == whole

    @pytest.mark.parametrize(
        "text",
        [
            None, "", "{}", "null", "[]", "nonsense", '{"v":1}', '{"v":1,"number":7}', "{" * 9_000,
            '{"v":1,"number":"7","status":"resolved","severity":"sev1"}', "\ud800", "\0",
        ],
    )  # fmt: skip
    def test_nonsense_is_as_good_as_nothing(self, text: str | None) -> None:
        """A cache that can't be read is made anew."""
        assert read_state(text, 7) is None

    def test_another_version_is_not_believed(self) -> None:
        """Nor is a state that was copied from another issue."""
        line = write_state(state())
        assert read_state(line, 7) is not None
        assert read_state(line, 8) is None
        assert read_state(line.replace('"v":1', '"v":2'), 7) is None

    def test_unknown_keys_are_left_alone(self) -> None:
        """An older program reads what a newer one wrote."""
        more = {**json.loads(write_state(state())), "later": {"x": 1}}
        assert read_state(json.dumps(more), 7) == state()


CHECKLIST = (
    ChecklistSection(
        "A", (ChecklistItem("Name a commander", "commander"), ChecklistItem("Read the logs", ""))
    ),
)


class TestTicks:
    """Ticks by people survive; those of the bot are its own."""

    def test_what_the_bot_ticked_is_not_the_peoples(self) -> None:
        """So it may be unticked when the bot no longer sees it."""
        boxes = {"Name a commander": True, "Read the logs": True}
        assert ticked_by_people(boxes, CHECKLIST, ["commander"], ()) == ("Read the logs",)

    def test_a_tick_that_was_the_peoples_first_stays_theirs(self) -> None:
        """Also once the bot sees the fact, too."""
        before = ticked_by_people({"Name a commander": True}, CHECKLIST, [], ())
        assert before == ("Name a commander",)
        assert (
            ticked_by_people({"Name a commander": True}, CHECKLIST, ["commander"], before) == before
        )

    def test_unticking_counts(self) -> None:
        """People may change their minds."""
        assert ticked_by_people({"Read the logs": False}, CHECKLIST, [], ["Read the logs"]) == ()

    def test_a_box_that_is_not_shown_keeps_its_tick(self) -> None:
        """A dashboard that has no room for the checklist forgets nothing."""
        assert ticked_by_people({}, CHECKLIST, [], ["Read the logs"]) == ("Read the logs",)


def said(text: str, who: Actor = BOT, id: int = 1) -> Comment:
    return Comment(id, who, text, DECLARED, DECLARED)


def heard(*comments: Comment) -> Observation:
    return Observation(an_issue(), comments, BOT.login)


class TestVoice:
    """The bot knows its own words by their markers, and only its own."""

    MARK = marker("reply", "5.abc")

    def test_a_marker_at_the_end_names_a_comment(self) -> None:
        """Once for each kind and key."""
        own = heard(said(f"Hello\n\n{self.MARK}\n")).own.by_name
        assert list(own) == ["reply 5.abc"]

    @pytest.mark.parametrize("who", [Actor("eve"), Actor("github-actions"), Actor("alice")])
    def test_markers_that_people_type_do_not_count(self, who: Actor) -> None:
        """Else anybody could make the bot believe that it has spoken."""
        assert heard(said(f"Hello\n\n{self.MARK}", who)).own.by_name == {}

    def test_a_marker_in_the_middle_does_not_count(self) -> None:
        """The bot quotes people; its own marker is the last thing it says."""
        assert heard(said(f"> {self.MARK}\n\nwhat is that?")).own.by_name == {}

    def test_doubles_are_all_but_the_oldest(self) -> None:
        """Two runs at the same time may have said the same."""
        it = heard(
            said(self.MARK, id=1), said(self.MARK, id=4), said(self.MARK, Actor("eve"), id=5)
        )
        assert it.own.by_name["reply 5.abc"].id == 1
        assert it.own.doubles == {4: "reply 5.abc"}

    def test_only_what_was_never_said_is_said(self) -> None:
        """Also when somebody deleted the comment since: the state remembers."""
        wanted = (Notice(NoticeKind.REFUSED, "eve"), Notice(NoticeKind.REPLY, "5.abc"))
        assert unposted(wanted, {"reply 5.abc"}) == (Notice(NoticeKind.REFUSED, "eve"),)

    def test_answers_go_when_what_they_answer_goes(self) -> None:
        """Other words stay."""
        own = {"reply 5.abc": said(""), "refused eve": said(""), "held 7": said("")}
        assert outdated((Notice(NoticeKind.REFUSED, "eve"),), own) == ("reply 5.abc",)

    def test_an_answer_without_anything_to_say_is_none(self) -> None:
        """Silence."""
        assert reply("5", "alice") == ()


class TestTrust:
    """The bot trusts its own earlier decision."""

    def test_a_status_label_by_the_bot(self) -> None:
        """It sets one only for incidents of the team's."""
        chat = Chat()
        assert not heard().accepted_before
        chat.by_hand("eve", EventKind.LABELED, "status:investigating")
        assert not Observation(chat.issue, tuple(chat.history), BOT.login).accepted_before
        chat.by_hand(BOT.login, EventKind.LABELED, "Status:investigating")
        assert Observation(chat.issue, tuple(chat.history), BOT.login).accepted_before

    def test_another_label_by_the_bot(self) -> None:
        """Says nothing: it labels reports, too."""
        chat = Chat()
        chat.by_hand(BOT.login, EventKind.LABELED, "needs-confirmation")
        assert not Observation(chat.issue, tuple(chat.history), BOT.login).accepted_before


def test_reading_twice_changes_nothing() -> None:
    """The fold is a function: the same history, the same incident, whenever it is read."""
    chat = Chat()
    chat.say("alice", "/ack\n/foo\n/severity sev2")
    assert chat.folded == chat.folded
    later = replace(chat.issue, updated_at=chat.issue.updated_at + timedelta(days=9))
    before = chat.incident
    chat.issue = later
    assert chat.incident == before
