"""What `doctor` looks at, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from incident_actions.domain.readiness.workflows import Workflow


class Health(StrEnum):
    """How an item stands. UNKNOWN: it could not be seen; that is no fault of the repository."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


class ReadinessFinding(Struct, frozen=True):
    """One item: what was seen, and for a problem the exact fix."""

    key: str
    health: Health
    seen: str
    fix: str = ""


def ok(key: str, seen: str) -> ReadinessFinding:
    """All is well."""
    return ReadinessFinding(key, Health.OK, seen)


def problem(key: str, seen: str, fix: str) -> ReadinessFinding:
    """Something to be fixed."""
    return ReadinessFinding(key, Health.PROBLEM, seen, fix)


def unknown(key: str, seen: str, fix: str = "") -> ReadinessFinding:
    """It could not be seen; `fix` says how it could."""
    return ReadinessFinding(key, Health.UNKNOWN, seen, fix)


class RemoteFacts(Struct, frozen=True):
    """What GitHub says of the repository. None: the token may not see it, or it is not there.

    `states` are the workflows' by path: `active`, `disabled_inactivity`, and so on. `swept` is
    the last scheduled run of the workflow that responds. `required` are the checks without which
    nothing is merged into the default branch; `protected` says that there is any protection.
    `denied` names the token's missing permissions.
    """

    name: str
    branch: str
    has_issues: bool
    may_push: bool | None
    labels: frozenset[str] | None
    may_open_pulls: bool | None
    states: Mapping[str, str] | None
    swept: datetime | None
    protected: bool | None
    required: tuple[str, ...]
    denied: tuple[str, ...]


class RepositoryFacts(Struct, frozen=True):
    """A repository as it is. `pages` are the files below `ops/` by path.

    `edited` are the pages that differ from ours. The problems of the form and of the
    configuration were found by reading them; None: the form is not there. `people` says of each
    login that the configuration gives a role whether it may write; None: GitHub was not asked.
    """

    now: datetime
    workflows: tuple[Workflow, ...]
    pages: Mapping[str, str]
    edited: frozenset[str]
    form_problems: tuple[str, ...] | None
    config_problems: tuple[str, ...]
    form_path: str
    people: Mapping[str, bool] | None
    remote: RemoteFacts | None
