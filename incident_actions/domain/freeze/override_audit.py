"""The deploys that passed a freeze, by the trace that the gate leaves in its workflow run.

The trace is an annotation, and whoever may change a workflow's files in this repository can write
one. So only check runs of GitHub Actions count, on commits that were deployed or allowed. What
remains: somebody who may run workflows on such a commit can put a line into the timeline. A trace
opens nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.issue.observation import Deployment

TITLE = "incident-actions override"
"""The title of the gate's annotation."""
APP = "github-actions"
MOST_LOOKED = 60
MOST_PASSAGES = 20
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(\[bot\])?")


class CheckRun(Struct, frozen=True):
    """One job of a workflow, as GitHub records it on a commit. `done`: it has ended."""

    id: int
    sha: str
    app: str
    at: datetime
    done: bool
    annotations: int


class OverrideUse(Struct, frozen=True, omit_defaults=True):
    """A deploy that the gate let through a freeze: which commit, when, who started it, and why."""

    key: str
    sha: str
    at: datetime
    actor: str
    how: str
    reason: str = ""


class OverrideAudit(Struct, frozen=True, omit_defaults=True):
    """What is known of used overrides; `looked` names commits and check runs that are read."""

    looked: tuple[str, ...] = ()
    passages: tuple[OverrideUse, ...] = ()

    def knows(self, name: str) -> bool:
        """Whether this commit or check run was read to its end."""
        return name in self.looked

    def with_looked(self, name: str) -> OverrideAudit:
        """Remember that something was read; the oldest is forgotten first."""
        return OverrideAudit((*self.looked, name)[-MOST_LOOKED:], self.passages)

    def with_passages(self, found: Iterable[OverrideUse]) -> OverrideAudit:
        """Remember passages, each once."""
        known = {passage.key for passage in self.passages}
        fresh = [passage for passage in found if passage.key not in known]
        return OverrideAudit(self.looked, (*self.passages, *fresh)[-MOST_PASSAGES:])


def candidates(
    incident: Incident, deployments: Sequence[Deployment], trail: OverrideAudit
) -> tuple[str, ...]:
    """The commits whose check runs may tell of an override, the newest deployments first."""
    deployed = [deployment.sha for deployment in reversed(deployments)]
    allowed = [each.sha for each in incident.allow if each.sha]
    unseen = [sha for sha in allowed if not any(full.startswith(sha) for full in deployed)]
    return tuple(
        sha for sha in dict.fromkeys([*deployed, *unseen]) if not trail.knows(name_of(sha))
    )


def is_final(sha: str, runs: Sequence[CheckRun], incident: Incident, now: datetime) -> bool:
    """Whether nothing more will come for this commit: all is read, and no allowance is open."""
    waits = any(
        each.sha and sha.startswith(each.sha) and each.until > now for each in incident.allow
    )
    return bool(runs) and all(run.done for run in runs) and not waits


def name_of(sha: str) -> str:
    """How a commit is remembered in `OverrideAudit.looked`."""
    return sha[:12].lower()


def worth_reading(runs: Iterable[CheckRun], sha: str, trail: OverrideAudit) -> tuple[CheckRun, ...]:
    """The check runs that may hold a trace, the newest first."""
    found = [
        run
        for run in runs
        if run.app == APP
        and run.annotations
        and run.sha.lower().startswith(sha.lower())
        and not trail.knows(str(run.id))
    ]
    return tuple(sorted(found, key=lambda run: run.at, reverse=True))


def read_trace(message: str, number: int, run: CheckRun) -> tuple[OverrideUse, ...]:
    """The passages through the incident `number` in one annotation; none if it can't be read.

    Somebody else's text: every value is checked, and nothing of it is believed but that it was
    said. Whoever shows it escapes it.
    """
    try:
        trace = json.loads(message)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(trace, dict) or trace.get("v") != 1:
        return ()
    given = trace.get("overrides")
    entries = given if isinstance(given, list) else []
    return tuple(
        OverrideUse(
            key=f"o{run.id}.{index}",
            sha=run.sha,
            at=run.at,
            actor=_login(entry.get("actor")) or "somebody",
            how=how,
            reason=_text(entry.get("reason")),
        )
        for index, entry in enumerate(entries[:20])
        if isinstance(entry, dict) and entry.get("incident") == number and (how := _how(entry))
    )


def _how(entry: dict[str, object]) -> str:
    change = _text(entry.get("change"))[:20]
    if entry.get("kind") == "allowed":
        return f"/allow {change} by {_login(entry.get('by')) or 'somebody'}"
    if entry.get("kind") == "fix":
        return f"fix {change}"
    return {"rollback": "rollback", "may-deploy": "may deploy"}.get(str(entry.get("kind")), "")


def _login(value: object) -> str:
    return value if isinstance(value, str) and _LOGIN.fullmatch(value) else ""


def _text(value: object) -> str:
    return " ".join(value.split())[:200] if isinstance(value, str) else ""
