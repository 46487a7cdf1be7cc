"""Runbooks: Markdown files with front matter, which the bot finds by a report's words and posts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from urllib.parse import urljoin

from msgspec import Struct

from incident_actions.domain.issue.forms import FormValues
from incident_actions.domain.issue.observation import MAX_LENGTH
from incident_actions.domain.text.documents import (
    read_front_matter,
    split_front_matter,
    without_comments,
)
from incident_actions.domain.text.names import slug

SEARCHED = ("summary", "affected", "layer", "services")
"""The ids of the form's questions in whose answers the words of runbooks are looked for."""
MOST_SHOWN = 5
_LINK = re.compile(r"(\[[^\[\]\n]*\])\((?!https?://|#|mailto:)([^()\[\s]+)\)")
_ROOM = MAX_LENGTH - 4_000


class Runbook(Struct, frozen=True, omit_defaults=True):
    """A runbook that fits a report.

    `name` is the name of its file without `.md`. `own` is True for the team's own runbooks, False
    for ours.
    """

    name: str
    title: str
    own: bool = False


class RunbookPage(Struct, frozen=True):
    """A runbook with what it is found by: words (`match`) and names of services."""

    name: str
    title: str
    match: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    own: bool = False


def read_page(name: str, text: str, *, own: bool) -> RunbookPage:
    """A runbook from the text of its file. Invalid front matter counts as none."""
    front = read_front_matter(text) or {}
    title = front.get("title")
    return RunbookPage(
        name=name,
        title=title if isinstance(title, str) and title else unread_page(name, own=own).title,
        match=_texts(front.get("match")),
        services=_texts(front.get("services")),
        own=own,
    )


def unread_page(name: str, *, own: bool) -> RunbookPage:
    """A runbook of which only the file's name is known: its title and words are made from that."""
    words = re.sub(r"[-_.\s]+", " ", name).strip()
    return RunbookPage(name=name, title=words[:1].upper() + words[1:], match=(words,), own=own)


def _texts(value: object) -> tuple[str, ...]:
    """The texts in a value of the front matter: a list or a single one. Numbers count as texts."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    words = (str(item).strip() for item in items if isinstance(item, str | int))
    return tuple(word for word in words if word)


def report(answers: FormValues) -> str:
    """The text in which runbooks' words are looked for: the answers to the `SEARCHED` questions."""
    return "\n".join(answers.get(id) for id in SEARCHED)


def rank(name: str, text: str) -> int:
    """How many words of a file's name are in a report. The files with the most are read first."""
    return sum(_stands_in(word, text) for word in re.split(r"[-_.\s]+", name) if len(word) > 1)


def matching(pages: Iterable[RunbookPage], answers: FormValues) -> tuple[Runbook, ...]:
    """The runbooks that fit a report, at most `MOST_SHOWN`.

    The team's own come first, then those with the most matching words and services.
    """
    text = report(answers)
    services = _slugs(answers.get("services"))
    fitting = [
        (not page.own, -hits, page.name, page)
        for page in pages
        if (hits := _hits(page, text, services))
    ]
    fitting.sort(key=lambda ranked: ranked[:3])
    return tuple(
        Runbook(page.name, page.title[:100], own=page.own) for *_, page in fitting[:MOST_SHOWN]
    )


def _slugs(answer: str) -> set[str]:
    """The names in a comma-separated answer, as slugs, so that spelling matters little."""
    names = re.split(r"[,;\n]", answer.casefold())
    return {slug(name, otherwise="") for name in names} - {""}


def _hits(page: RunbookPage, text: str, services: Set[str]) -> int:
    """How many of a runbook's services and words are in a report."""
    named = {service for name in page.services for service in _slugs(name)}
    return len(named & services) + sum(_stands_in(word, text) for word in page.match)


def _stands_in(phrase: str, text: str) -> bool:
    """Whether a text has a word or phrase as whole words, ignoring case and plurals."""
    words = r"\s+".join(map(_in_either_number, phrase.split()))
    return bool(words) and bool(re.search(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE))


def _in_either_number(word: str) -> str:
    """A regular expression for a word, its plural, and its singular if it looks like a plural."""
    singulars = (word.removesuffix(ending) for ending in ("s", "es") if word.endswith(ending))
    forms = [f"{re.escape(word)}(?:e?s)?", *(re.escape(one) for one in singulars if len(one) > 3)]
    return f"(?:{'|'.join(forms)})"


def without_front_matter(text: str) -> str:
    """A page without its front matter."""
    front, rest = split_front_matter(text)
    return rest.lstrip("\n") if front else rest


def as_comment(text: str, url: str | None) -> str:
    """A page as the text of a comment: without front matter and HTML comments, and cut if too long.

    `url` is the page's address; relative links are made absolute with it. Without it they become
    plain text.
    """
    page = without_comments(without_front_matter(text.replace("\r\n", "\n"))).strip()
    if url is None:
        page = re.sub(_LINK, lambda found: found[1][1:-1], page)
    else:
        page = re.sub(_LINK, lambda found: f"{found[1]}({urljoin(url, found[2])})", page)
        page = f"{page}\n\n[Edit this page]({url})"
    if len(page) > _ROOM:
        page = page[:_ROOM] + "\n\n(cut: the page is longer than a comment may be)"
    return page
