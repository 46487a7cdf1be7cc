"""Nothing that people wrote has an effect where the bot repeats it: no closing, no mention."""

from __future__ import annotations

import pytest

from incident_actions.domain.text.harmless import defused, loud, one_line, quiet
from incident_actions.sandbox import Sandbox
from tests.unit.postmortem.team import NAME, Team, finished

LIVE = [
    "#1",
    "GH-1",
    "gh-1",
    "acme/shop#1",
    "https://github.com/acme/shop/issues/1",
    "http://github.com/acme/shop/pull/1#issuecomment-5",
    "#\u200b1",
    "https://github.com/acme/shop/discussions/1",
]


@pytest.mark.parametrize("word", ["fixes", "Closes:", "resolved", "see"])
@pytest.mark.parametrize("reference", LIVE)
def test_no_reference_is_left_in_a_title(word: str, reference: str) -> None:
    """Nor one that comes into being when something invisible is taken out; what it says stays."""
    text = defused(f"slow, {word} {reference} now")
    for live in ("#1", "-1", "/1", "://"):
        assert live not in text
    assert text.startswith(f"slow, {word}")
    assert "1" in text
    assert defused(text) == text


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("slow, fixes #1", "slow, fixes no. 1"),
        ("@alice broke acme/shop#12", "alice broke acme/shop no. 12"),
        ("(@acme/oncall) x", "(acme/oncall) x"),
        ("mail a@b.example", "mail a@b.example"),
        ("C# is slow, # of jobs", "C# is slow, # of jobs"),
        ("see https://grafana.example/d/1", "see https://grafana.example/d/1"),
    ],
)
def test_a_title_still_reads_well(typed: str, shown: str) -> None:
    """Only what GitHub would act on changes."""
    assert defused(typed) == shown


@pytest.mark.parametrize("reference", [*LIVE[:-2], "@alice"])
def test_in_markdown_it_is_shown_as_typed(reference: str) -> None:
    """And can be read as data again."""
    text = quiet(f"fixes {reference}")
    assert reference.replace("\u200b", "") not in text
    assert text.replace("\u200b", "") == f"fixes {reference}".replace("\u200b", "")
    assert loud(quiet("fixes #1 @a GH-2 https://h/a/b/issues/3")).endswith("a/b/issues/3")


def test_a_title_is_cut_at_a_word() -> None:
    """And shows that it was."""
    title = one_line("word " * 100, 256)
    assert len(title) <= 256
    assert title.endswith("word…")


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_strangers_title_closes_nothing(sandbox: Sandbox, method: str) -> None:
    """A report is confirmed and resolved, its postmortem merged: the live SEV1 stays open."""
    team = Team(sandbox)
    body = "### Severity\n\nSEV1 - x\n\n### What is broken?\n\nIt fixes #1, @bob.\n\n"
    body += "### Who is affected?\n\nAll, closes #1"
    live = int(team.alice.file_form_issue("Live", body)["number"])
    team.run()
    assert live == 1
    report = int(team.mallory.file_form_issue("slow, fixes #1 and GH-1, @bob", body)["number"])
    team.run()
    team.say(report, "/confirm")
    team.run()
    incident = max(sandbox.repo("acme/shop").issues)
    assert "#" not in team.alice.issue(incident)["title"]
    team.say(
        incident, "/ack\n/did rolled back, fixes #1 -> fine\n/action fixes #1 / @bob / 2026-12-01"
    )
    team.say(incident, "/mitigated\n/verify all seen\n/resolve closes #1")
    team.run()
    team.write(finished(team.file()), "Write it")
    team.pushed()
    for item in team.items():
        assert "#1" not in item["title"]
    pull = team.pull()
    assert "#1" not in pull["title"].replace(f"#{incident}", "")
    team.alice.ask("PUT", f"/pulls/{pull['number']}/merge", {"merge_method": method})
    assert team.alice.issue(live)["state"] == "open"
    about = sandbox.repo("acme/shop").issues[live].events
    people = [e for e in about if e.event in ("cross-referenced", "referenced", "closed")]
    assert [e for e in people if e.actor.login == "github-actions[bot]"] == []
    git = sandbox.repo("acme/shop").git
    for commit in git.history(git.refs["refs/heads/main"]):
        assert "fixes #" not in commit.message
        assert "@bob" not in commit.message


def test_a_pull_request_elsewhere_is_no_postmortem(team: Team) -> None:
    """Its bot has the name of ours, it has the number of our draft, and it is merged."""
    number = team.resolved()
    team.run()
    ours = int(team.pull()["number"])
    elsewhere = "mallory/own"
    team.sandbox.repository(elsewhere, owner_type="User")
    team.sandbox.user("mallory", permission={elsewhere: "admin"})
    mallory = team.sandbox.as_user("mallory", elsewhere)
    text = f"<!-- incident-actions:postmortem {number} -->\nThe postmortem of {NAME}#{number}"
    for n in range(1, ours + 1):
        assert mallory.open_pull(f"Postmortem {n}", {f"{n}.md": "x"}, f"b{n}", text)["number"] == n
    team.sandbox.repo(elsewhere).issues[ours].user = team.sandbox.world.bot
    team.pass_time()
    mallory.merge(ours)
    team.say(number, "/note thanks")
    team.run()
    assert team.state(number)["postmortem"]["pr"] == ours
    assert "merged" not in team.state(number)["postmortem"]
