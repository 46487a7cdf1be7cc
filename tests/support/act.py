"""Run workflows for real: nektos/act plays the runner, on this host, without containers.

act does not enforce `on.*.types`, `permissions` and `concurrency`; all the rest is as on GitHub.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.archive import unpack
from tests.support.programs import ROOT, Where
from tests.support.runner import Annotation

ACT = Path(sys.executable).with_name("act")
WORKFLOWS = ROOT / ".github" / "workflows"
ACTION = "OWNER/incident-actions@v1"
OWN_PATH = r"OWNER/incident-actions/\1@v1"
LIMIT = 120  # seconds that a workflow run may take, unless it is to stay awake


@dataclass(frozen=True)
class Run:
    """What is left of a workflow run. `outputs` go by job and step id, `jobs` tells each result."""

    exit_code: int
    jobs: Mapping[str, str]
    outputs: Mapping[tuple[str, str], Mapping[str, str]]
    summary: str
    annotations: Sequence[Annotation]
    log: str

    @property
    def errors(self) -> list[str]:
        """The messages of its error annotations."""
        return [each.message for each in self.annotations if each.level == "error"]

    def output(self, name: str) -> str:
        """An output of the action, whatever the names of its job and step; empty when not set."""
        values = (outputs.get(name) for outputs in self.outputs.values())
        return next(filter(None, values), "")


def run_workflow(
    workflow: str,
    event: str,
    payload: Mapping[str, Any],
    *,
    repository: Path,
    where: Where,
    scratch: Path,
    limit: float = LIMIT,
) -> Run:
    """Run `.github/workflows/WORKFLOW` of the git repository `repository` for one event.

    `uses: OWNER/incident-actions@v1` is this working tree. `scratch` takes what act writes. A run
    that takes longer than `limit` seconds is ended.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / "event.json").write_text(json.dumps(payload), encoding="utf-8")
    _share_tool_cache(scratch)
    variables = {
        "GITHUB_API_URL": where.api_url,
        "GITHUB_REPOSITORY": where.repository,
        **where.environment,
    }
    done = subprocess.run(
        [
            str(ACT), event, "--json", "--pull=false", "--no-cache-server",
            "--eventpath", str(scratch / "event.json"),
            "--workflows", f".github/workflows/{workflow}",
            "--platform", "ubuntu-latest=-self-hosted",
            "--action-cache-path", str(scratch / "act"),
            "--local-repository", f"{ACTION}={_action()}",
            "--secret", f"GITHUB_TOKEN={where.token}",
            "--actor", where.environment.get("GITHUB_ACTOR", "alice"),
            *(part for name, value in variables.items() for part in ("--env", f"{name}={value}")),
        ],
        cwd=repository,
        env=_clean_environment(scratch),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=limit,
        check=False,
    )  # fmt: skip
    return _read(done.returncode, done.stdout, done.stderr)


@functools.cache
def _action() -> str:
    """What a job downloads of this working tree, for as long as the tests run.

    GitHub reads reusable workflows from the repository itself, so these lie beside it. `$/PATH`,
    the workflow's own repository, is unknown to act: it is put as the release that act is told of.
    """
    release = tempfile.TemporaryDirectory(prefix="incident-actions-")
    atexit.register(release.cleanup)
    folder = unpack(Path(release.name))
    shutil.copytree(WORKFLOWS, folder / ".github" / "workflows")
    for path in (folder / ".github" / "workflows").iterdir():
        text = path.read_text("utf-8")
        path.write_text(re.sub(r"(?<=uses: )\$/(\S+)", OWN_PATH, text), "utf-8")
    return release.name


def _clean_environment(scratch: Path) -> dict[str, str]:
    """This machine's variables, without its settings for act, and without an outer runner's own."""
    outer = ("GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_", "INCIDENT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    return {**kept, "HOME": str(scratch), "XDG_CONFIG_HOME": str(scratch / "config")}


def _share_tool_cache(scratch: Path) -> None:
    """Let all runs of a machine have one tool cache, as the jobs of a self-hosted runner do."""
    shared = ROOT / "build" / "tool-cache"
    shared.mkdir(parents=True, exist_ok=True)
    (scratch / "act").mkdir(exist_ok=True)
    link = scratch / "act" / "tool_cache"
    if not link.exists():
        link.symlink_to(shared, target_is_directory=True)


def _read(exit_code: int, stdout: str, stderr: str) -> Run:
    jobs: dict[str, str] = {}
    outputs: dict[tuple[str, str], dict[str, str]] = {}
    summaries: dict[tuple[str, str], str] = {}
    annotations: list[Annotation] = []
    log: list[str] = []
    for line in stdout.splitlines():
        entry = json.loads(line) if line.startswith("{") else {"msg": line}
        log.append(str(entry.get("msg", "")).rstrip("\n"))
        job = entry.get("jobID", "")
        if "jobResult" in entry:
            jobs[job] = entry["jobResult"]
        match entry.get("command"):
            case "set-output":
                step = (job, entry["stepID"][0])
                # act also reports what steps inside a composite action set; the action's own count.
                if len(entry["stepID"]) == 1:
                    outputs.setdefault(step, {})[entry["name"]] = entry["arg"]
            case "summary":
                # Told once for the step inside a composite action, and again for the action.
                summaries[job, entry["stepID"][0]] = entry["content"]
            case "error" | "warning" | "notice" as level:
                annotations.append(Annotation(level, entry["arg"], entry.get("kvPairs") or {}))
    return Run(
        exit_code,
        jobs,
        outputs,
        "".join(summaries.values()),
        annotations,
        "\n".join([*log, stderr]),
    )


def make_repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A git repository with these files in one commit, as a team's would be."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git = shutil.which("git")
    assert git, "act needs git"
    author = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
    for arguments in (["init", "--quiet", "--initial-branch=main"], ["add", "."]):
        subprocess.run([git, *arguments], cwd=folder, check=True)
    subprocess.run([git, *author, "commit", "--quiet", "-m", "Start"], cwd=folder, check=True)
    return folder
