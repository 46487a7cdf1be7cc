"""Checks of the playbook in `ops/`: the twelve items of the readiness checklist."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from incident_actions.domain.playbook.checklist import read_checklist
from incident_actions.domain.playbook.runbook_search import read_page
from incident_actions.domain.readiness.facts import (
    ReadinessFinding,
    RepositoryFacts,
    ok,
    problem,
    unknown,
)

RUNBOOKS = "ops/runbooks"
_LINE = re.compile(r"^[-*] (?P<label>[^:\n]+):[ \t]*(?P<value>.*?)[ \t]*$", re.MULTILINE)
_ROW = re.compile(r"^\| *Roll back the app *\| *(?P<command>[^|]*?) *\|", re.MULTILINE)
_ITEM = re.compile(r"^- \[ \] (?P<text>.+)$")
_COMPLETE = re.compile(r"/ *@[\w-]+ */ *\d{4}-\d{2}-\d{2} *$")
_INIT = "incident-actions init"


def check(facts: RepositoryFacts) -> Iterator[ReadinessFinding]:
    """One finding for each item of the team's readiness checklist that has a key.

    The freeze rule is checked where the workflows are. A key that is not known stays with people.
    """
    text = facts.pages.get(f"{RUNBOOKS}/readiness-checklist.md")
    if text is None:
        yield problem("readiness", f"there is no {RUNBOOKS}/readiness-checklist.md", _INIT)
    keys = list(_CHECKS) if text is None else _keys(text)
    for key in keys:
        if key in _CHECKS:
            yield _CHECKS[key](facts)
        elif key != "freeze-rule":
            yield unknown(key, "only people can tell")


def _keys(text: str) -> list[str]:
    found = re.findall(r"<!--\s*doctor:\s*([\w-]+)\s*-->", text)
    return list(dict.fromkeys(found))


def _is_there(key: str, name: str, what: str) -> Callable[[RepositoryFacts], ReadinessFinding]:
    def checked(facts: RepositoryFacts) -> ReadinessFinding:
        path = f"{RUNBOOKS}/{name}"
        if facts.pages.get(path, "").strip():
            return ok(key, path)
        return problem(key, f"there is no {path}, {what}", _INIT)

    return checked


def _links(facts: RepositoryFacts) -> dict[str, str]:
    """The lines `- Label: address` of the service links, by label in lower case."""
    text = facts.pages.get(f"{RUNBOOKS}/service-links.md", "")
    return {m["label"].strip().casefold(): m["value"] for m in _LINE.finditer(text)}


def _service_links(facts: RepositoryFacts) -> ReadinessFinding:
    path = f"{RUNBOOKS}/service-links.md"
    if path not in facts.pages:
        return problem("service-links", f"there is no {path}", _INIT)
    links = _links(facts)
    filled = sum(bool(value) for value in links.values())
    if not filled:
        return problem(
            "service-links", "not one link is filled in", f"Fill in {path}: dashboards and logs."
        )
    return ok("service-links", f"{filled} of {len(links)} links are filled in")


def _filled(key: str, what: str, *labels: str) -> Callable[[RepositoryFacts], ReadinessFinding]:
    """A check that one of these lines of the service links has an address."""

    def checked(facts: RepositoryFacts) -> ReadinessFinding:
        links = _links(facts)
        if any(links.get(label) for label in labels):
            return ok(key, f"{what} is linked")
        if links and not any(label in links for label in labels):
            return unknown(key, f"{RUNBOOKS}/service-links.md has no line `{labels[0]}`")
        return problem(
            key,
            f"{what} is not linked",
            f"Fill in `{labels[0].capitalize()}:` in {RUNBOOKS}/service-links.md.",
        )

    return checked


def _rollback(facts: RepositoryFacts) -> ReadinessFinding:
    path = f"{RUNBOOKS}/rollback-rules.md"
    text = facts.pages.get(path)
    if text is None:
        return problem("rollback", f"there is no {path}", _INIT)
    row = _ROW.search(text)
    if row is not None and not row["command"]:
        return problem(
            "rollback",
            "how to roll the app back is not written down",
            f"Fill in the table `Our commands` in {path}, and rehearse it.",
        )
    return ok("rollback", path)


def _postmortem_template(facts: RepositoryFacts) -> ReadinessFinding:
    found = [path for path in facts.pages if path.startswith("ops/postmortems/")]
    if found:
        return ok("postmortem-template", "ops/postmortems/")
    return problem("postmortem-template", "there is no ops/postmortems/", _INIT)


def _runbooks(facts: RepositoryFacts) -> ReadinessFinding:
    """Of those that are found by a report's words; general pages have words, too, but few."""
    pages = (
        read_page(path, text, own=True)
        for path, text in facts.pages.items()
        if path.startswith(f"{RUNBOOKS}/") and "## Symptoms" in text
    )
    count = sum(bool(page.match) for page in pages)
    if count < 5:
        return problem(
            "runbooks",
            f"{count} runbooks can be found by the words of a report; five are wanted",
            f"{_INIT}, or write them as {RUNBOOKS}/README.md shows: `match:` and `## Symptoms`.",
        )
    return ok("runbooks", f"{count} runbooks can be found by the words of a report")


def _verification(facts: RepositoryFacts) -> ReadinessFinding:
    path = f"{RUNBOOKS}/verification-checklist.md"
    text = facts.pages.get(path)
    if text is None:
        return problem("verification", f"there is no {path}", _INIT)
    if not read_checklist(text):
        return problem(
            "verification", f"{path} has no checks", "Add lines such as `- [ ] Login works`."
        )
    if path not in facts.edited:
        return problem(
            "verification",
            "the journeys are still our examples",
            f"Put the paths that your users take under `Journeys` in {path}.",
        )
    return ok("verification", path)


def _action_items(facts: RepositoryFacts) -> ReadinessFinding:
    """Open actions of postmortems: `- [ ] text / @owner / yyyy-mm-dd`."""
    loose = [
        f"{path}:{number}"
        for path, text in sorted(facts.pages.items())
        if path.startswith("ops/postmortems/") and not path.endswith("/README.md")
        for number, line in enumerate(_outside_fences(text), start=1)
        if (item := _ITEM.match(line)) and not _COMPLETE.search(item["text"])
    ]
    if loose:
        return problem(
            "action-items",
            f"without owner or date: {', '.join(loose[:5])}",
            "End each with an owner and a date: `/ @owner / 2026-12-01`.",
        )
    return ok("action-items", "every open action has an owner and a date")


def _outside_fences(text: str) -> Iterator[str]:
    """The lines of a page; those of code blocks are empty."""
    fenced = False
    for line in text.replace("\r\n", "\n").split("\n"):
        fence = line.lstrip().startswith(("```", "~~~"))
        fenced ^= fence
        yield "" if fenced or fence else line


_CHECKS: dict[str, Callable[[RepositoryFacts], ReadinessFinding]] = {
    "severity-levels": _is_there(
        "severity-levels", "severity-matrix.md", "so nobody knows what a SEV1 is"
    ),
    "commander-role": _is_there("commander-role", "roles.md", "so nobody knows who decides"),
    "rollback": _rollback,
    "status-page": _filled("status-page", "the status page", "customer status page"),
    "service-links": _service_links,
    "change-history": _filled(
        "change-history",
        "the history of deploys",
        "deploy history",
        "config and feature flag history",
        "migration history",
    ),
    "postmortem-template": _postmortem_template,
    "runbooks": _runbooks,
    "alert-routing": _is_there(
        "alert-routing", "alert-routing.md", "so nobody knows where alerts go"
    ),
    "verification": _verification,
    "action-items": _action_items,
}
