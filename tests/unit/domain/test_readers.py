"""The readers that every room shares: durations, YAML, front matter, names, globs, CODEOWNERS."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_actions.domain.postmortem.codeowners import owners_of
from incident_actions.domain.text.documents import (
    LARGEST,
    load_yaml,
    read_front_matter,
    split_front_matter,
)
from incident_actions.domain.text.moments import Unreadable, read_past_moment
from incident_actions.domain.text.names import fits, matches, read_name, slug
from incident_actions.domain.text.times import read_duration, take_duration
from incident_actions.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30m", 30),
        ("30 m", 30),
        ("90 min", 90),
        ("5 minutes", 5),
        ("1 minute", 1),
        ("2h", 120),
        ("2 hours", 120),
        ("2hrs", 120),
        ("1h30m", 90),
        ("1h 30m", 90),
        ("1h30", 90),
        ("1H30", 90),
        ("1.5h", 90),
        ("0.25h", 15),
        ("2d 4h", 52 * 60),
        ("2 days 4 hours", 52 * 60),
        ("1d12h", 36 * 60),
        ("1.5d", 36 * 60),
        ("  1d   12h ", 36 * 60),
        ("0m", 0),
        ("999d9999h99999m", 999 * 24 * 60 + 9999 * 60 + 99999),
    ],
)
def test_one_grammar_of_durations(text: str, minutes: float) -> None:
    """Days, hours and minutes, alone or together, in the spellings that people use."""
    assert read_duration(text) == timedelta(minutes=minutes)
    assert take_duration(f"{text.strip().split('  ')[0]}, then") is not None


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "30", "h", "m30", "-1h", "1w", "2 weeks", "30s", "2h 2h", "1m 1h", "1h 30",
        "1h99", "1h5", "1,5h", "1.5.5h", "1h.", "30m,", "1h and more", "off", "soon", "1000d",
        "99999h", "999999m", "1e9h", "١h", "3 minor bugs", "5months",
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is no duration like 30m, 2h or 1d 12h"):
        read_duration(text)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("2h the fix", (120, "the fix")),
        ("30m, the fix", (30, "the fix")),
        ("1.5h. Done", (90, "Done")),
        ("1h30 to go", (90, "to go")),
        ("3 minor bugs", None),
        ("5xx errors", None),
        ("the fix", None),
        ("", None),
    ],
)
def test_a_duration_is_taken_from_the_start_of_a_text(
    text: str, taken: tuple[int, str] | None
) -> None:
    """The rest is given back."""
    expected = (timedelta(minutes=taken[0]), taken[1]) if taken else None
    assert take_duration(text) == expected


@given(st.text("0123456789.dhmin ago", max_size=40))
def test_no_text_breaks_the_reader_of_durations(text: str) -> None:
    """It is read, or refused in words; never negative, never beyond the calendar."""
    with suppress(ValueError):
        assert timedelta() <= read_duration(text) < timedelta(days=1500)


def test_durations_are_read_in_linear_time() -> None:
    """A line of thousands of digits or spaces costs nothing."""
    started = time.perf_counter()
    for text in ("1" * 50_000, "1d " * 20_000, " " * 50_000 + "h", "1." * 30_000):
        assert take_duration(f"{text}x") is None or text.startswith("1d ")
    assert time.perf_counter() - started < 1


DECLARED = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "at"),
    [
        ("14:02", "2026-11-23T14:02"),
        ("23:50", "2026-11-22T23:50"),
        ("2026-11-22 08:00", "2026-11-22T08:00"),
        ("2026-11-23T15:00+02:00", "2026-11-23T13:00"),
        ("about 20 min ago", "2026-11-23T14:10"),
        ("1h30 ago", "2026-11-23T13:00"),
        ("2 hours ago, I think", "2026-11-23T12:30"),
        ("2026-11-24 08:00", None),
        ("this morning", None),
        ("", None),
    ],
)
def test_when_it_started_is_read_from_free_text(answer: str, at: str | None) -> None:
    """Never later than the declaration; what can't be read is nothing."""
    if at is None:
        with pytest.raises(Unreadable):
            read_past_moment(answer, DECLARED)
    else:
        expected = datetime.fromisoformat(at).replace(tzinfo=UTC)
        assert read_past_moment(answer, DECLARED) == expected


def bomb(width: int, levels: int) -> str:
    """YAML whose every level names the one before it many times."""
    lines = ["l0: &l0 [x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x: " + "y" * LARGEST, "is longer than 64 KiB"),
        ("[" * 50 + "]" * 50, "nested too deeply"),
        ("{a: " * 50 + "}" * 50, "nested too deeply"),
        ("- " * 50 + "x", "nested too deeply"),
        ("[" * 5000, "nested too deeply"),
        (bomb(9, 9), "too many values"),
        (bomb(2, 30), "too many values"),
        ("a: &a {k: v, l: w}\n" + "b: {<<: [" + "*a, " * 15000 + "]}", "too many values"),
        ("n: " + "9" * 5000, "can't be read"),
        ("a: *b", "undefined alias"),
        ("a: {[x]: y}", "unhashable key"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
    ],
    ids=range(12),
)
def test_yaml_has_limits(text: str, problem: str) -> None:
    """Whatever it is made of, it is refused in words, and soon."""
    started = time.perf_counter()
    with pytest.raises(ConfigError) as refused:
        load_yaml(text, "x.yml")
    assert problem in str(refused.value)
    assert time.perf_counter() - started < 10


def test_yaml_within_the_limits_is_plain_data() -> None:
    """Times and `off` stay words, keys are text, and an alias may be used."""
    text = "a: &a {at: 22:00, off: off, on: [on, 0755, 502]}\nb: *a\n1: {d: 2026-01-05}"
    inner = {"at": "22:00", "off": "off", "on": ["on", "0755", 502]}
    assert load_yaml(text, "x.yml") == {"a": inner, "b": inner, "1": {"d": "2026-01-05"}}


@pytest.mark.parametrize(
    ("text", "front", "data"),
    [
        ("---\na: 1\n---\nrest", "---\na: 1\n---\n", {"a": 1}),
        ("\ufeff--- \r\na: 1\r\n--- \r\nrest", "\ufeff--- \r\na: 1\r\n--- \r\n", {"a": 1}),
        ("---\na: 1\n...\nrest", "---\na: 1\n...\n", {"a": 1}),
        ("---\na: 1\n---", "---\na: 1\n---", {"a": 1}),
        ("---\na: ---b\n---\n", "---\na: ---b\n---\n", {"a": "---b"}),
        ("---\n---\nrest", "---\n---\n", None),
        ("---\n- a\n---\nrest", "---\n- a\n---\n", None),
        ("---\na: [\n---\nrest", "---\na: [\n---\n", None),
        ("---\na: 1\nrest", "", None),
        ("----\na: 1\n---\n", "", None),
        (" ---\na: 1\n---\n", "", None),
        ("", "", None),
    ],
)
def test_front_matter_is_told_from_the_page(
    text: str, front: str, data: dict[str, object] | None
) -> None:
    """Between two lines of hyphens at the very start; what can't be read is still no text."""
    assert split_front_matter(text) == (front, text[len(front) :])
    assert read_front_matter(text) == data


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Quiet weekend!", "quiet-weekend"),
        ("Größe 42", "gr-sse-42"),
        ("a" * 39 + " b", "a" * 39),
        ("", "item"),
        ("???", "item"),
    ],
)
def test_a_slug_is_one_short_word(text: str, name: str) -> None:
    """ASCII letters, digits and hyphens."""
    assert slug(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Bad Deploy", "bad-deploy"),
        ("`api`", "api"),
        ("api_v1.2", "api_v1.2"),
        ("a/b", None),
        ("-x", None),
        ("", None),
        ("x\n", "x"),
        ("x" * 42, None),
    ],
)
def test_a_typed_name_is_taken_as_it_is_or_not_at_all(text: str, name: str | None) -> None:
    """It is never cut or guessed."""
    assert read_name(text) == name


@pytest.mark.parametrize(
    ("glob", "path", "fit"),
    [
        ("*.sql", "Db/A.SQL", True),
        (".env*", "deep/.env.production", True),
        (".env*", ".env.d/readme.md", False),
        ("*secret*", "secrets/readme.md", False),
        ("config/**", "config/a/b.yml", True),
        ("config/**", "src/config/a.yml", False),
        ("/app.ini", "app.ini", True),
        ("/app.ini", "src/app.ini", False),
        ("a**b", "a/b", False),
        ("!x", "!x", True),
        ("#x", "#x", True),
        ("a[bc]", "ab", False),
        ("a[bc]", "a[bc]", True),
        ("", "a", False),
        ("/", "a", False),
    ],
)
def test_globs_of_changed_paths(glob: str, path: str, fit: bool) -> None:
    """Without a slash a file's name counts; nothing excludes, and brackets are plain."""
    assert matches(path, [glob]) is fit


@given(st.text("ab*?/[]!#\\ .^$", max_size=12), st.text("ab/.", max_size=12))
def test_no_glob_breaks_the_reader(glob: str, path: str) -> None:
    """A team may write anything."""
    assert matches(path, [glob]) in (True, False)
    assert fits(path, glob) in (True, False)


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ["everyone"]),
        ("src/app.py", ["python"]),
        ("src/App.PY", ["everyone"]),
        ("docs/a.md", ["docs"]),
        ("docs/deep/a.md", ["everyone"]),
        ("x/docs/a.md", ["everyone"]),
        ("ops/postmortems/2026/a.md", ["ops", "second"]),
        ("x/ops/a.md", ["everyone"]),
        ("x/logs/today/a.log", ["logs"]),
        ("infra/main.tf", []),
        ("nobody/a.md", []),
    ],
)
def test_code_owners_by_the_last_line_that_matches(path: str, owners: list[str]) -> None:
    """As GitHub reads the file: case counts, `docs/*` is one level deep, teams are left out."""
    text = """
        * @everyone  # a comment
        *.py @python
        /docs/* @docs docs@example.com
        /ops/ @ops @second
        **/logs @logs
        /infra/ @acme/platform
        nobody/
        # *.md @none
    """
    assert owners_of(path, text) == owners
