"""What a workflow costs: its schedules read, its starts counted, its runners and jobs looked at."""

from __future__ import annotations

from datetime import timedelta

import pytest
import yaml

from docs.reference import prices, slim_jobs
from incident_actions.config.sections import RemindersConfig
from incident_actions.domain.readiness.costs import FRUGAL, HOURLY, Amount, Costs, costs
from incident_actions.domain.readiness.cron import gaps, most_starts, read_cron
from incident_actions.domain.readiness.workflows import Workflow
from incident_actions.errors import InputError
from incident_actions.render.scaffold import Choices, files
from tests.support.programs import ROOT

PATH = ".github/workflows/incident.yml"
SCAFFOLD = files(Choices("acme"), deploy=False)[PATH]
OWN = (ROOT / PATH).read_text("utf-8")


@pytest.mark.parametrize(
    ("crons", "count"),
    [
        (["37 * * * *"], 744),
        (["*/5 * * * *"], 8928),
        (["3-58/5 * * * *"], 8928),
        (["20/15 * * * *"], 3 * 744),
        (["0,30 * * * *"], 1488),
        (["7 */6 * * *"], 124),
        (["7 9-17 * * MON-FRI"], 9 * 23),
        (["7 6 * * 1,3,5"], 14),
        (["7 6 1 * *"], 1),
        (["7 6 1,15 jan-jun/2 *"], 2),
        (["7 6 31 2 *"], 0),
        (["7 6 29 2 *"], 1),
        (["7 6 1 * MON"], 6),  # either kind of day, as the first may be another weekday
        (["7 6 */10 * MON"], 1),  # but `*/10` restricts no day by itself
        (["7 6 * * *", "7 18 * * *"], 62),
        (["7 6 * * SUN", "7 6 * * 0"], 10),
        ([], 0),
    ],
)
def test_the_starts_of_a_month_are_counted(crons: list[str], count: int) -> None:
    """Of the month in which there are most; several schedules add up."""
    assert most_starts([read_cron(cron) for cron in crons]) == count


@pytest.mark.parametrize(
    ("crons", "shortest", "longest"),
    [
        (["37 * * * *"], 1, 1),
        (["7 0-12/4 * * *"], 4, 12),
        (["7 6 * * *", "7 18 * * *"], 12, 12),
        (["7 6 * * MON"], 168, 168),
        (["7 6 1 JAN *"], 8784, 8784),
        (["7 6 29 FEB *"], 8784, 8784),
        (["7 6 * * *", "7 6 1 * *"], 0, 24),
    ],
)
def test_the_time_between_two_starts(crons: list[str], shortest: float, longest: float) -> None:
    """In hours; what starts twice in a minute is no time apart."""
    found = gaps([read_cron(cron) for cron in crons])
    assert found == (timedelta(hours=shortest), timedelta(hours=longest))


def test_what_never_starts_has_no_gaps() -> None:
    """There is no 31 February."""
    assert gaps([read_cron("7 6 31 FEB *")]) is None
    assert gaps([]) is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "0 fields"),
        ("@hourly", "1 fields"),
        ("* * * *", "4 fields"),
        ("7 6 * * * *", "6 fields"),
        ("60 * * * *", "`60` is no minute"),
        ("7 24 * * *", "`24` is no hour"),
        ("7 6 0 * *", "`0` is no day of the month"),
        ("7 6 32 * *", "`32` is no day of the month"),
        ("7 6 * 13 *", "`13` is no month"),
        ("7 6 * JAM *", "`JAM` is no month"),
        ("7 6 * * 7", "`7` is no day of the week"),
        ("7 6 * * MONDAY", "`MONDAY` is no day of the week"),
        ("7 6 * * FRI-MON", "`FRI-MON` is no day of the week"),
        ("50-10 * * * *", "`50-10` is no minute"),
        ("*/0 * * * *", "`*/0` is no minute"),
        ("1,,2 * * * *", "`` is no minute"),
        ("-5 * * * *", "`-5` is no minute"),
        ("7 6 L * *", "`L` is no day of the month"),
        ("7 6 ? * *", "`?` is no day of the month"),
        ("7 6 * * MON#1", "`MON#1` is no day of the week"),
        ("\uff17 * * * *", "is no minute"),
        ("9" * 5000 + " * * * *", "is no minute"),
    ],
)
def test_what_is_no_schedule_is_said(text: str, named: str) -> None:
    """Which part of it, and how it is written."""
    with pytest.raises(InputError) as raised:
        read_cron(text)
    assert named in str(raised.value)
    assert HOURLY in raised.value.remedy


def of(text: str) -> Costs:
    return costs(Workflow(PATH, yaml.safe_load(text)))


def with_crons(text: str, *crons: str) -> str:
    lines = "".join(f'    - cron: "{cron}"\n' for cron in crons)
    assert f'    - cron: "{HOURLY}"\n' in text
    return text.replace(f'    - cron: "{HOURLY}"\n', lines)


@pytest.mark.parametrize("text", [SCAFFOLD, OWN], ids=["scaffold", "own"])
def test_an_idle_month_costs_at_most_750_minutes(text: str) -> None:
    """By default; an hour of an incident is an hour of the watch, and an event one minute."""
    assert of(text) == Costs(Amount(744, 744), Amount(60, 60), Amount(1, 1))


def test_who_starts_a_run_by_hand_is_told_to_leave_the_watch_alone() -> None:
    """In the words of both workflows: GitHub shows them beside the box to tick."""
    for text in (SCAFFOLD, OWN):
        events = yaml.safe_load(text)[True]
        said = events["workflow_dispatch"]["inputs"]["watch"]["description"]
        assert said == "Leave this off: the runs use it to stay awake."


def test_the_frugal_schedule_costs_at_most_60_minutes() -> None:
    """And no two starts are so far apart that a freeze's issue, 24 hours ahead, comes too late."""
    assert of(with_crons(SCAFFOLD, *FRUGAL)).idle_month == Amount(58, 58)
    found = gaps([read_cron(cron) for cron in FRUGAL])
    assert found is not None
    assert found[1] <= timedelta(hours=18)


def test_the_small_runner_costs_a_third() -> None:
    """Its watches are short, so that more of their minutes are begun."""
    head = SCAFFOLD.partition("\njobs:\n")[0]
    slim = f"{head}\n{slim_jobs().strip('`').removeprefix('yaml')}"
    assert of(slim) == Costs(Amount(744, 248), Amount(65, 22), Amount(1, 1))


def test_the_page_shows_whole_jobs_for_the_small_runner() -> None:
    """They may be pasted: only four values differ from what `init` writes."""
    ours = yaml.safe_load(SCAFFOLD)["jobs"]
    pasted = yaml.safe_load(slim_jobs().strip("`").removeprefix("yaml").replace("OWNER", "acme"))
    for name, job in ours.items():
        assert job["runs-on"] == "ubuntu-latest"
        job["runs-on"] = "ubuntu-slim"
        assert {"if", "concurrency"} <= pasted["jobs"][name].keys()
    ours["watch"]["timeout-minutes"] = 15
    ours["watch"]["steps"][0]["with"]["watch-minutes"] = 13
    assert pasted == {"jobs": ours}


def test_a_runner_of_ones_own_costs_nothing() -> None:
    """However it is named."""
    for runner in ("self-hosted", "[self-hosted, linux]", "{ labels: [Self-Hosted] }"):
        own = of(SCAFFOLD.replace("runs-on: ubuntu-latest", f"runs-on: {runner}"))
        assert own == Costs(Amount(), Amount(), Amount())


def test_without_the_input_there_is_no_watch() -> None:
    """Nothing can start it, so it costs nothing."""
    assert of(SCAFFOLD.replace("      watch: {", "      other: {")).watch_hour == Amount()


def test_each_job_that_may_start_counts() -> None:
    """Only an `if:` that rules the event out for certain makes a job free."""
    more = """
  clean:
    runs-on: ubuntu-latest
    steps: [{ run: make clean }]
  nightly:
    if: github.event_name == 'schedule' && github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    steps: [{ run: make nightly }]
  daily:
    if: github.event_name != 'schedule'
    runs-on: ubuntu-latest
    steps: [{ run: make daily }]
  lint:
    if: github.event_name == 'pull_request' || github.event_name == 'push'
    runs-on: ubuntu-latest
    steps: [{ run: make lint }]
"""
    found = of(SCAFFOLD + more)
    assert (found.idle_month.minutes, found.event.minutes) == (4 * 744, 4)


def test_a_schedule_that_cannot_be_read_is_said() -> None:
    """It is not counted; the others are."""
    found = of(with_crons(SCAFFOLD, "@daily", "7 6 * * *"))
    assert found.idle_month.minutes == 31
    (said,) = found.unreadable
    assert "@daily" in said


@pytest.mark.parametrize("text", ["{}", "on: push", "on: [schedule]\njobs: 3", "[]"])
def test_a_workflow_without_all_that_costs_nothing(text: str) -> None:
    """And makes nothing fail."""
    document = yaml.safe_load(text)
    found = costs(Workflow(PATH, document if isinstance(document, dict) else None))
    assert found == Costs(Amount(), Amount(), Amount())


def test_the_sums_of_the_page_are_those_of_the_code() -> None:
    """The example's parts, and what a forgotten incident costs by default."""
    page = (ROOT / "docs" / "costs.md").read_text("utf-8")
    found = of(SCAFFOLD)
    awake, event = 2 * found.watch_hour.minutes, found.event.minutes
    starts = round(timedelta(hours=2) / timedelta(hours=1))  # the schedule comes once an hour
    total = awake + 20 * event + 2 * event + starts
    sums = f"{awake} for the watch + 20 + 2 for the form + {starts} for the schedule = {total}"
    assert sums in page
    rests = RemindersConfig().policy().rests
    assert rests is not None
    assert f"a forgotten SEV1 costs {rests // timedelta(minutes=1)} minutes" in page


def test_the_documented_settings_are_within_their_limits() -> None:
    """The page shows what the code computes: 750 by default, 60 with the frugal schedule."""
    rows = [row.strip("| ").split(" | ") for row in prices().splitlines()[2:]]
    idle = {row[0]: int(row[1].split()[0]) for row in rows}
    assert all(minutes <= 750 for minutes in idle.values())
    frugal = [minutes for name, minutes in idle.items() if "frugal" in name]
    assert len(frugal) == 3
    assert all(minutes <= 60 for minutes in frugal)
    off = [row for row in rows if "off" in row[0]]
    assert len(off) == 2
    assert all(row[2] == row[3] == "0" for row in off)
