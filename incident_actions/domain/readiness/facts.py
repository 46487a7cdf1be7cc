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
    """The result of a check. UNKNOWN: it could not be checked, which is no problem by itself."""

    PROBLEM = "PROBLEM"
    OK = "ok"
    UNKNOWN = "not seen"


class ReadinessFinding(Struct, frozen=True):
    """What one check found.

    `seen` says what the check saw. `fix` says how to put a problem right or, for UNKNOWN, how to
    make the check possible. `key` names the item that was checked. Checks make findings without a
    key, by `ok`, `problem` or `unknown`; `run` adds the key.
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
    status checks that it requires. `denied` names the permissions that the token lacks.
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
    """What is in a repository.

    `pages` are the texts of the files below `ops/`, by path; `edited` are the paths of those that
    differ from ours. `form_problems` and `config_problems` say what is wrong with the incident form
    and the configuration; `form_problems` is None when there is no form. `people` says for each
    login with a role in the configuration whether it has write access; None: GitHub was not asked.
    `remote` is None without a token. `services` are the names on the configuration's list of
    services, empty without a list; `offered` are those in the form's dropdown, empty without one.
    `watched` is False when the configuration says that no severity is worth a watch.
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
