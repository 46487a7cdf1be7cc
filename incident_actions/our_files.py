"""Where the files lie that this program reads: its templates, forms, workflows and playbook.

In the source tree they stand beside the package, where a team finds them. In a wheel they are
inside the package, in the folder `data`, under the same paths: `setup.py` puts them there.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The folder of this package."""

OUR_FILES = next(
    (folder for folder in (PACKAGE / "data", PACKAGE.parent) if (folder / "templates").is_dir()),
    PACKAGE.parent,
)
"""The folder that holds `templates/`, `ops/`, `.github/` and `action.yml`."""
