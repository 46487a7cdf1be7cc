"""What in a job speaks of a deploy: its names, its environment, and what its steps run.

Names are read as whole words: `checkout` is no check, and `contest` no test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DEPLOYS = frozenset({
    "deploy", "deploys", "deploying", "deployment", "deployments", "production", "prod", "promote",
    "publish", "redeploy", "release", "releases", "rollback", "rollout", "ship",
})  # fmt: skip
_CHECKS = frozenset({
    "check", "checks", "lint", "preview", "previews", "test", "testing", "tests", "undeploy",
})  # fmt: skip
_TRIALS = _CHECKS | frozenset({"ci", "e2e", "integration", "unit"})
_STEP = frozenset({"deploy", "promote", "redeploy", "rollout", "ship"})
_CI = _TRIALS | frozenset({
    "analyze", "audit", "build", "codeql", "coverage", "dependabot", "docs", "format", "labeler",
    "labels", "mypy", "pytest", "ruff", "scan", "security", "stale",
    "typecheck", "verify", "zizmor",
})  # fmt: skip
_NOT_PRODUCTION = frozenset({
    "ci", "dev", "develop", "development", "e2e", "local", "preview", "previews", "qa", "review",
    "sandbox", "stage", "staging", "stg", "test", "testing", "tests",
})  # fmt: skip
_PRODUCTION = frozenset({"live", "prd", "prod", "production"})
_FILLING = frozenset({"and", "app", "env", "environment", "for", "in", "job", "on", "run", "to"})
_PULLS = frozenset({"pull_request", "pull_request_target", "pull_request_review"})
_REVERTS = re.compile(r"\b(?:rollbacks?|roll back|revert (?:the )?deploy(?:ment)?)\b")
_RUNS = re.compile(
    r"""(?:^|[;&|(]|\s)(?:sudo\s+)?(?:
    kubectl\s(?:.*\s)?(?:apply|patch|replace|scale|set\s+image|rollout\s+(?:restart|undo))\b
    |helm\s(?:.*\s)?(?:upgrade|install|rollback)\s
    |helmfile\s(?:.*\s)?(?:apply|sync)\b
    |(?:terraform|tofu|terragrunt)\s(?:.*\s)?apply\b
    |pulumi\s(?:.*\s)?up\b
    |(?:fly|flyctl|cdk|sam|serverless|sls|firebase|copilot|kamal|skaffold|wrangler|eb|nixops)
      \s(?:.*\s)?(?:re)?deploy\b
    |vercel\s(?:.*\s)?--prod\b|netlify\s(?:.*\s)?deploy\b(?=.*--prod)
    |aws\s(?:.*\s)?(?:ecs\s+(?:update-service|deploy|run-task)|s3\s+sync
      |lambda\s+update-function-code|cloudformation\s+(?:deploy|update-stack)
      |elasticbeanstalk\s+update-environment|deploy\s+create-deployment
      |apprunner\s+start-deployment)\b
    |gcloud\s(?:.*\s)?(?:deploy|services\s+update)\b
    |az\s(?:.*\s)?(?:webapp|functionapp|containerapp)\s(?:.*\s)?(?:deploy|up|update|deployment)\b
    |heroku\s(?:.*\s)?container:release\b|git\s+push\s+(?:.*\s)?(?:heroku|dokku)\b
    |docker\s+stack\s+deploy\b|argocd\s+app\s+sync\b|nomad\s+(?:job\s+)?run\b|railway\s+up\b
    |cap\s+\w+\s+deploy\b
    |(?:make|just|task|rake|invoke|(?:npm|pnpm|yarn|bun)(?:\s+run)?)\s(?:.*\s)?deploy(?:[:\w-]*)
    )""",
    re.VERBOSE | re.MULTILINE,
)
_SCRIPT = re.compile(
    r"(?:^|[;&|(])\s*(?:(?:sudo|time|bash|sh|python3?|node|ruby|\w+=\S*|-\w+)\s+)*"
    r"(?:[\w.$\"{}-]*/)*(?:re)?deploy(?:[_-][\w-]+)?(?:\.\w+)?(?=[\s;&|)\"]|$)"
)
_ONLY_SAID = re.compile(
    r"^\s*(?:#|echo\b|printf\b)(?!.*(?:&&|;|\|))|--dry-run|--help\b|--version\b|\s-h\b"
)
_ACTIONS = re.compile(
    r"(?:^|[/_-])deploy(?:er)?(?:[/_@-]|$)|^superfly/flyctl-actions@|vercel-action@|wrangler-action@"
    r"|actions-netlify@",
    re.IGNORECASE,
)


def words_of(*texts: object) -> list[str]:
    """The words of names, in lower case; `deployApi` has two."""
    told = " ".join(str(text) for text in texts if text is not None)
    return re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", told).casefold())


def names_deploy(*texts: object) -> bool:
    """Whether names speak of a deploy, and not of a check, a draft or a gate."""
    words = words_of(*texts)
    drafted = "release" in words and not {"notes", "draft", "drafter"}.isdisjoint(words)
    return _speaks(words) and not _is_check(words) and not drafted


def names_check(name: str) -> bool:
    """Whether a job's id speaks of a check, or of a gate."""
    return _is_check(words_of(name)) or not {"notes", "draft"}.isdisjoint(words_of(name))


def names_trial(name: str) -> bool:
    """Whether a job's id is that of a check, which may well deploy, but to where it checks.

    A first word that speaks of a deploy (`deploy-test-api`) says otherwise.
    """
    words = words_of(name)
    return not _TRIALS.isdisjoint(words) and not _speaks(words[:1])


def names_ci(*texts: object) -> bool:
    """Whether names speak of nothing but building and checking."""
    words = set(words_of(*texts)) - _FILLING
    return bool(words & _CI) and not _speaks(list(words))


def names_rollback(*texts: object) -> bool:
    """Whether names speak of a rollback."""
    return bool(_REVERTS.search(" ".join(words_of(*texts))))


def is_not_production(name: str) -> bool:
    """Whether the name of an environment, or of a job, is plainly of another than production."""
    words = set(words_of(name)) - _DEPLOYS.difference(_PRODUCTION) - _FILLING
    words = {word for word in words if not word.isdigit()}
    return bool(words & _NOT_PRODUCTION) and not words & _PRODUCTION


def is_only_not_production(name: str) -> bool:
    """As `is_not_production`, for a name without any word of another kind: no `dev-portal`."""
    words = set(words_of(name)) - _DEPLOYS.difference(_PRODUCTION) - _FILLING
    return bool(words) and words <= _NOT_PRODUCTION


def step_deploys(step: Mapping[str, Any]) -> bool:
    """Whether what a step runs, the action that it uses, or its name (`Deploy ...`) deploys."""
    if not _STEP.isdisjoint(words_of(step.get("name"))[:1]) and {"run", "uses"} & step.keys():
        return True
    if _ACTIONS.search(str(step.get("uses", ""))):
        return True
    script = re.sub(r"\\\r?\n\s*", " ", str(step.get("run", "")))
    lines = (line for line in script.splitlines() if not _ONLY_SAID.search(line))
    return any(_RUNS.search(line) or _SCRIPT.search(line) for line in lines)


def is_for_pull_requests(events: object) -> bool:
    """Whether pull requests and nothing else start a workflow; `events` is what `on:` says.

    A run on a pull request that was closed may be the deploy of what was merged.
    """
    named = {events: None} if isinstance(events, str) else events
    if not isinstance(named, list | dict) or not named or not set(map(str, named)) <= _PULLS:
        return False
    told = named.values() if isinstance(named, dict) else ()
    types = [each.get("types") for each in told if isinstance(each, dict)]
    return not any("closed" in str(listed) for listed in types)


def is_pull_request(event: str) -> bool:
    """Whether an event is about a pull request."""
    return event in _PULLS


def _speaks(words: list[str]) -> bool:
    return not _DEPLOYS.isdisjoint(words)


def _is_check(words: list[str]) -> bool:
    return not _CHECKS.isdisjoint(words) or words[-1:] in (["gate"], ["gates"])
