"""Every command: the forms that are understood, and what is said about the others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from incident_actions.domain.issue.incident import Moment, Role, Severity, Status
from incident_actions.domain.timeline.commands import BY_NAME, REGISTRY
from incident_actions.domain.timeline.commands.base import Command
from incident_actions.domain.timeline.commands.freeze import Allow, FreezeDeploys, ThawDeploys
from incident_actions.domain.timeline.commands.pages import Help, ShowRunbook
from incident_actions.domain.timeline.commands.record import (
    AddAction,
    CustomerUpdate,
    Did,
    Note,
    SetCause,
    SetServices,
    Update,
)
from incident_actions.domain.timeline.commands.reports import Confirm, Dismiss
from incident_actions.domain.timeline.commands.roles import Ack, AssignRole, SetSeverity
from incident_actions.domain.timeline.commands.settings import Sensitive, Snooze
from incident_actions.domain.timeline.commands.status import (
    Mitigated,
    Reopen,
    Resolve,
    SetStatus,
    SetTime,
    Verify,
)
from incident_actions.domain.timeline.parser import MisreadLine, TakenLine, read_comment

TYPED = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def read(text: str) -> TakenLine | MisreadLine:
    """The one command of a comment."""
    (found,) = read_comment(text, TYPED)
    return found


def taken(text: str) -> Command:
    found = read(text)
    assert isinstance(found, TakenLine), found
    return found.command


def misread(text: str) -> MisreadLine:
    found = read(text)
    assert isinstance(found, MisreadLine), found
    return found


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/ack", Ack()),
        ("/ACK", Ack()),
        ("/Ack.", Ack()),
        ("/ack!", Ack()),
        ("/ ack", Ack()),
        ("/ack on it, laptop is booting", Ack()),
        ("/role commander @bea", AssignRole(Role.COMMANDER, "bea")),
        ("/role comms bea", AssignRole(Role.COMMS, "bea")),
        ("/role scribe", AssignRole(Role.SCRIBE, None)),
        ("/role scribe me", AssignRole(Role.SCRIBE, None)),
        ("/role Scribe @me", AssignRole(Role.SCRIBE, None)),
        ("/role ic @bea", AssignRole(Role.COMMANDER, "bea")),
        ("/role investigator @bea,", AssignRole(Role.INVESTIGATOR, "bea")),
        ("/role comms @dependabot[bot]", AssignRole(Role.COMMS, "dependabot")),
        ("/severity sev2", SetSeverity(Severity.SEV2, "")),
        ("/severity SEV-1 everybody", SetSeverity(Severity.SEV1, "everybody")),
        ("/severity sev 3, only one", SetSeverity(Severity.SEV3, "only one")),
        ("/severity Sev1", SetSeverity(Severity.SEV1, "")),
        ("/severity 2", SetSeverity(Severity.SEV2, "")),
        ("/severity “sev2” typographic", SetSeverity(Severity.SEV2, "typographic")),
        ("/severity sev‑2", SetSeverity(Severity.SEV2, "")),
        ("/severity\u00a0sev2", SetSeverity(Severity.SEV2, "")),
        ("/severity: sev2", SetSeverity(Severity.SEV2, "")),
        ("/status identified", SetStatus(Status.IDENTIFIED, "")),
        ("/status Monitoring looks calm", SetStatus(Status.MONITORING, "looks calm")),
        ("/status `investigating`", SetStatus(Status.INVESTIGATING, "")),
        ("/note queue at 12,000", Note("queue at 12,000")),
        ("/note it’s “odd”", Note('it\'s "odd"')),
        ("/did rollback -> errors falling", Did("rollback", "errors falling")),
        ("/did rollback → errors falling", Did("rollback", "errors falling")),
        ("/did rollback => errors falling", Did("rollback", "errors falling")),
        ("/did a -> b -> c", Did("a", "b -> c")),
        ("/did restarted the workers", Did("restarted the workers", "")),
        ("/update scaled", Update("scaled", None)),
        ("/update next 20m scaled", Update("scaled", timedelta(minutes=20))),
        ("/update next in 1h30m scaled", Update("scaled", timedelta(minutes=90))),
        ("/update scaled, next 45 min", Update("scaled", timedelta(minutes=45))),
        ("/update scaled (next in 2h)", Update("scaled", timedelta(hours=2))),
        ("/update what next 3 of us do", Update("what next 3 of us do", None)),
        ("/customer Uploads may fail.", CustomerUpdate("Uploads may fail.")),
        ("/mitigated", Mitigated("")),
        ("/mitigated rollback is live", Mitigated("rollback is live")),
        ("/verify all", Verify("all", "")),
        ("/verify Error-Rate 0.1% for 10 min", Verify("error-rate", "0.1% for 10 min")),
        ("/verify `latency`", Verify("latency", "")),
        ("/resolve", Resolve("", force=False)),
        ("/resolve stable", Resolve("stable", force=False)),
        ("/resolve --force no way to test", Resolve("no way to test", force=True)),
        ("/resolve —force no way to test", Resolve("no way to test", force=True)),
        ("/reopen it is back", Reopen("it is back")),
        ("/freeze", FreezeDeploys("")),
        ("/freeze until checked", FreezeDeploys("until checked")),
        ("/thaw only the newsletter", ThawDeploys("only the newsletter")),
        ("/allow #57 the fix", Allow(None, 57, timedelta(hours=2), "the fix")),
        ("/allow PR 57 the fix", Allow(None, 57, timedelta(hours=2), "the fix")),
        ("/allow pr #57 the fix", Allow(None, 57, timedelta(hours=2), "the fix")),
        ("/allow 4F2A9C1 for 1h the fix", Allow("4f2a9c1", None, timedelta(hours=1), "the fix")),
        ("/allow `4f2a9c1` the fix", Allow("4f2a9c1", None, timedelta(hours=2), "the fix")),
        ("/allow #5 for the fix", Allow(None, 5, timedelta(hours=2), "for the fix")),
        ("/allow #5 for 5xx errors", Allow(None, 5, timedelta(hours=2), "for 5xx errors")),
        ("/allow #5 for 3 customers", Allow(None, 5, timedelta(hours=2), "for 3 customers")),
        ("/allow #5 for 3 minor bugs", Allow(None, 5, timedelta(hours=2), "for 3 minor bugs")),
        (
            "/allow https://github.com/acme/shop/pull/57 for 30m fix",
            Allow(None, 57, timedelta(minutes=30), "fix", repositories=("acme/shop",)),
        ),
        (
            "/allow https://github.com/acme/shop/commit/4f2a9c14f2a9c1 fix",
            Allow("4f2a9c14f2a9c1", None, timedelta(hours=2), "fix"),
        ),
        (
            "/action Alert on depth / @bea / 2026-12-01",
            AddAction("Alert on depth", "bea", date(2026, 12, 1)),
        ),
        (
            "/action Fix a / b in c / bea / 2026-12-01",
            AddAction("Fix a / b in c", "bea", date(2026, 12, 1)),
        ),
        ("/action Alert/@bea/2026-12-01.", AddAction("Alert", "bea", date(2026, 12, 1))),
        ("/snooze for half an hour", Snooze(timedelta(minutes=30))),
        ("/cause Bad Deploy", SetCause("bad-deploy")),
        ("/service api, Worker", SetServices(("api", "worker"))),
        ("/service [api, worker]", SetServices(("api", "worker"))),
        ('/service `api`, "worker"', SetServices(("api", "worker"))),
        ("/service api worker api", SetServices(("api", "worker"), spaced=True)),
        ("/service all", SetServices(())),
        ("/snooze 30m", Snooze(timedelta(minutes=30))),
        ("/snooze 1h", Snooze(timedelta(hours=1))),
        ("/snooze off", Snooze(None)),
        ("/sensitive", Sensitive()),
        ("/confirm", Confirm()),
        ("/dismiss planned", Dismiss("planned")),
        ("/runbook 502-errors", ShowRunbook("502-errors")),
        ("/runbook 502 errors", ShowRunbook("502-errors")),
        ("/help", Help("")),
        ("/help severity", Help("severity")),
    ],
)
def test_what_people_type_is_understood(text: str, command: Command) -> None:
    """Case, typography and small words are forgiven."""
    assert taken(text) == command


@pytest.mark.parametrize(
    ("text", "reason", "suggestion"),
    [
        ("/akc", "there is no such command", "/ack"),
        ("/sevrity sev2", "there is no such command", "/severity"),
        ("/severity sev9 all", "there are three severities", "/severity sev1"),
        ("/severity sev3 or sev2", "one severity is needed", "/severity sev2"),
        ("/severity sev2 or higher", "one severity is needed", "/severity sev1"),
        ("/severity sev1 or lower", "one severity is needed", "/severity sev1"),
        ("/sev2", "there is no such command", "/severity sev2"),
        ("/sev-1 all", "there is no such command", "/severity sev1"),
        ("/deploy now", "there is no such command", "/help"),
        ("/role", "the role (", "/role commander|investigator|comms|scribe"),
        ("/role boss @x", "`boss` is no role", "/role commander|investigator|comms|scribe @x"),
        ("/role comander @bea", "`comander` is no role", "/role commander @bea"),
        ("/role comms @be@a", "`@be@a` is no GitHub login", "/role comms @user"),
        ("/severity", "the severity is missing", "/severity sev1"),
        ("/severity high", "`high` is no severity", "/severity sev1"),
        ("/severity sev4", "there are three severities", "/severity sev1"),
        ("/severity 0", "there are three severities", "/severity sev1"),
        ("/severity 99999999999999999999", "there are three severities", "/severity sev1"),
        ("/status", "the status (", "/status investigating|identified|monitoring"),
        ("/status zzz", "`zzz` is no status", "/status investigating|identified|monitoring"),
        ("/status identfied", "`identfied` is no status", "/status identified"),
        ("/status resolved", "resolving has its own command", "/resolve"),
        ("/status closed", "resolving has its own command", "/resolve"),
        ("/time", "the time (", "/time "),
        ("/time started", "the time itself is missing", "/time started at 14:02"),
        ("/time started at 25:00", "is no time of day", "/time started at 14:02"),
        ("/time /begun at 25:00", "is no time of day", "/time /begun at 14:02"),
        ("/time begun at 14:02", "`begun` is no time", "/time started|detected|"),
        ("/note", "the note is missing", "/note TEXT"),
        ("/did", "what was done is missing", "/did ACTION -> RESULT"),
        ("/did -> better", "the action before the arrow is missing", "/did ACTION -> better"),
        ("/update", "the update is missing", "/update next 20m scaling workers"),
        ("/update next 20m", "the update is missing", "/update "),
        ("/update next 25h still on it", "24 hours away at most", "/update next 20m"),
        ("/customer", "the update is missing", "/customer TEXT"),
        ("/verify", "the check's name, or `all` is missing", "/verify error-rate"),
        ("/resolve --force", "`--force` needs a reason", "/resolve --force REASON"),
        ("/reopen", "the reason is missing", "/reopen REASON"),
        ("/thaw", "the reason is missing", "/thaw REASON"),
        ("/allow", "the commit or pull request is missing", "/allow #57 for 2h REASON"),
        ("/allow it", "`it` is neither a commit", "/allow #57 for 2h REASON"),
        ("/allow #57", "the reason is missing", "/allow "),
        ("/allow #57 for 2h", "the reason is missing", "/allow "),
        ("/allow #57 for 25h fix", "24 hours at most", "/allow "),
        ("/allow #57 for 99999h fix", "`99999h fix` is no time", "/allow "),
        ("/allow #57 for 1w fix", "is no time", "/allow "),
        ("/allow #57 for 2 weeks fix", "is no time", "/allow "),
        ("/allow #57 for 99999 hours fix", "is no time", "/allow "),
        ("/allow abcdef fix", "`abcdef` is neither a commit", "/allow #57"),
        ("/action", "the follow-up is missing", "/action TEXT / @owner / DATE"),
        ("/action Do it", "a text, an owner and a due date", "/action Do it / @owner / 2026-12-01"),
        ("/action Do it / @bea", "a text, an owner and a due date", "/action Do it"),
        ("/action Do it / @bea / soon", "`soon` is no date", "/action Do it / @owner"),
        ("/action Do it / @bea / 2026-02-30", "`2026-02-30` is no date", "/action Do it"),
        ("/action Do it / @bea / 9999-12-31", "`9999-12-31` is no date", "/action Do it"),
        ("/action Do it / @bea / 0001-01-01", "`0001-01-01` is no date", "/action Do it"),
        ("/action Do it / bea, tom / 2026-12-01", "one owner", "/action Do it / @owner"),
        ("/action Do it / b@a / 2026-12-01", "is no GitHub login", "/action @user"),
        ("/cause", "the cause is missing", "/cause NAME"),
        ("/cause ???", "the cause must be a short name", "/cause NAME"),
        ("/service", "the services is missing", "/service api"),
        ("/snooze", "how long is missing", "/snooze 30m"),
        ("/snooze a while", "how long is missing", "/snooze 30m"),
        ("/snooze 0m", "longer than zero", "/snooze"),
        ("/snooze 25h", "24 hours at most", "/snooze 24h"),
        ("/dismiss", "the reason is missing", "/dismiss REASON"),
        ("/runbook", "the runbook's name is missing", "/runbook NAME"),
        ("/runbook ../../etc/passwd", "must be a short name", "/runbook NAME"),
    ],
)
def test_a_mistake_gets_its_reason_and_what_to_type_instead(
    text: str, reason: str, suggestion: str
) -> None:
    """Never silence: the line, why it was not taken, and a line that would be."""
    found = misread(text)
    assert reason in found.reason
    assert found.suggestion.startswith(suggestion)
    assert found.typed.startswith(text.split()[0])


@pytest.mark.parametrize("text", ["/var/log is full", "/", "//", "/ 5 of us", "/-x", "/5", "/a/b"])
def test_a_path_gets_no_answer(text: str) -> None:
    """The bot doesn't lecture about lines that nobody meant for it."""
    assert read_comment(text, TYPED) == ()


def test_several_commands_in_one_comment_are_read_in_order() -> None:
    """Each line is its own command; the text between them is nobody's business."""
    found = read_comment("Hi\n/ack\nso far so good\n/severity sev2\n/foo", TYPED)
    assert [line.line for line in found] == [2, 4, 5]
    assert [type(line) for line in found] == [TakenLine, TakenLine, MisreadLine]


def test_commands_beyond_fifty_are_refused_in_one_line() -> None:
    """A comment with more is no work of a person's, and the answer stays short."""
    found = read_comment("\n".join(f"/note {n}" for n in range(80)), TYPED)
    assert len(found) == 51
    assert isinstance(found[-1], MisreadLine)
    assert "50 commands" in found[-1].reason
    assert all(isinstance(line, TakenLine) for line in found[:-1])


@pytest.mark.parametrize("kind", REGISTRY, ids=lambda kind: kind.name)
def test_a_command_that_is_more_than_its_name_reads_the_rest(kind: type[Command]) -> None:
    """What stands behind the others is not looked at."""
    own = any("read" in vars(base) for base in kind.__mro__ if base is not Command)
    assert own == (" " in kind.syntax)


@pytest.mark.parametrize("kind", REGISTRY, ids=lambda kind: kind.name)
def test_the_example_of_each_command_is_taken(kind: type[Command]) -> None:
    """What `/help` and the README tell people to type works."""
    found = read(kind.example)
    assert isinstance(found, TakenLine)
    assert type(found.command) is kind
    assert kind.syntax.startswith(f"/{kind.name}")
    assert kind.summary.endswith((".", "`."))


def test_each_command_has_one_name() -> None:
    """The registry has no doubles, so that `/help` is right about each."""
    assert len(BY_NAME) == len(REGISTRY)
    assert "nothing" not in BY_NAME


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("/ack at 14:02", (23, 14, 2)),
        ("/ack at 14:30", (23, 14, 30)),
        ("/ack at 14:31", (22, 14, 31)),
        ("/ack at 23:59", (22, 23, 59)),
        ("/ack at 0:05", (23, 0, 5)),
        ("/ack AT 9:05 UTC", (23, 9, 5)),
        ("/ack at 9:05Z", (23, 9, 5)),
        ("/ack at 14:02, sorry", (23, 14, 2)),
        ("/ack at 14:02: sorry", (23, 14, 2)),
        ("/ack at 2026-11-22T08:00Z", (22, 8, 0)),
        ("/ack at 2026-11-22 08:00", (22, 8, 0)),
        ("/ack at 2026-11-22 8:00 UTC", (22, 8, 0)),
        ("/ack at 2026-11-22T10:00+02:00", (22, 8, 0)),
        ("/ack at 2026-11-22T08:00:59Z", (22, 8, 0, 59)),
        ("/mitigated at 14:02 rollback is live", (23, 14, 2)),
        ("/severity sev2 at 14:02 fewer", (23, 14, 2)),
        ("/severity at 14:02 sev2 fewer", (23, 14, 2)),
        ("/status identified at 14:02", (23, 14, 2)),
        ("/verify all at 14:02", (23, 14, 2)),
        ("/role comms at 14:02 @bea", (23, 14, 2)),
        ("/time started at 13:58", (23, 13, 58)),
        ("/did at 14:02 rollback -> ok", (23, 14, 2)),
    ],
)
def test_at_backdates_to_the_nearest_past(text: str, at: tuple[int, ...]) -> None:
    """A clock time is UTC and lies in the last 24 hours; a full one says its day itself."""
    found = read(text)
    assert isinstance(found, TakenLine)
    day, *clock = at
    assert found.at == datetime(2026, 11, day, *clock, tzinfo=UTC)
    assert found.backdated


def test_the_time_is_no_part_of_the_text() -> None:
    """What is left after the time is the command as if it had none."""
    assert taken("/mitigated at 14:02 rollback is live") == Mitigated("rollback is live")
    assert taken("/severity sev2 at 14:02 fewer") == SetSeverity(Severity.SEV2, "fewer")
    assert taken("/time mitigated at 14:02") == SetTime(Moment.MITIGATED)


@pytest.mark.parametrize(
    "text", ["/note met at noon", "/note at 5 % load", "/did at14:02 x", "/note see you at 14:02"]
)
def test_a_text_that_only_looks_like_a_time_stays_text(text: str) -> None:
    """Only `at` and a clock, right after the command, backdate."""
    found = read(text)
    assert isinstance(found, TakenLine)
    assert not found.backdated
    assert found.at == TYPED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/ack at 25:00", "`25:00` is no time of day"),
        ("/ack at 3 o'clock", "can't be read as a time"),
        ("/ack at 14:75", "`14:75` is no time of day"),
        ("/ack at 2026-11-24T08:00Z", "in the future"),
        ("/ack at 2026-11-23T14:30:01Z", "in the future"),
        ("/ack at 2026-13-01T08:00Z", "is no date and time"),
        ("/ack at 2026-02-30 08:00", "is no date and time"),
        ("/ack at 0001-01-01T00:00+23:59", "is no date and time"),
    ],
)
def test_a_time_that_cannot_be_is_a_mistake(text: str, reason: str) -> None:
    """The answer says why, and shows how a time is typed."""
    found = misread(text)
    assert reason in found.reason
    assert found.suggestion.startswith("/ack at ")


def test_commands_about_the_present_take_no_time() -> None:
    """`at` in `/allow`, `/snooze` and their like is text."""
    assert taken("/allow #57 at 14:02 it was the fix") == Allow(
        None, 57, timedelta(hours=2), "at 14:02 it was the fix"
    )


def test_a_time_across_midnight_is_yesterdays() -> None:
    """At 00:10 `at 23:50` was twenty minutes ago."""
    midnight = datetime(2026, 11, 23, 0, 10, tzinfo=UTC)
    (found,) = read_comment("/ack at 23:50", midnight)
    assert isinstance(found, TakenLine)
    assert midnight - found.at == timedelta(minutes=20)


def test_what_is_quoted_back_is_short() -> None:
    """The start of the line is enough to know it by."""
    (found,) = read_comment("/foo " + "x" * 500, TYPED)
    assert isinstance(found, MisreadLine)
    assert found.typed == "/foo " + "x" * 55
