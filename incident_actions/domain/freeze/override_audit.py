"""Find the deploys that passed a freeze, by the traces that the gate leaves in workflow runs.

A trace is an annotation of a check run. Anybody who may change workflow files of this repository
can write one. So only check runs of GitHub Actions on commits that were deployed or allowed are
read. Somebody who may run workflows on such a commit can still forge a trace. That only adds a line
to the timeline: a trace lets no deploy through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct, field

from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.issue.observation import Deployment
from incident_actions.domain.text.names import LOGIN

TITLE = "incident-actions override"
"""The title of the gate's annotation."""
APP = "github-actions"
MOST_LOOKED = 60
MOST_USES = 20
_LOGIN = re.compile(rf"{LOGIN}(\[bot\])?")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class CheckRun(Struct, frozen=True):
    """A check run of the commit `sha`, such as one job of a workflow.

    `app` is the app that made it. `done` says that it has ended. `annotations` is their number.
    """

    id: int
    sha: str
    app: str
    at: datetime
    done: bool
    annotations: int


class OverrideUse(Struct, frozen=True, omit_defaults=True):
    """A deploy that the gate let through a freeze.

    `key` identifies it. `sha` is its commit, `actor` who started it, `how` the rule by which it
    passed.
    """

    key: str
    sha: str
    at: datetime
    actor: str
    how: str
    reason: str = ""


class OverrideAudit(Struct, frozen=True, omit_defaults=True):
    """What was read of the traces so far.

    `looked` names the commits (`name_of`) and check runs (their id) that need no reading any more.
    `uses` are the deploys that were found.
    """

    looked: tuple[str, ...] = ()
    uses: tuple[OverrideUse, ...] = field(default=(), name="passages")

    def knows(self, name: str) -> bool:
        """Whether the commit or check run of this name needs no reading any more."""
        return name in self.looked

    def with_looked(self, name: str) -> OverrideAudit:
        """With one more name in `looked`. At most `MOST_LOOKED` are kept, the newest."""
        return OverrideAudit((*self.looked, name)[-MOST_LOOKED:], self.uses)

    def with_uses(self, found: Iterable[OverrideUse]) -> OverrideAudit:
        """With more uses, each only once. At most `MOST_USES` are kept, the newest."""
        known = {use.key for use in self.uses}
        fresh = [use for use in found if use.key not in known]
        return OverrideAudit(self.looked, (*self.uses, *fresh)[-MOST_USES:])


def candidates(
    incident: Incident, deployments: Sequence[Deployment], audit: OverrideAudit
) -> tuple[str, ...]:
    """The commits (SHAs) whose check runs are to be read.

    These are deployed commits, the newest first, then allowed ones, without those read before.
    """
    deployed = [deployment.sha for deployment in reversed(deployments)]
    allowed = [allowance.sha for allowance in incident.allow if allowance.sha]
    unseen = [sha for sha in allowed if not any(full.startswith(sha) for full in deployed)]
    return tuple(
        sha for sha in dict.fromkeys([*deployed, *unseen]) if not audit.knows(name_of(sha))
    )


def is_final(sha: str, runs: Sequence[CheckRun], incident: Incident, now: datetime) -> bool:
    """Whether no more traces can appear on this commit.

    All of its check runs have ended, there is at least one, and no allowance for it still runs.
    """
    allowed = any(
        allow.sha and sha.startswith(allow.sha) and allow.until > now for allow in incident.allow
    )
    return bool(runs) and all(run.done for run in runs) and not allowed


def name_of(sha: str) -> str:
    """A commit's name in `OverrideAudit.looked`: the first 12 digits of its SHA."""
    return sha[:12].lower()


def worth_reading(runs: Iterable[CheckRun], sha: str, audit: OverrideAudit) -> tuple[CheckRun, ...]:
    """The check runs of a commit that may have a trace and were not read yet, the newest first."""
    unread = [
        run
        for run in runs
        if run.app == APP
        and run.annotations
        and run.sha.lower().startswith(sha.lower())
        and not audit.knows(str(run.id))
    ]
    return tuple(sorted(unread, key=lambda run: run.at, reverse=True))


def read_trace(message: str, number: int, run: CheckRun) -> tuple[OverrideUse, ...]:
    """The deploys that passed the freeze of the incident `number`, by one annotation's message.

    Empty when the message is no valid trace. The message is untrusted: every value is checked here,
    and whoever shows one must escape it.
    """
    try:
        trace = json.loads(message)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(trace, dict) or trace.get("v") != 1:
        return ()
    given = trace.get("overrides")
    entries = given if isinstance(given, list) else []
    deployed = str(trace.get("sha")).lower()  # of some events another one than the run's
    return tuple(
        OverrideUse(
            key=f"o{run.id}.{index}",
            sha=deployed if _SHA.fullmatch(deployed) else run.sha,
            at=run.at,
            actor=_login(entry.get("actor")) or "somebody",
            how=how,
            reason=_text(entry.get("reason")),
        )
        for index, entry in enumerate(entries[:20])
        if isinstance(entry, dict) and entry.get("incident") == number and (how := _how(entry))
    )


def _how(entry: dict[str, object]) -> str:
    """The rule by which a deploy passed, in words; empty when it is unknown."""
    change = _text(entry.get("change"))[:20]
    if entry.get("kind") == "allowed":
        return f"/allow {change} by {_login(entry.get('by')) or 'somebody'}"
    if entry.get("kind") == "fix":
        return f"fix {change}"
    return {"rollback": "rollback", "may-deploy": "may deploy"}.get(str(entry.get("kind")), "")


def _login(value: object) -> str:
    """A value that is a login, else an empty text."""
    return value if isinstance(value, str) and _LOGIN.fullmatch(value) else ""


def _text(value: object) -> str:
    """A text on one line, cut to 200 characters; empty for any other value."""
    return " ".join(value.split())[:200] if isinstance(value, str) else ""
