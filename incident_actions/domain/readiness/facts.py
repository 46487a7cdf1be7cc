"""What `doctor` looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import ParamSpec

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.readiness.workflows import Workflow

Facts = ParamSpec("Facts")


class Health(StrEnum):
    """How an item stands. UNKNOWN: it could not be seen; that is no fault of the repository."""

    PROBLEM = "PROBLEM"
    OK = "ok"
    UNKNOWN = "not seen"


class ReadinessFinding(Struct, frozen=True):
    """One item: what was seen, and for a problem the exact fix; `key` is the item's name.

    A check makes it without a key, by `ok`, `problem` or `unknown` (where `fix` says how the item
    could be seen); `run` adds the key.
    """

    health: Health
    seen: str
    fix: str = ""
    key: str = ""


ok = partial(ReadinessFinding, Health.OK)
problem = partial(ReadinessFinding, Health.PROBLEM)
unknown = partial(ReadinessFinding, Health.UNKNOWN)


def run(
    checks: Mapping[str, Callable[Facts, ReadinessFinding | None]],
    *facts: Facts.args,
    **named: Facts.kwargs,
) -> Iterator[ReadinessFinding]:
    """What these checks find; each by the key of its item. One that has no say gives None."""
    for key, check in checks.items():
        found = check(*facts, **named)
        if found is not None:
            yield replace(found, key=key)


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
