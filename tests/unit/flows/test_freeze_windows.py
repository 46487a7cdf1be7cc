"""Freezes of windows: opened a day ahead, and kept in step with the configuration."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from incident_actions.errors import ConfigError
from incident_actions.sandbox import Sandbox
from tests.support.overtaken import overtaken_at_first_open
from tests.support.programs import Where, run_gate
from tests.unit.flows.test_freezes import GRANTED, NAME, Town

PATH = ".github/incident.yml"
HEAD = "freeze:\n  windows:\n"


def window(**changes: str) -> str:
    """A window in the configuration: Friday 17:00 to Monday 07:00 UTC, with these changes."""
    values = {
        "name": "weekend",
        "every": "FREQ=WEEKLY;BYDAY=FR",
        "start": "2026-01-02T17:00",
        "duration": "62h",
        **changes,
    }
    return "    - {" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}\n"


class Team(Town):
    """The town, with a window that begins on Friday at 17:00. It is Friday, 16:00."""

    def __init__(self, github: Sandbox) -> None:
        super().__init__(github)
        self.configure(window())

    def configure(self, *windows: str) -> None:
        """Edit the configuration."""
        self.github.file(NAME, PATH, HEAD + "".join(windows) if windows else "services: [api]\n")

    def body(self, number: int) -> str:
        return str(self.alice.issue(number)["body"])

    def state(self, number: int) -> str:
        return str(self.alice.issue(number)["state"])

    def sweep_all(self) -> None:
        """Sweep twice, and see that nothing is left to do."""
        self.sweep()
        self.github.clear_log()
        self.sweep()
        assert self.github.requests(write=True) == 0

    def sweep_once(self) -> int:
        """Sweep twice, and see that nothing is left to do; gives the only open freeze."""
        self.sweep_all()
        (number,) = self.open_freezes()
        return number


@pytest.fixture
def team(sandbox: Sandbox) -> Team:
    """Our team."""
    return Team(sandbox)


@pytest.mark.parametrize("hours", [0, 2])
def test_closed_by_hand_it_stays_closed_for_that_occurrence(team: Team, hours: int) -> None:
    """Before it begins, or while it holds; the next one comes all the same."""
    team.later(hours=hours)
    team.sweep()
    team.alice.close(team.open_freezes()[0])
    for _ in range(4):
        team.sweep()
        assert team.open_freezes() == []
        assert not team.frozen
        team.later(hours=12)
    team.later(days=7, hours=-46)
    team.sweep()
    assert team.frozen


@pytest.mark.parametrize("hours", [0, 2])
def test_without_its_label_it_is_not_opened_again(team: Team, hours: int) -> None:
    """Taking the label off is a way to end a freeze, too, also when the run for it was lost."""
    team.later(hours=hours)
    team.sweep()
    team.bob.unlabel(team.open_freezes()[0], "deploy-freeze")
    for _ in range(2):
        team.sweep()
        assert team.open_freezes() == []
        team.later(hours=20)
    assert not team.frozen


def test_closed_before_it_begins_by_who_may_not_it_opens_again(team: Team) -> None:
    """As while it holds."""
    team.sweep()
    (number,) = team.open_freezes()
    team.tom.close(number)
    team.respond()
    assert team.open_freezes() == [number]


CHANGES = [  # keys of the window, and what the text says then
    ({"duration": "24h"}, "### Until\n\n2026-11-21 17:00 UTC\n"),
    ({"duration": "3d"}, "### Until\n\n2026-11-23 17:00 UTC\n"),
    ({"reason": "Quiet"}, "### Why?\n\n> Quiet\n"),
    ({"allow": "['@bob']"}, "### Who may deploy?\n\nbob\n"),
    ({"name": "Weekend"}, "The window `Weekend`"),
]


@pytest.mark.parametrize(("changes", "text"), CHANGES)
@pytest.mark.parametrize("hours", [0, 2])
def test_an_edited_window_is_followed(
    team: Team, changes: dict[str, str], text: str, hours: int
) -> None:
    """Before it begins and while it holds: the same issue, without a word."""
    team.sweep()
    (number,) = team.open_freezes()
    team.later(hours=hours)
    team.configure(window(**changes))
    assert team.sweep_once() == number
    assert text in team.body(number)
    assert team.words(number) == []
    assert team.frozen is (hours > 0)


OTHERS = [
    ({"name": "quiet"}, "2026-11-20 17:00"),
    ({"start": "2026-01-02T16:30"}, "2026-11-20 16:30"),
    ({"start": "2026-01-02T15:00"}, "2026-11-20 15:00"),
    ({"timezone": "Europe/Berlin"}, "2026-11-20 16:00"),
    ({"every": "FREQ=DAILY", "start": "2026-01-02T17:30", "duration": "1h"}, "2026-11-20 17:30"),
]


@pytest.mark.parametrize(("changes", "begins"), OTHERS)
@pytest.mark.parametrize("hours", [0, 1.25])
def test_a_window_of_another_name_or_time_replaces_the_issue(
    team: Team, changes: dict[str, str], begins: str, hours: float
) -> None:
    """The new one is opened first, then the old one ends with a word: no gap between them."""
    team.sweep()
    (old,) = team.open_freezes()
    team.later(hours=hours)
    team.configure(window(**changes))
    team.sweep()
    log = [(each.method, each.path.rpartition("/")[2]) for each in team.github.log]
    assert log.index(("POST", "issues")) < log.index(("PATCH", str(old)))
    new = team.sweep_once()
    assert f"### From\n\n{begins} UTC\n" in team.body(new)
    assert team.state(old) == "closed"
    assert team.words(old)[0].startswith(
        "The configuration has no window weekend that begins then any more."
    )
    assert len(team.words(old)) == 1


def test_a_window_that_is_gone_ends_and_comes_back(team: Team) -> None:
    """With a word; when the configuration has it again, its issue is opened again."""
    team.sweep()
    (number,) = team.open_freezes()
    team.later(hours=2)
    for _ in range(2):
        team.configure()
        team.sweep()
        assert not team.frozen
        assert len(team.words(number)) == 1
        team.later(minutes=5)
        team.bob.comment(number, "I see.")
        team.respond()
        team.sweep()
        assert team.open_freezes() == []
        team.configure(window(reason="Quiet"))
        assert team.sweep_once() == number
        assert "> Quiet" in team.body(number)
        assert team.frozen


def test_what_people_open_again_stays_open(team: Team) -> None:
    """Though the configuration has no such window: it holds until its end."""
    team.sweep()
    (number,) = team.open_freezes()
    team.later(hours=2)
    team.configure()
    team.sweep()
    team.later(minutes=5)
    team.alice.reopen(number)
    team.respond()
    assert team.sweep_once() == number
    assert team.frozen
    team.later(days=3)
    team.sweep()
    assert team.state(number) == "closed"


def test_a_text_that_somebody_edited_is_kept(team: Team) -> None:
    """Whatever the configuration says later; that is said once for each of its texts."""
    team.sweep()
    (number,) = team.open_freezes()
    edited = team.body(number).replace("2026-11-23 07:00", "2026-11-23 09:30")
    team.bob.edit_issue_body(number, edited.replace("\n", "\r\n"))
    team.respond()
    team.sweep()
    assert team.words(number) == []
    idle = team.look_at_freezes()
    for duration in ("24h", "3d"):
        team.later(minutes=5)
        team.configure(window(duration=duration))
        assert team.sweep_once() == number
        assert "2026-11-23 09:30" in team.body(number)
    assert len(team.words(number)) == 2
    assert team.words(number)[0].startswith("The configuration says something else by now.")
    assert team.look_at_freezes() == idle + 1  # the list of comments: the issue has some
    team.later(days=2, hours=17, minutes=19)
    assert team.frozen
    team.later(minutes=1)
    assert not team.frozen


def test_an_edited_text_holds_though_its_window_is_gone(team: Team) -> None:
    """A person stands behind it: it stays wide, and the word says how to end it."""
    team.sweep()
    (number,) = team.open_freezes()
    team.later(hours=2)
    team.bob.edit_issue_body(number, team.body(number).replace("### Why", "Ours.\n\n### Why"))
    team.configure()
    assert team.sweep_once() == number
    assert team.frozen
    (word,) = team.words(number)
    assert "has no window weekend that begins then any more" in word
    assert "close it to end the freeze" in word
    team.configure(window())
    assert team.sweep_once() == number
    assert len(team.words(number)) == 1


def test_saving_an_issue_is_no_edit(team: Team) -> None:
    """GitHub's editor saves other line ends."""
    team.sweep()
    (number,) = team.open_freezes()
    team.bob.edit_issue_body(number, team.body(number).replace("\n", "\r\n"))
    team.configure(window(reason="Quiet"))
    team.sweep_once()
    assert "> Quiet" in team.body(number)


def test_an_edit_by_who_may_not_write_is_none(team: Team) -> None:
    """It is put back, and the configuration is followed."""
    team.sweep()
    (number,) = team.open_freezes()
    team.later(hours=2)
    team.bob.edit_issue_body(number, team.body(number).replace("2026-11-20", "2026-11-22"))
    team.github.user("bob", permission={NAME: "read"})
    team.configure(window(reason="Quiet"))
    team.sweep()
    assert "### From\n\n2026-11-20 17:00 UTC\n" in team.body(number)
    assert "> Quiet" in team.body(number)
    assert team.frozen


def test_a_shorter_window_may_be_over(team: Team) -> None:
    """It ends at once, as its time has come."""
    team.later(hours=3)
    team.sweep()
    (number,) = team.open_freezes()
    team.configure(window(duration="1h"))
    team.sweep()
    assert team.state(number) == "closed"
    assert team.words(number)[0].startswith("The time is over.")


def test_a_window_that_is_made_longer_after_its_end_goes_on(team: Team) -> None:
    """In the same issue."""
    team.configure(window(duration="1h"))
    team.sweep()
    (number,) = team.open_freezes()
    team.later(hours=3)
    team.sweep()
    assert team.open_freezes() == []
    team.configure(window(duration="8h"))
    assert team.sweep_once() == number
    assert team.frozen
    team.later(hours=6)
    team.sweep()
    assert team.open_freezes() == []
    assert len(team.words(number)) == 2


@pytest.mark.parametrize("text", ["freeze: [", "freeze:\n  windows: weekend\n", "fridge: {}\n"])
def test_a_configuration_that_can_not_be_read_changes_nothing(team: Team, text: str) -> None:
    """Nothing is opened or ended before somebody mended it."""
    team.sweep()
    (number,) = team.open_freezes()
    team.later(hours=2)
    before = team.body(number)
    team.github.file(NAME, PATH, text)
    with pytest.raises(ConfigError):
        team.sweep()
    assert (team.open_freezes(), team.body(number)) == ([number], before)
    assert team.words(number) == []


def test_without_a_configuration_nothing_changes(team: Team) -> None:
    """It may have been moved, or a token may not see it."""
    team.sweep()
    (number,) = team.open_freezes()
    team.later(hours=2)
    team.github.fail(f"GET /repos/{NAME}/contents/*", status=404, times=99)
    assert team.sweep_once() == number
    assert team.frozen


def test_two_runs_at_the_same_time_leave_one_issue(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next sweep closes the younger one, and nothing opens it again."""
    overtaken_at_first_open(monkeypatch, team.sweep)
    team.sweep()
    first, second = sorted(team.open_freezes())
    assert team.sweep_once() == first
    team.bob.comment(second, "Two of them?")
    team.respond()
    assert team.open_freezes() == [first]


def test_overlapping_windows_stop_deploys_until_the_last_ends(team: Team) -> None:
    """Each has its issue; a gap between them is none where one reaches over it."""
    night = window(
        name="night", every="FREQ=DAILY", start="2026-11-20T16:30", duration="2h", allow="[bob]"
    )
    team.configure(window(duration="90m"), night)
    team.sweep()
    assert len(team.open_freezes()) == 2
    held = []
    for minutes in (29, 1, 29, 1, 60, 29, 1):  # until 16:29, 16:30, 16:59, 17:00, 18:00, ...
        team.later(minutes=minutes)
        held.append(team.frozen)
    assert held == [False, True, True, True, True, True, False]


def test_an_issue_of_an_older_version_is_left_to_its_end(team: Team) -> None:
    """It has no digest, so nobody can tell whether somebody edited it."""
    team.sweep()
    (number,) = team.open_freezes()
    old = team.body(number)
    stripped = old.replace(old.split(" ")[4] + " -->", "-->", 1)
    issue = team.github.repo(NAME).issues[number]
    issue.body = stripped
    team.later(hours=2)
    team.configure(window(reason="Quiet"))
    assert team.sweep_once() == number
    assert team.body(number) == stripped


@pytest.mark.parametrize(
    ("zone", "start", "begins", "ends"),
    [
        ("UTC", "2026-11-27T17:00", "2026-11-27T17:00:00Z", "2026-11-29T07:00:00Z"),
        # The clocks go forward and back in that night; 02:30 is skipped, or comes twice.
        ("Europe/Berlin", "2027-03-28T02:30", "2027-03-28T01:30:00Z", "2027-03-29T14:30:00Z"),
        ("Europe/Berlin", "2027-10-31T02:30", "2027-10-31T00:30:00Z", "2027-11-01T15:30:00Z"),
    ],
)
def test_a_window_is_punctual_with_no_run_for_twenty_hours(
    team: Team, zone: str, start: str, begins: str, ends: str
) -> None:
    """A sweep 23 hours ahead opens it, then every run is lost: the gate alone keeps the time."""
    first, last = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
    second = timedelta(seconds=1)
    team.configure(window(timezone=zone, start=start, every="FREQ=MONTHLY", duration="38h"))
    team.github.actions_token("job-token", NAME, {**GRANTED, "issues": "read"})
    team.now = first - timedelta(hours=23)
    team.sweep()

    def gate(at: datetime) -> tuple[int, str]:
        where = Where(team.github.url, NAME, "job-token")
        ran = run_gate(where, INCIDENT_NOW=f"{at:%Y-%m-%dT%H:%M:%SZ}", GITHUB_ACTOR="alice")
        return ran.exit_code, ran.outputs["reason"]

    (number,) = team.open_freezes()
    code, reason = gate(first - timedelta(hours=20))
    assert code == 0
    assert f"#{number} freezes deploys from {first:%Y-%m-%d %H:%M} UTC, in 20 h 0 min." in reason
    assert [gate(at)[0] for at in (first - second, first, last - second, last)] == [0, 1, 1, 0]
    team.now = last
    team.sweep()
    assert team.state(number) == "closed"


class Daily(NamedTuple):
    """A window that begins each day of the week in `days` (0 is Monday) at so many minutes."""

    name: str
    days: tuple[int, ...]
    minute: int
    minutes: int
    reason: str

    def line(self) -> str:
        """The window in the configuration."""
        by = ",".join(("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day] for day in self.days)
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=self.minute)
        return window(
            name=self.name,
            every=f"'FREQ=WEEKLY;BYDAY={by}'",
            start=f"{at:%Y-%m-%dT%H:%M}",
            duration=f"{self.minutes}m",
            reason=self.reason,
        )

    def holds(self, at: datetime) -> bool:
        """Whether it stops deploys then."""
        midnight = at.replace(hour=0, minute=0, second=0)
        days = (midnight - timedelta(days=back) for back in range(4))
        begins = [
            day + timedelta(minutes=self.minute) for day in days if day.weekday() in self.days
        ]
        return any(start <= at < start + timedelta(minutes=self.minutes) for start in begins)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_edited_the_gate_says_what_the_configuration_does(
    team: Team, seed: int
) -> None:
    """After each sweep, and with no further run for twenty hours; edits, doubled and dead runs."""
    dice = random.Random(seed)

    def some(name: str) -> Daily:
        days = tuple(sorted(dice.sample(range(7), dice.randint(1, 5))))
        length = dice.choice((30, 90, 600, 1500, 3000))
        return Daily(name, days, dice.choice((0, 60, 990, 1439)), length, dice.choice("xy"))

    known = [some(name) for name in ("one", "two", "two", "three")]
    for _ in range(8):
        chosen = dice.sample(known, dice.randint(0, 3))
        windows = list({each.name: each for each in chosen}.values())
        team.configure(*(each.line() for each in windows))
        team.later(minutes=dice.choice((0, 1, 50, 300, 1000, 2000)))
        if dice.random() < 0.3:
            team.github.fail(f"POST /repos/{NAME}/issues", status=502, after=True)
        if dice.random() < 0.3:
            team.github.fail(f"PATCH /repos/{NAME}/issues/*", status=502)
        for _ in range(dice.randint(1, 2)):
            team.sweep()
        team.github.clear_faults()
        team.sweep_all()
        swept = team.now
        for ahead in sorted(dice.sample(range(20 * 60), 4)):
            team.now = swept + timedelta(minutes=ahead)
            held = [each.name for each in windows if each.holds(team.now)]
            assert team.frozen is bool(held), (team.now, held)
        team.now = swept + timedelta(minutes=dice.choice((0, 600)))
