"""The bot's comments. Each ends with the marker that makes posting it idempotent."""

from __future__ import annotations

from incident_actions.domain.commands import REGISTRY
from incident_actions.domain.fold import Notice
from incident_actions.domain.voice import marker
from incident_actions.render.environment import render


def write(notice: Notice, page: str | None = None) -> str:
    """The text of a notice. `page` is what it asks for from the playbook, as Markdown."""
    text = render(
        f"comments/{notice.kind}.md.j2",
        to=notice.to,
        lines=notice.lines,
        checks=notice.checks,
        topic=notice.topic,
        commands=REGISTRY,
        page=page,
    )
    return f"{text}\n\n{marker(notice.kind, notice.key)}"
