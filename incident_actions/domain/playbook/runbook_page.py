"""Runbooks: Markdown files with front matter, as they are posted in an incident."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from incident_actions.domain.issue.body import MAX_LENGTH
from incident_actions.domain.text.documents import split_front_matter

_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_LINK = re.compile(r"(\[[^\]\n]*\])\((?!https?://|#|mailto:)([^)\s]+)\)")
_ROOM = MAX_LENGTH - 4_000


def without_front_matter(text: str) -> str:
    """A page's Markdown alone."""
    front, rest = split_front_matter(text)
    return rest.lstrip("\n") if front else rest


def as_comment(text: str, url: str | None) -> str:
    """A page to post: no front matter or HTML comments, and links that lead somewhere.

    `url` is the page's own address; without one, relative links become plain text.
    """
    page = _COMMENT.sub("", without_front_matter(text.replace("\r\n", "\n"))).strip()
    if url is None:
        page = re.sub(_LINK, lambda found: found[1][1:-1], page)
    else:
        page = re.sub(_LINK, lambda found: f"{found[1]}({urljoin(url, found[2])})", page)
        page = f"{page}\n\n[Edit this page]({url})"
    if len(page) > _ROOM:
        page = page[:_ROOM] + "\n\n(cut: the page is longer than a comment may be)"
    return page
