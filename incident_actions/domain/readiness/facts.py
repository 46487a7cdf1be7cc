"""The values of `doctor`: the facts that its checks look at, and the findings that they give."""

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
    """The result of a check, the most urgent first.

    BLOCKER: the next incident would not work at all. MISSING: a part of it would not. HOMEWORK:
    what only the team knows is not filled in. UNKNOWN: it could not be checked, which is no problem
    by itself.
    """

    BLOCKER = "BLOCKER"
    MISSING = "missing"
    HOMEWORK = "homework"
    UNKNOWN = "not seen"
    OK = "ok"

    @property
    def is_problem(self) -> bool:
        """Whether there is something to put right."""
        return self in (Health.BLOCKER, Health.MISSING, Health.HOMEWORK)


class ReadinessFinding(Struct, frozen=True):
    """What one check found.

    `seen` says what the check saw. `fix` says how to put a problem right or, for UNKNOWN, how to
    make the check possible. `key` names the item that was checked. Checks make findings without a
    key, by `ok`, `missing` and their like; `run` adds the key.
    """

    health: Health
    seen: str
    fix: str = ""
    key: str = ""


ok = partial(ReadinessFinding, Health.OK)
blocker = partial(ReadinessFinding, Health.BLOCKER)
missing = partial(ReadinessFinding, Health.MISSING)
homework = partial(ReadinessFinding, Health.HOMEWORK)
unknown = partial(ReadinessFinding, Health.UNKNOWN)


def run(
    checks: Mapping[str, Callable[Facts, ReadinessFinding | None]],
    *facts: Facts.args,
    **named: Facts.kwargs,
) -> Iterator[ReadinessFinding]:
    """Run the checks (by the key of their item), each with these facts, and yield their findings.

    A check returns None when it does not apply; then there is no finding.
    """
    for key, check in checks.items():
        finding = check(*facts, **named)
        if finding is not None:
            yield replace(finding, key=key)


class RemoteFacts(Struct, frozen=True):
    """What GitHub says about the repository. None: the token may not read it, or there is none.

    `branch` is the default branch. `states` are the states of the workflows, by path: `active`,
    `disabled_inactivity`, and so on. `swept` is when the workflow that runs `respond` last ran on
    its schedule. `protected` says whether the default branch has any protection; `required` are the
    status checks that it requires. `denied` names the permissions that the token lacks. `lost` are
    the copies of our action that workflows use and that are not there, as OWNER/NAME@REF.
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
    lost: tuple[str, ...] = ()


class RepositoryFacts(Struct, frozen=True):
    """What is in a repository.

    `pages` are the texts of the files below `ops/`, by path; `edited` are the paths of those that
    differ from ours. `form_problems` and `config_problems` say what is wrong with the incident form
    and the configuration; `form_problems` is None when there is no form. `people` says for each
    login with a role in the configuration whether it has write access; None: GitHub was not asked.
    `remote` is None without a token, or when GitHub could not be asked; `blind` says why, and what
    to do about it. `owner` has the copy of our action to use; empty when it is not known.
    `services` are the names on the configuration's list of services, empty without a list;
    `offered` are those in the form's dropdown, empty without one. `watched` is False when the
    configuration says that no severity is worth a watch.
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
    services: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    watched: bool = True
    blind: tuple[str, str] = ("", "")
    owner: str = ""
