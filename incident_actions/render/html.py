"""Pages in HTML: everything is escaped, except what our own Markdown reader made."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown_it import MarkdownIt
from markupsafe import Markup

from incident_actions.render.markdown import TEMPLATES

_READER = MarkdownIt("commonmark", {"html": False})
_READER.disable(["image", "link", "autolink"])
_LINK = re.compile(r"\[([^\]]*)\]\([^)\s]*\)")


def inline_html(text: str) -> Markup:
    """One line of Markdown as HTML: bold and code stay, links become their text, HTML is text."""
    return Markup(_READER.renderInline(_LINK.sub(r"\1", text)))


def render_html(template: str, **facts: Any) -> str:
    """A template of ours with these facts, each escaped."""
    return _ENVIRONMENT.get_template(template).render(**facts).strip()


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters.update(inline_html=inline_html)
    return environment


_ENVIRONMENT = _environment()
