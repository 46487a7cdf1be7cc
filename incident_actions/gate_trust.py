"""Whom to believe: what GitHub says of people, labels and texts, before they let a deploy pass.

Used only while a deploy is frozen. A question that fails leaves it frozen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from incident_actions.gate import SEVERITIES, DeployRequest, GateClient
from incident_actions.gate_decision import (
    ListedIssue,
    LookedUp,
    claims,
    read_issue,
    wants_proof,
)
from incident_actions.gate_readers import dig, login, parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

MOST_ASKED = 30  # issues about which the gate asks further; the others stay as they are
MOST_STRANGERS = 5  # reports from outside about which it asks whether our bot wrote their text
MAY_WRITE = ("write", "maintain", "admin")
EDITOR = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) {
      author { __typename login }
      editor { __typename login }
      lastEditedAt
    }
  }
}
"""


class Writer:
    """Who wrote an issue's text as it is now: the last editor, else the author.

    `login` is empty when GitHub names nobody. `problem` says why nothing is known of them.
    """

    def __init__(self, login: str = "", *, bot: bool = False, problem: str = "") -> None:
        self.login, self.bot, self.problem = login, bot, problem


def look_twice(client: GateClient, issues: Iterable[ListedIssue], items: Iterable[Any]) -> None:
    """Ask about incidents that somebody may have made say more, or less, than our bot did.

    Changes them in place. An incident that a run has accepted counts without its status label, too,
    which a triager can take off: when a bot edited the text last. A state that was last edited by
    its author, who has lost the right to write, says nothing any more.
    """
    doubted = [issue for issue in issues if issue.doubted and not issue.problem]
    may_write = permissions(client, [i.author for i in doubted if i.trusted and i.author])
    left = [i for i in doubted if i.trusted and may_write.get(str(i.author).casefold()) is False]
    strangers = [issue for issue in doubted if not issue.trusted]
    strangers.sort(key=lambda issue: (not issue.labels & {*SEVERITIES}, issue.number))
    asked = left[:MOST_ASKED] + strangers[:MOST_STRANGERS]  # reports of today come last
    writers = client.together([partial(writer_of, client, issue) for issue in asked])
    listed = {dig(item, "number"): item for item in items}
    for issue, writer in zip(asked, writers):
        by_bot = isinstance(writer, Writer) and writer.bot
        by_author = not isinstance(writer, Writer) or writer.login in ("", issue.author)
        if issue.trusted and by_author and not by_bot:
            issue.state, issue.allow, issue.fixes, issue.wide = {}, (), (), True
            issue.severities &= {"sev1", "sev2"}  # a lighter one may be made up, too
        elif by_bot and not issue.trusted:
            vars(issue).update(vars(read_issue(listed[issue.number], vouched=True)))


def look_up_trust(
    client: GateClient,
    issues: Iterable[ListedIssue],
    request: DeployRequest,
    authors: Iterable[str],
    bot: str,
    now: datetime,
) -> LookedUp:
    """Ask about those who stand behind what may let a deploy pass.

    `issues` freeze the deploy. `authors` are the logins of who wrote a pull request that may be a
    fix. `bot` is the login of our bot. Gives `may_write`, `labels`, `bodies` and `notes`. Asks for
    each issue who put its labels on and who edited its text, then for each of these people once
    whether they may write.
    """
    asked = list(issues)[:MOST_ASKED]
    labelled = [issue for issue in asked if claims(issue)]
    proven = [issue for issue in asked if wants_proof(request, issue, now)]
    answers = client.together(
        [partial(labelled_by, client, issue, bot) for issue in labelled]
        + [partial(writer_of, client, issue) for issue in proven]
    )
    by = dict(zip((issue.number for issue in labelled), answers))
    writers = dict(zip((issue.number for issue in proven), answers[len(labelled) :]))
    people = {issue.author for issue in asked if issue.author and not issue.certain} | {*authors}
    for hands in by.values():
        people.update(hands.values() if isinstance(hands, dict) else ())
    people.update(each.login for each in writers.values() if isinstance(each, Writer))
    people -= {"", bot, *(w.login for w in writers.values() if isinstance(w, Writer) and w.bot)}
    may_write = permissions(client, people)

    def may(name: str) -> bool:
        return name == "" or may_write.get(name.casefold()) is True  # "": our bot put it on

    labels = {
        number: frozenset(label for label, name in hands.items() if may(name))
        for number, hands in by.items()
        if isinstance(hands, dict)
    }
    bodies, notes = set(), []
    for number, writer in writers.items():
        doubt = doubt_about(writer, bot, may_write)
        if doubt:
            notes.append(
                f"#{number} {doubt}: its overrides do not count until the incident workflow has"
                " run."
            )
        else:
            bodies.add(number)
    return LookedUp(may_write=may_write, labels=labels, bodies=frozenset(bodies), notes=notes)


def doubt_about(writer: Writer | Exception, bot: str, may_write: Mapping[str, bool]) -> str:
    """Why an issue's text may not be believed, in words; empty when it may."""
    if isinstance(writer, Exception):
        return f"may have been edited by anybody, because GitHub could not be asked ({writer})"
    if writer.problem:
        return writer.problem
    if writer.bot:
        ours = writer.login.casefold() == bot.removesuffix("[bot]").casefold()
        name = f"{writer.login}[bot]"
        return "" if ours else f"was last edited by @{name}, which `bot:` does not name"
    allowed = may_write.get(writer.login.casefold())
    if allowed is None:
        return f"was last edited by @{writer.login}, whose permission can't be looked up"
    return "" if allowed else f"was last edited by @{writer.login}, who may not write"


def permissions(client: GateClient, logins: Iterable[str]) -> dict[str, bool]:
    """Whether each of these people may write, by login in lower case. Failed questions are left
    out.

    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """
    named = sorted({name.casefold() for name in logins})
    path = f"/repos/{client.repository}/collaborators"
    calls = [partial(client.get, f"{path}/{quote(name, safe='')}/permission") for name in named]
    answers = zip(named, client.together(calls))
    return {
        name: dig(answer[0], "permission") in MAY_WRITE
        for name, answer in answers
        if isinstance(answer, tuple) and isinstance(dig(answer[0], "permission"), str)
    }


def labelled_by(client: GateClient, issue: ListedIssue, bot: str) -> dict[str, str]:
    """Who put on each label that lets a deploy pass, by label: a login, empty for our `bot`.

    Labels are left out when that is not known, as in a history of over a hundred events, and those
    of other bots: the incident workflow takes them off again. Raises `GateError`.

    https://docs.github.com/en/rest/issues/events#list-issue-events
    """
    path = f"/repos/{client.repository}/issues/{issue.number}/events?per_page=100"
    events, _ = client.get(path)
    if not isinstance(events, list) or len(events) >= 100:
        return {}
    hands: dict[str, str | None] = {}
    for event in events:
        label = str(dig(event, "label", "name")).strip().casefold()
        if dig(event, "event") == "labeled":
            by_bot = dig(event, "actor", "type") == "Bot"
            ours = str(dig(event, "actor", "login")).casefold() == bot.casefold()
            hands[label] = ("" if ours else None) if by_bot else login(dig(event, "actor"))
    return {label: name for label, name in hands.items() if name is not None}


def writer_of(client: GateClient, issue: ListedIssue) -> Writer:
    """Who wrote an issue's text as it was listed. Raises `GateError`.

    An answer is remembered in `client.memory` for as long as the issue does not change.

    https://docs.github.com/en/graphql/reference/objects#issue
    """
    key = ("writer", issue.number, issue.updated)
    known: Writer | None = client.memory.get(key) if issue.updated else None
    if known:
        return known
    owner, _, name = client.repository.partition("/")
    variables = {"owner": owner, "name": name, "number": issue.number}
    given = json.dumps({"query": EDITOR, "variables": variables}).encode()
    api = client.settings.api
    base = api[: -len("/v3")] if api.endswith("/api/v3") else api
    answer, _ = client.get(f"{base}/graphql", given)
    writer = read_writer(dig(answer, "data", "repository", "issue"), issue)
    client.memory[key] = writer
    return writer


def read_writer(answer: Any, issue: ListedIssue) -> Writer:
    """Read GraphQL's answer about an issue: its author, its last editor, and when they edited."""
    edited = dig(answer, "lastEditedAt")
    person = dig(answer, "editor" if edited else "author")
    at = parse_time(edited)
    if edited and issue.updated and not (at and at <= issue.updated):
        return Writer(problem="was edited just now")  # after it was listed
    name = login(person)
    if not name:
        return Writer(problem="was last edited by somebody whom GitHub does not name")
    return Writer(name.removesuffix("[bot]"), bot=dig(person, "__typename") == "Bot")
