"""Reminders: what is missed is said, louder each time, until it is done or snoozed."""

from __future__ import annotations

from .. import contract, stage
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
    """The watch reminds: first the owner, then the backup too, then who else was named."""
    number = drill.files(stage.SUPPORT, "Incident: checkout fails", REPORT)
    drill.respond(newest_only=True)
    drill.comments(stage.ON_CALL, "/ack", number)
    drill.respond()
    first = drill.watch()
    drill.expect("the watch sleeps until an update is due", first[:5], "15:15")
    second = _reminded(drill, number, first, stage.ON_CALL)
    third = _reminded(drill, number, second, stage.ON_CALL, stage.DEVELOPER)
    minute = contract.cron(contract.RESPOND).partition(" ")[0]
    swept = drill.sweep(f"15:{minute}")
    drill.expect("the schedule comes once an hour, and finds nothing to do", swept.writes, 0)
    _reminded(drill, number, third, stage.ON_CALL, stage.DEVELOPER, stage.SUPPORT)
    drill.keep("A reminder, missed twice before", "".join(drill.issue(number).replies(DUE)))
    drill.comments(stage.ON_CALL, "/snooze 30m", number)
    drill.respond()
    drill.expect("snoozed, it is gone", drill.issue(number).replies(DUE), [])
    over = drill.watch()
    drill.expect("the watch sleeps until the snooze is over", over[:5], "16:15")
    drill.watch(over)
    drill.expect("then it comes back", len(drill.issue(number).replies(DUE)), 1)
    drill.comments(
        stage.ON_CALL,
        "/update checkout works again\n/verify all watched ten minutes\n/resolve",
        number,
    )
    drill.respond()
    issue = drill.issue(number)
    drill.expect("an update takes it away", issue.replies(DUE), [])
    drill.expect("the incident is closed", issue.stands, "closed")
    drill.clock.tick(120)
    drill.expect("and the watch ends", drill.watch(), "")


def _reminded(drill: Drill, number: int, due: str, *people: str) -> str:
    """The watch wakes, and reminds these people; gives when it wakes again."""
    asleep = drill.watch(due)
    reminders = drill.issue(number).replies(DUE)
    drill.expect("one reminder is there, the newest", len(reminders), 1)
    mentions = " ".join(f"@{login}" for login in people)
    drill.expect_in(f"it tells {' and '.join(people)}", "".join(reminders), mentions)
    posted = [one.at for one in drill.issue(number).comments if DUE in one.text]
    late = [(at - drill.clock.today(due)).total_seconds() for at in posted]
    drill.expect("it stands within 30 seconds", [0 <= one <= 30 for one in late], [True])
    return asleep
