"""What starts a workflow, by its file: the part of reading workflows that every run needs.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#on
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def events_of(document: Mapping[Any, Any] | None) -> Any:
    """What stands under `on:`. YAML 1.1 reads that key as true."""
    document = document or {}
    return document.get("on", document.get(True))


def event_of(document: Mapping[Any, Any] | None, name: str) -> Any:
    """What `on:` says of an event; None when it says nothing."""
    events = events_of(document)
    return events.get(name) if isinstance(events, dict) else None


def triggers_of(document: Mapping[Any, Any] | None) -> frozenset[str]:
    """The events that start it."""
    events = events_of(document)
    if isinstance(events, str):
        return frozenset({events})
    return frozenset(map(str, events)) if isinstance(events, list | dict) else frozenset()


def crons_of(document: Mapping[Any, Any] | None) -> tuple[str, ...]:
    """Its schedules, as they are written."""
    listed = event_of(document, "schedule")
    entries = listed if isinstance(listed, list) else []
    return tuple(str(each.get("cron", "")) for each in entries if isinstance(each, dict))
