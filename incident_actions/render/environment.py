"""The template environment: sandboxed, strict, with filters that escape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from incident_actions.render import markdown

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        autoescape=False,  # Markdown, not HTML: `| inline` and `| quote` escape what people wrote
    )
    environment.filters.update(
        inline=markdown.inline,
        quote=markdown.quote,
        utc=markdown.utc,
        code=markdown.code,
    )
    environment.globals.update(minutes=markdown.minutes)
    return environment


_ENVIRONMENT = _environment()


def render(template: str, **facts: Any) -> str:
    """A template of ours with these facts; the text has no blank lines at its ends."""
    return _ENVIRONMENT.get_template(template).render(**facts).strip()


def with_filters(**filters: Any) -> ImmutableSandboxedEnvironment:
    """An environment like ours with more filters, for templates that a repository brings."""
    environment = _environment()
    environment.filters.update(filters)
    return environment
