"""The scenes, in the order of their times.

To add one, write a function with `@scene(time, title)` in a module here, and name the module
below. The time puts it into its place in the story.
"""

from __future__ import annotations

from ..play import Scene
from . import incident, postmortem, reminders, report

_MODULES = (incident, report, reminders, postmortem)

STORY: tuple[Scene, ...] = tuple(
    sorted(
        (one for module in _MODULES for one in vars(module).values() if isinstance(one, Scene)),
        key=lambda one: one.time,
    )
)
