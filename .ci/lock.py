#!/usr/bin/env python3
"""Write the runtime's lock, requirements.txt: each package with the hashes of the wheels in use.

Every job downloads that file, so it leaves out wheels that no runner takes: other Pythons than
those of `bootstrap.py`, and rare processors. Start it by `make lock`.

https://packaging.python.org/en/latest/specifications/pylock-toml/
https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from incident_actions.bootstrap import NEWEST, OLDEST

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.txt"
_PYTHONS = "|".join(f"cp3{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1))
_WHEEL = re.compile(
    rf"-(?:(?:[\w.]*\bpy3|cp3\d+)-(?:none|abi3)|(?P<python>{_PYTHONS})-(?P=python))"
    r"-(?:any|[\w.]*linux\w*_(?:x86_64|aarch64)|macosx\w*|win_(?:amd64|arm64))\.whl$"
)


def locked() -> str:
    """The text of the lock, made anew; what is locked now stays, where it fits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pylock.toml"
        compile = [Path(sys.executable).with_name("uv"), "pip", "compile", "--quiet", "--universal"]
        compile += ["--python-version", ".".join(map(str, OLDEST)), "-c", LOCK]
        subprocess.run([*compile, ROOT / "requirements.in", "-o", path], check=True)
        packages = tomllib.loads(path.read_text("utf-8"))["packages"]
    return "\n".join(map(_entry, packages)) + "\n"


def _entry(package: Mapping[str, Any]) -> str:
    """One package, its version and hashes, as pip reads them. Raises SystemExit without a wheel."""
    marker = f" ; {package['marker']}" if "marker" in package else ""
    hashes = sorted(
        wheel["hashes"]["sha256"]
        for wheel in package["wheels"]
        if _WHEEL.search(wheel["url"].rpartition("/")[2])
    )
    if not hashes:
        raise SystemExit(f"{package['name']} {package['version']} has no wheel for any runner.")
    first = f"{package['name']}=={package['version']}{marker}"
    return " \\\n    ".join([first, *(f"--hash=sha256:{digest}" for digest in hashes)])


if __name__ == "__main__":
    LOCK.write_text(locked(), encoding="utf-8")
