"""A report from outside: it is held, and freezes nothing, until the team has decided."""

from __future__ import annotations

from .. import stage
from ..play import Drill, scene

ANSWERS = {
    "severity": "SEV1",
    "summary": "The font of the sign-in page changed.",
    "affected": "Everyone!",
}


@scene("14:40", "Somebody from outside files the form")
def report(drill: Drill) -> None:
    """Anybody can open an issue; deploys don't stop for it."""
    number = drill.files(stage.STRANGER, "Incident: the shop looks different", ANSWERS)
    deploy = drill.deploy(stage.DEVELOPER, "release 44", drill.bad)
    drill.expect("the gate is clear", deploy.verdict, "clear")
    drill.respond(newest_only=True)
    held = drill.issue(number)
    drill.expect("the report is held", held.labels, {"incident", "needs-confirmation"})
    drill.expect("one reply thanks and explains", len(held.replies("/confirm")), 1)
    drill.comments(stage.ON_CALL, "/dismiss a new font, as planned", number)
    drill.respond()
    drill.expect("the report is closed", drill.issue(number).stands, "closed")
