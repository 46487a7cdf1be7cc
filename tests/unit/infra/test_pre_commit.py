"""The hook for pre-commit names a program and files that are there."""

from __future__ import annotations

import os
import re

import yaml

from tests.support.programs import ROOT


def test_the_hook_starts_the_lint_on_postmortems_alone() -> None:
    """Its program can be started as it is; the folder's own page is no postmortem."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    program = ROOT / hook["entry"]
    assert os.access(program, os.X_OK)
    assert program.read_text("utf-8").startswith("#!/usr/bin/env python3\n")
    assert hook["args"] == ["postmortem", "lint"]
    files = re.compile(hook["files"])
    assert files.search("ops/postmortems/2026-11-23-12-logins.md")
    assert not files.search("ops/postmortems/README.md")
    assert not files.search("ops/runbooks/roles.md")
