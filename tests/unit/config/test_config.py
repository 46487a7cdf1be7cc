"""The configuration: every key optional, every mistake told at once, with where it stands."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_actions.config import Config, read_config, schema
from incident_actions.domain.issue.incident import Role
from incident_actions.domain.issue.observation import Permission
from incident_actions.domain.reminders.kinds import ReminderKind
from incident_actions.domain.text.times import read_duration_or_off
from incident_actions.errors import ConfigError

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def problems(text: str) -> list[str]:
    """What is said about a file."""
    with pytest.raises(ConfigError) as raised:
        read_config(text)
    assert raised.value.exit_code == 2
    assert str(raised.value).startswith(".github/incident.yml: ")
    assert all(problem in str(raised.value) for problem in raised.value.problems)
    return raised.value.problems


@pytest.mark.parametrize("text", [None, "", "\n", "# nothing yet\n", "---\n", "{}", "version: 1"])
def test_no_file_and_an_empty_one_are_all_defaults(text: str | None) -> None:
    """A team starts without any."""
    assert read_config(text) == Config()


def test_a_whole_file() -> None:
    """What a team would write."""
    config = read_config(
        """
        version: 1
        bot: acme-incidents[bot]
        form: .github/ISSUE_TEMPLATE/outage.yml
        roles: {comms: "@bea", scribe: tom}
        permissions: {note: write, freeze: admin}
        verification: {successes: 5, minutes: 15, allow-private: true}
        reminders:
          backup: "@tom"
          no-commander: {after: 10m, every: off}
          internal-update: {sev1: 20m, sev3: off}
        """
    )
    assert config.bot == "acme-incidents[bot]"
    assert config.roles_at(NOON) == {Role.COMMS: "bea", Role.SCRIBE: "tom"}
    assert config.needs() == {"note": Permission.WRITE, "freeze": Permission.ADMIN}
    assert config.verification.allow_private
    policy = config.reminders.policy()
    assert set(policy.timings[ReminderKind.NO_COMMANDER].after.values()) == {timedelta(minutes=10)}
    assert set(policy.timings[ReminderKind.NO_COMMANDER].every.values()) == {None}


def test_every_mistake_is_told_at_once() -> None:
    """Each with its key path, so that one attempt is enough."""
    found = problems(
        """
        verison: 1
        bot: no login at all
        form: 7
        freeze: {enviroments: [production], environments: [1, ok, ""]}
        roles: [alice]
        permissions: {note: owner}
        verification: {successes: many, minutes: -1}
        """
    )
    paths = [problem.split(":")[0] for problem in found]
    assert sorted(paths) == [
        "bot",
        "form",
        "freeze.enviroments",
        "freeze.environments[0]",
        "freeze.environments[2]",
        "permissions.note",
        "roles",
        "verification.minutes",
        "verification.successes",
        "verison",
    ]
    assert "verison: unknown key, did you mean `version`?" in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("7", "must be a mapping"),
        ("[a]", "must be a mapping"),
        ("just words", "must be a mapping"),
        ("version: 2", "version: "),
        ("version: yes", "version: must be a number, not text"),
        ("services: api", "services: must be a list, not text: write its entries below it, each "),
        ("roles: [alice]", "roles: must be a mapping, not a list: write `key: value` lines below"),
        ("bot:", "bot: must be text, not empty"),
        ("date-order: dmy", "date-order: must be one of `day-first`, `month-first`"),
        ("nothing: 1", "nothing: unknown key; known are version, "),
        ("1: x", "1: unknown key"),
        ("null: x", "unknown key"),
        ("permissions: {nope: write}", "permissions.nope: there is no such command"),
        ("permissions: {note: 1}", "permissions.note: "),
        ("permissions: []", "permissions: "),
        ("roles: {boss: alice}", "roles.boss: unknown key"),
        ("roles: {comms: a b}", "roles.comms: "),
        ("form: ''", "form: "),
        ("a: [1", "line 1, column "),
        ("a: b: c", "line 1, column 5: "),
        ("\tversion: 1", "line 1, column 1: "),
        ("a: !!python/object:os.system x", "line 1"),
        ("a: &x [*x]", "a: unknown key"),
        ("reminders: {tick: 5m}", "reminders.tick: unknown key"),
        (
            "reminders: {watch: sev4}",
            "reminders.watch: `sev4` must be severities like `sev1, sev2`",
        ),
        ("reminders: {watch: true}", "reminders.watch: "),
        ("reminders: {watch-rests: 0m}", "reminders.watch-rests: "),
        ("reminders: {stalled: {after: soon}}", "reminders.stalled.after: "),
        ("reminders: {quiet-hours: {start: '25:00', end: '07:00'}}", "reminders.quiet-hours.start"),
        ("reminders: {quiet-hours: {start: '22:00'}}", "reminders.quiet-hours.end: is missing"),
        (
            "reminders: {quiet-hours: {start: '22:00', end: '07:00', timezone: Mars}}",
            "reminders.quiet-hours.timezone: `Mars` is no time zone",
        ),
        ("on-call: {}", "on-call.users: is missing"),
        ("on-call: {users: [], start: 2026-01-05T09:00}", "on-call.users: "),
        ("on-call: {users: [a], start: monday}", "on-call.start: `monday` is no time"),
        (
            "on-call: {users: [a], start: 2026-01-05T09:00, every: FREQ=SECONDLY}",
            "on-call.every: `FREQ=SECONDLY` comes more often than once a day",
        ),
        (
            "on-call: {users: [a], start: 2026-01-05T09:00, every: weekly}",
            "on-call.every: `weekly` is no rule",
        ),
        (
            "on-call: {users: [a], start: 2026-01-05T09:00Z}",
            "on-call.start: `2026-01-05T09:00Z` is no time",
        ),
        (
            "on-call: {users: [a], start: 2026-01-05T09:00, timezone: Nowhere}",
            "on-call.timezone: `Nowhere` is no time zone",
        ),
    ],
)
def test_a_mistake_says_where_it_is_and_what_is_expected(text: str, said: str) -> None:
    """In the words of the file, not of the program."""
    assert any(said in problem for problem in problems(text)), problems(text)


@pytest.mark.parametrize("word", ["off", "Off", "OFF"])
def test_off_needs_no_quotes(word: str) -> None:
    """Old YAML takes it for a truth value; nobody who types it means that."""
    text = f"reminders: {{stalled: {{after: {word.lower()}}}}}"
    assert read_config(text).reminders.stalled.after == "off"


def test_times_need_no_quotes() -> None:
    """Old YAML takes them for dates, or for numbers of base 60."""
    config = read_config(
        "reminders: {quiet-hours: {start: 22:00, end: 07:00}}\n"
        "on-call: {users: [alice], start: 2026-01-05T09:00}"
    )
    quiet = config.reminders.policy().quiet
    assert quiet is not None
    assert (quiet.start.hour, quiet.end.hour) == (22, 7)
    assert config.roles_at(NOON) == {Role.COMMANDER: "alice"}


class TestOnCall:
    """A rotation: users who take turns."""

    TEXT = """
        on-call:
          users: [alice, "@bob", carol]
          start: 2026-01-05T09:00
          every: FREQ=WEEKLY
          timezone: Europe/Berlin
        """

    @pytest.mark.parametrize(
        ("at", "login"),
        [
            ("2026-01-05T07:59", None),
            ("2026-01-05T08:00", "alice"),
            ("2026-01-12T07:59", "alice"),
            ("2026-01-12T08:00", "bob"),
            ("2026-01-19T08:00", "carol"),
            ("2026-01-26T08:00", "alice"),
            ("2026-06-29T06:59", "alice"),
            ("2026-06-29T07:00", "bob"),
        ],
    )
    def test_each_hand_over_passes_on_to_the_next(self, at: str, login: str | None) -> None:
        """On the wall clock of the team's zone, summer time included; first of all nobody."""
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        assert read_config(self.TEXT).roles_at(moment).get(Role.COMMANDER) == login

    def test_it_comes_before_the_default_roles(self) -> None:
        """And gives the role that it names."""
        text = """
            on-call: {users: [alice], start: 2026-01-05T09:00, role: comms}
            roles: {comms: zoe, scribe: zoe}
            """
        roles = read_config(text).roles_at(NOON)
        assert roles == {Role.COMMS: "alice", Role.SCRIBE: "zoe"}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("off", None),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("1d12h", timedelta(hours=36)),
        ("1h30m", timedelta(minutes=90)),
    ],
)
def test_durations(text: str, length: timedelta | None) -> None:
    """Days, hours and minutes."""
    assert read_duration_or_off(text) == length


def test_problems_of_a_list_keep_the_numbers_of_the_file() -> None:
    """Whatever else is wrong in it, and however little of an item can be read."""
    found = problems(
        """
        freeze:
          environments: [1, ok, "", 2]
          windows:
            - 3
            - {name: a}
            - {name: b, every: hourly, start: 2026-01-05T09:00, duration: 1h30, timezone: Mars}
            - {name: B, every: FREQ=DAILY, start: 2026-01-05T09:00, duration: 93d, allow: [x, y z]}
        on-call: {users: ["a b"], start: soon}
        permissions: {note: write, nope: write, ack: owner, update: 1}
        """
    )
    assert sorted(problem.split(": ")[0] for problem in found) == [
        "freeze.environments[0]",
        "freeze.environments[2]",
        "freeze.environments[3]",
        "freeze.windows[0]",
        "freeze.windows[1].duration",
        "freeze.windows[1].every",
        "freeze.windows[1].start",
        "freeze.windows[2].every",
        "freeze.windows[2].timezone",
        "freeze.windows[3].allow[1]",
        "freeze.windows[3].duration",
        "freeze.windows[3].name",
        "on-call.start",
        "on-call.users[0]",
        "permissions.ack",
        "permissions.nope",
        "permissions.update",
    ]


@pytest.mark.parametrize("text", ["90 min", "1h30", "1.5h", "1h 30m", "1H30M"])
def test_the_file_reads_durations_as_commands_do(text: str) -> None:
    """One grammar for all that people type."""
    config = read_config(
        f"reminders: {{watch-rests: {text}}}\npostmortem: {{due: {{sev1: {text}}}}}"
    )
    assert config.reminders.policy().rests == timedelta(minutes=90)
    assert read_duration_or_off(config.postmortem.due.sev1) == timedelta(minutes=90)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
_KEYS = st.sampled_from(Config.__struct_fields__).map(lambda name: name.replace("_", "-"))
_WORDS = st.sampled_from(
    ["windows", "environments", "users", "start", "every", "timezone", "quiet-hours", "stalled"]
)
_LISTED = st.fixed_dictionaries({"windows": st.lists(st.dictionaries(_WORDS, _VALUES), max_size=3)})


@settings(max_examples=200)
@given(st.dictionaries(_KEYS, _VALUES | st.dictionaries(_WORDS, _VALUES) | _LISTED, max_size=4))
def test_any_document_is_read_or_refused_in_words(document: dict[str, object]) -> None:
    """No traceback, whatever stands in the file."""
    with suppress(ConfigError):
        assert isinstance(read_config(msgspec.json.encode(document).decode()), Config)


def test_the_schema_describes_every_key() -> None:
    """Editors show it beside the file."""
    described = schema()["$defs"]["Config"]["properties"]
    assert set(described) == {name.replace("_", "-") for name in Config.__struct_fields__}
    assert all(
        "description" in key or "$ref" in key or "anyOf" in key for key in described.values()
    )
