"""Reminders: what is missed is said, louder each time, until it is done or snoozed."""

from __future__ import annotations

from .. import stage
from ..play import Drill, scene

REPORT = {
    "severity": "SEV1",
    "summary": "Checkout answers 500.",
    "affected": "nobody outside yet",
    "commander": f"@{stage.ON_CALL}",
}
DUE = "The internal update"


@scene("15:00", "An update is missed, and missed again")
def missed(drill: Drill) -> None:
    """The schedule reminds: first the owner, then the backup too, then who else was named."""
    number = drill.files(stage.SUPPORT, "Incident: checkout fails", REPORT)
    drill.respond()
    drill.comments(stage.ON_CALL, "/ack", number)
    drill.respond()
    quiet = drill.sweep("15:05")
    drill.expect("nothing is due yet, so the sweep writes nothing", quiet.writes, 0)
    for time, people in (
        ("15:13", [stage.ON_CALL]),
        ("15:28", [stage.ON_CALL, stage.DEVELOPER]),
        ("15:43", [stage.ON_CALL, stage.DEVELOPER, stage.SUPPORT]),
    ):
        drill.sweep(time)
        reminders = drill.issue(number).replies(DUE)
        drill.expect("one reminder is there, the newest", len(reminders), 1)
        mentions = " ".join(f"@{login}" for login in people)
        drill.expect_in(f"it tells {' and '.join(people)}", "".join(reminders), mentions)
    drill.comments(stage.ON_CALL, "/snooze 30m", number)
    drill.respond()
    drill.expect("snoozed, it is gone", drill.issue(number).replies(DUE), [])
    drill.sweep("16:08")
    drill.expect("and does not come back meanwhile", drill.issue(number).replies(DUE), [])
    drill.sweep("16:18")
    drill.expect("it comes back afterwards", len(drill.issue(number).replies(DUE)), 1)
    drill.comments(stage.ON_CALL, "/update checkout works again\n/verify all\n/resolve", number)
    drill.respond()
    issue = drill.issue(number)
    drill.expect("an update takes it away", issue.replies(DUE), [])
    drill.expect("the incident is closed", issue.stands, "closed")
