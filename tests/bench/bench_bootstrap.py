"""How long the action takes to start: its packages fetched for the first time, and there already.

`python -m tests.bench.bench_bootstrap` prints a table, and exits 1 when a limit is passed. The
command that it starts only imports the libraries, so the figures are the bootstrap's own.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
MOST_COLD = 8.0  # seconds, with uv
MOST_WARM = 1.0  # seconds

PROGRAM = "import dateutil, github, jinja2, markdown_it, msgspec, requests, yaml\n"


def start(action: Path, tools: Path, path: str) -> float:
    """Seconds that one start takes, on the tool cache `tools`, with empty download caches."""
    with tempfile.TemporaryDirectory() as caches:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            "PATH": path,
            "RUNNER_TOOL_CACHE": str(tools),
            "UV_CACHE_DIR": caches,
            "PIP_NO_CACHE_DIR": "1",
        }
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-I", "-S", action / "incident_actions/bootstrap.py", "import"],
            env=environment,
            stdout=subprocess.DEVNULL,
            timeout=300,
            check=True,
        )
        return time.monotonic() - began


def main() -> int:
    """Measure, print, and say by the exit code whether the limits hold."""
    with tempfile.TemporaryDirectory() as folder:
        action = Path(folder) / "action"
        package = action / "incident_actions"
        package.mkdir(parents=True)
        shutil.copy(ROOT / "requirements.txt", action)
        shutil.copy(ROOT / "incident_actions" / "bootstrap.py", package)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(PROGRAM, encoding="utf-8")

        uv = Path(sys.executable).with_name("uv")
        tools = Path(folder) / "uv-only"
        tools.mkdir()
        (tools / "uv").symlink_to(uv)
        plain = "/usr/bin:/bin"
        with_uv = start(action, Path(folder) / "first", f"{tools}:{plain}")
        with_pip = start(action, Path(folder) / "second", plain)
        warm = statistics.median(
            start(action, Path(folder) / "first", plain) for _ in range(ROUNDS)
        )
    rows = (
        ("first start, with uv", with_uv, MOST_COLD),
        ("first start, with pip", with_pip, None),
        ("next starts", warm, MOST_WARM),
    )
    for name, seconds, most in rows:
        limit = "" if most is None else f"   (at most {most:g})"
        print(f"{name:40} {seconds:8.2f} s{limit}")
    return int(any(most is not None and seconds > most for _, seconds, most in rows))


if __name__ == "__main__":
    sys.exit(main())
