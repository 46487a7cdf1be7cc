"""What pyproject.toml can't say: the files beside the package go into the wheel, under `data/`.

They stay where teams find them. `incident_actions/our_files.py` finds them in both places.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

READ_AT_RUN_TIME = (
    "action.yml",
    "templates/**/*",
    "ops/**/*.md",
    ".github/ISSUE_TEMPLATE/*.yml",
    ".github/workflows/incident.yml",  # the drill plays both workflows
    ".github/workflows/deploy-gate.yml",
)


class BuildWithOurFiles(build_py):
    """Copies the package, and into it the files that it reads. An editable install needs none."""

    def run(self) -> None:
        """Build anew: what an earlier build left there may be gone from the tree."""
        package = Path(self.build_lib) / "incident_actions"
        shutil.rmtree(package, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            for pattern in READ_AT_RUN_TIME:
                for path in sorted(filter(Path.is_file, Path().glob(pattern))):
                    target = package / "data" / path
                    self.mkpath(str(target.parent))
                    self.copy_file(str(path), str(target))


setup(cmdclass={"build_py": BuildWithOurFiles})
