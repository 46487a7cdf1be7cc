"""`doctor`'s checks of the playbook in `ops/`: the items of the team's readiness checklist."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from incident_actions.domain.playbook.checklist import read_checklist
from incident_actions.domain.playbook.runbooks import read_page
from incident_actions.domain.readiness import facts as found
from incident_actions.domain.readiness.facts import (
    ReadinessFinding,
    RepositoryFacts,
    homework,
    missing,
    ok,
    unknown,
)

Check = Callable[[RepositoryFacts], ReadinessFinding]
RUNBOOKS = "ops/runbooks"
POSTMORTEMS = "ops/postmortems"
_KEY = re.compile(r"<!--\s*doctor:\s*([\w-]+)\s*-->")
_LINE = re.compile(r"^[-*] (?P<label>[^:\n]+):[ \t]*(?P<value>.*?)[ \t]*$", re.MULTILINE)
_ROW = re.compile(r"^\| *Roll back the app *\| *(?P<command>[^|]*?) *\|", re.MULTILINE)
_ITEM = re.compile(r"^- \[ \] (?P<text>.+)$")
_COMPLETE = re.compile(r"/ *@[\w-]+ */ *\d{4}-\d{2}-\d{2} *$")
_INIT = "incident-actions init"


def check(facts: RepositoryFacts) -> Iterable[ReadinessFinding]:
    """One finding for each item of the team's readiness checklist that has a key.

    The item `freeze-rule` is left out: `files` checks it, where the workflows are. An item with an
    unknown key is reported as something that only people can check. Without any page there is one
    finding.
    """
    path = f"{RUNBOOKS}/readiness-checklist.md"
    if not any(page.startswith(f"{RUNBOOKS}/") for page in facts.pages):
        return found.run({"playbook": lambda: missing(f"there is no {RUNBOOKS}/", _INIT)})
    if path not in facts.pages:
        return found.run(
            {"readiness": lambda _: missing(f"there is no {path}", _INIT)} | _CHECKS, facts
        )
    keys = _KEY.findall(facts.pages[path])
    return found.run(
        {key: _CHECKS.get(key, _by_people) for key in keys if key != "freeze-rule"}, facts
    )


def _by_people(_: RepositoryFacts) -> ReadinessFinding:
    return unknown("only people can tell")


def _page(
    name: str,
    judge: Callable[[str, str, RepositoryFacts], ReadinessFinding] | None = None,
    otherwise: str = "",
) -> Check:
    """A check of one page in `ops/runbooks`.

    `judge` gets the page's path and text, and gives the finding. Without `judge`, any page that is
    not empty is fine. `otherwise` ends the problem's text: what is wrong when there is no page.
    """
    path = f"{RUNBOOKS}/{name}"

    def checked(facts: RepositoryFacts) -> ReadinessFinding:
        text = facts.pages.get(path)
        if text is None or not (judge or text.strip()):
            return missing(f"there is no {path}{otherwise}", _INIT)
        return judge(path, text, facts) if judge else ok(path)

    return checked


def _links(text: str) -> dict[str, str]:
    """The lines `- Label: address` in the page of service links: label in lower case -> address."""
    return {m["label"].strip().casefold(): m["value"] for m in _LINE.finditer(text)}


def _service_links(path: str, text: str, _: RepositoryFacts) -> ReadinessFinding:
    links = _links(text)
    filled = sum(bool(value) for value in links.values())
    if not filled:
        return homework("not one link is filled in", f"Fill in {path}: dashboards and logs.")
    return ok(f"{filled} of {len(links)} links are filled in")


def _filled(what: str, *labels: str) -> Check:
    """A check that the page of service links has an address for one of these labels.

    `what` names the item in the finding.
    """
    path = f"{RUNBOOKS}/service-links.md"

    def checked(facts: RepositoryFacts) -> ReadinessFinding:
        links = _links(facts.pages.get(path, ""))
        if any(links.get(label) for label in labels):
            return ok(f"{what} is linked")
        if links and not any(label in links for label in labels):
            return unknown(f"{path} has no line `{labels[0]}`")
        return homework(f"{what} is not linked", f"Fill in `{labels[0].capitalize()}:` in {path}.")

    return checked


def _rollback(path: str, text: str, _: RepositoryFacts) -> ReadinessFinding:
    row = _ROW.search(text)
    if row is not None and not row["command"]:
        return homework(
            "how to roll the app back is not written down",
            f"Fill in the table `Our commands` in {path}, and rehearse it.",
        )
    return ok(path)


def _postmortem_template(facts: RepositoryFacts) -> ReadinessFinding:
    if any(path.startswith(f"{POSTMORTEMS}/") for path in facts.pages):
        return ok(f"{POSTMORTEMS}/")
    return missing(f"there is no {POSTMORTEMS}/", _INIT)


def _runbooks(facts: RepositoryFacts) -> ReadinessFinding:
    """Count the runbooks about a symptom that a report's words can find. General pages don't count.

    A runbook counts when it has `match:` words and a section `Symptoms`.
    """
    count = sum(
        bool(read_page(path, text, own=True).match)
        for path, text in facts.pages.items()
        if path.startswith(f"{RUNBOOKS}/") and "## Symptoms" in text
    )
    seen = f"{count} runbooks can be found by the words of a report"
    if count < 5:
        return missing(
            f"{seen}; five are wanted",
            f"{_INIT}, or write them as {RUNBOOKS}/README.md shows: `match:` and `## Symptoms`.",
        )
    return ok(seen)


def _verification(path: str, text: str, facts: RepositoryFacts) -> ReadinessFinding:
    if not read_checklist(text):
        return homework(f"{path} has no checks", "Add lines such as `- [ ] Login works`.")
    if path not in facts.edited:
        return homework(
            "the journeys are still our examples",
            f"Put the paths that your users take under `Journeys` in {path}.",
        )
    return ok(path)


def _action_items(facts: RepositoryFacts) -> ReadinessFinding:
    """Whether each open action of the postmortems reads `- [ ] text / @owner / yyyy-mm-dd`."""
    incomplete = [
        f"{path}:{number}"
        for path, text in sorted(facts.pages.items())
        if path.startswith(f"{POSTMORTEMS}/") and not path.endswith("/README.md")
        for number, line in enumerate(_outside_fences(text), start=1)
        if (item := _ITEM.match(line)) and not _COMPLETE.search(item["text"])
    ]
    if incomplete:
        return homework(
            f"without owner or date: {', '.join(incomplete[:5])}",
            "End each with an owner and a date: `/ @owner / 2026-12-01`.",
        )
    return ok("every open action has an owner and a date")


def _outside_fences(text: str) -> Iterator[str]:
    """The lines of a page, with an empty line in place of each line of a fenced code block."""
    fenced = False
    for line in text.replace("\r\n", "\n").split("\n"):
        fence = line.lstrip().startswith(("```", "~~~"))
        fenced ^= fence
        yield "" if fenced or fence else line


_CHECKS: dict[str, Check] = {
    "severity-levels": _page("severity-matrix.md", otherwise=", so nobody knows what a SEV1 is"),
    "commander-role": _page("roles.md", otherwise=", so nobody knows who decides"),
    "rollback": _page("rollback-rules.md", _rollback),
    "status-page": _filled("the status page", "customer status page"),
    "service-links": _page("service-links.md", _service_links),
    "change-history": _filled(
        "the history of deploys",
        "deploy history",
        "config and feature flag history",
        "migration history",
    ),
    "postmortem-template": _postmortem_template,
    "runbooks": _runbooks,
    "alert-routing": _page("alert-routing.md", otherwise=", so nobody knows where alerts go"),
    "verification": _page("verification-checklist.md", _verification),
    "action-items": _action_items,
}
