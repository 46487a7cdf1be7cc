"""Renders our Markdown templates, and escapes what people wrote.

Text from people must not become formatting, HTML, a mention or one of our markers. Templates run
in a sandbox, and an unknown name in one is an error.
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from incident_actions.domain.text.harmless import quiet
from incident_actions.our_files import OUR_FILES

_URL = re.compile(r"(https?://[^\s<>\"'`|\\()\[\]]+)")
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$])")
_BLOCK_START = re.compile(r"^([#>+=-])")
_LIST_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_NOT_PRINTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def inline(text: object, longest: int = 300) -> str:
    """Escape people's text for one line: no formatting, no HTML, no mentions, no references. URLs
    stay links, but those of issues.

    A text of more than `longest` characters is cut. Control characters, and those that change the
    writing direction, are dropped; letters of right-to-left scripts stay.
    """
    flat = " ".join(_NOT_PRINTED.sub("", str(text)).split())
    if len(flat) > longest:
        flat = flat[: longest - 1].rstrip() + "…"
    parts = _URL.split(flat)  # every second part is a URL
    parts = [quiet(part) if index % 2 else _escape(part) for index, part in enumerate(parts)]
    line = _BLOCK_START.sub(r"\\\1", "".join(parts))
    return _LIST_START.sub(r"\1\\\2", line)


def _escape(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", text)
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return quiet(escaped)


def quote(text: str) -> str:
    """A whole text as a Markdown quote.

    Its formatting stays; HTML, markers, mentions and references do not.
    """
    safe = _NOT_PRINTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    safe = quiet(safe.replace("<!--", "&lt;!--").replace("<", "&lt;"))
    return "\n".join(f"> {line}".rstrip() for line in safe.split("\n"))


def utc(at: datetime | None, beside: datetime | None = None) -> str:
    """A time such as `14:02 UTC`, with its date unless `beside` has the same; empty for None."""
    if at is None:
        return ""
    at = at.astimezone(UTC)
    if beside is not None and at.date() == beside.astimezone(UTC).date():
        return f"{at:%H:%M} UTC"
    return f"{at:%Y-%m-%d %H:%M} UTC"


def minutes(start: datetime | None, end: datetime | None) -> str:
    """The time between two moments: `43 min`, `2 h 5 min`; empty when one of them is None."""
    if start is None or end is None:
        return ""
    total = max(0, round((end - start).total_seconds() / 60))
    hours, rest = divmod(total, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def code(text: str) -> str:
    """Escape text that a template puts between backticks, on one line."""
    return " ".join(text.replace("`", "'").split())


def with_filters(*, html: bool = False, **filters: Any) -> ImmutableSandboxedEnvironment:
    """An environment for templates, with our filters and those that are given.

    With `html` all values are escaped automatically. In Markdown templates the filters `inline`
    and `quote` must be used for that.
    """
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(OUR_FILES / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=html,
    )
    environment.filters.update(inline=inline, quote=quote, utc=utc, code=code, **filters)
    environment.globals.update(minutes=minutes)
    return environment


_ENVIRONMENT = with_filters()


def render(template: str, **facts: Any) -> str:
    """Render one of our templates with these facts, without white space at both ends."""
    return _ENVIRONMENT.get_template(template).render(**facts).strip()
