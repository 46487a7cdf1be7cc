"""The incident itself: from a quiet day over a broken login to the all-clear."""

from __future__ import annotations

from .. import stage
from ..play import Drill, scene

REPORT = {
    "severity": "SEV1",
    "summary": "Most logins fail with a 500 since the last deploy.",
    "affected": "About two thirds of all logins, in every region.",
    "started": "13:52",
    "layer": "App",
    "services": stage.SERVICE,
    "changes": "Deploy",
    "mitigation": "Roll back",
}


@scene("13:50", "A quiet day: a deploy goes out")
def quiet(drill: Drill) -> None:
    """The gate costs nothing while nothing is wrong."""
    developer = drill.person(stage.DEVELOPER)
    drill.bad = developer.push({"session.txt": "store: memory\n"}, "Release 42")
    deploy = drill.deploy(stage.DEVELOPER, "release 42", drill.bad)
    drill.expect("the gate is clear", deploy.verdict, "clear")


@scene("14:02", "Logins fail, and support files the incident form")
def declare(drill: Drill) -> None:
    """The freeze needs nothing but the issue: no run of the bot has to be first."""
    drill.incident = drill.files(stage.SUPPORT, "Incident: most logins fail", REPORT)
    drill.expect("the bot has not run yet", len(drill.responses), 0)
    drill.expect("the issue has the form's label only", drill.issue().labels, {"incident"})
    deploy = drill.deploy(stage.DEVELOPER, "release 43", drill.bad)
    drill.expect("deploys are frozen already", deploy.verdict, "frozen")
    way_out = f"on #{drill.incident}"
    drill.expect_in("the gate says what to do", deploy.run.annotation, "rollback", way_out)


@scene("14:02", "The bot answers")
def first_response(drill: Drill) -> None:
    """Labels and the dashboard, above what the reporter wrote."""
    written = drill.issue().reported
    again = drill.respond()
    issue = drill.issue()
    labels = {"incident", "sev1", "status:investigating", f"service:{stage.SERVICE}"}
    drill.expect("the labels tell severity, status and service", issue.labels, labels)
    drill.expect_in("the dashboard is at the top", issue.dashboard, "SEV1", "investigating")
    drill.expect_in("the runbook that fits is named", issue.dashboard, "auth-session-failures")
    drill.keep("The dashboard while deploys are frozen", issue.dashboard)
    drill.expect("the reporter's words are untouched", issue.reported, written)
    drill.expect("the second event of the same form changes nothing", again.writes, 0)


@scene("14:02", "A run stays awake")
def awake(drill: Drill) -> None:
    """GitHub's schedule is late; so the bot's first run started one that watches the clock."""
    due = "14:07"
    drill.expect("it sleeps until somebody should be in command", drill.watch()[:5], due)


@scene("14:03", "Somebody from outside wants the freeze gone")
def stranger(drill: Drill) -> None:
    """Anybody may comment in a public repository; nobody outside decides."""
    drill.comments(stage.STRANGER, "/thaw my order is stuck, please deploy")
    drill.respond()
    refusals = drill.issue().replies(f"@{stage.STRANGER}")
    drill.expect("one reply says no", len(refusals), 1)
    drill.keep("A stranger is refused", "".join(refusals))
    drill.expect_in("it says who may", "".join(refusals), "write access")
    drill.comments(stage.STRANGER, "/thaw hello?")
    drill.respond()
    refusals = drill.issue().replies(f"@{stage.STRANGER}")
    drill.expect("a second try gets no second reply", len(refusals), 1)
    deploy = drill.deploy(stage.DEVELOPER, "release 43", drill.bad)
    drill.expect("deploys stay frozen", deploy.verdict, "frozen")


@scene("14:04", "On-call takes command and gives out roles")
def acknowledge(drill: Drill) -> None:
    """One comment, several commands."""
    text = f"/ack\n/role investigator @{stage.DEVELOPER}\n/role comms @{stage.SUPPORT}"
    comment = drill.comments(stage.ON_CALL, text)
    drill.respond()
    issue = drill.issue()
    roles = {
        "commander": stage.ON_CALL,
        "investigator": stage.DEVELOPER,
        "comms": stage.SUPPORT,
    }
    drill.expect("three people have roles", issue.state.get("roles"), roles)
    drill.expect("and are assigned", issue.assignees, set(roles.values()))
    acknowledged = issue.state.get("times", {}).get("acknowledged", "")
    drill.expect("the time of the acknowledgement is kept", acknowledged[:16], "2026-11-23T14:04")
    reactions = [one.reactions for one in issue.comments if one.id == comment]
    drill.expect("the comment got a reaction", len(reactions[0]), 1)


@scene("14:06", "A mistaken severity, and its correction")
def severity(drill: Drill) -> None:
    """A label set by hand counts like a command, and is corrected by one."""
    drill.does(stage.SUPPORT, f"sets the label sev3 on #{drill.incident}, by mistake").label(
        drill.incident, "sev3"
    )
    drill.respond()
    drill.expect("the severity is sev3 alone", drill.issue().labelled("sev"), {"sev3"})
    drill.clock.tick(40)
    reason = "two thirds of all logins fail"
    drill.comments(stage.ON_CALL, f"/severity sev1 {reason}")
    drill.respond()
    issue = drill.issue()
    drill.expect("the severity is sev1 again", issue.labelled("sev"), {"sev1"})
    drill.expect_in("the timeline keeps the reason", issue.dashboard, reason)
    deploy = drill.deploy(stage.DEVELOPER, "release 43", drill.bad)
    drill.expect("deploys are frozen again", deploy.verdict, "frozen")


@scene("14:09", "A typing mistake")
def mistake(drill: Drill) -> None:
    """Never silence: what can't be taken gets one reply, which goes when the comment is right."""
    text = "identified release 42 keeps sessions in memory"
    comment = drill.comments(stage.DEVELOPER, f"/stauts {text}")
    drill.respond()
    replies = drill.issue().replies("/stauts")
    drill.expect("one reply names it", len(replies), 1)
    drill.keep("A typing mistake is answered", "".join(replies))
    drill.expect_in("and says what was meant", "".join(replies), "`/status")
    right = f"/status {text}"
    drill.does(stage.DEVELOPER, f"edits the comment: {right}").edit_comment(comment, right)
    drill.respond()
    issue = drill.issue()
    drill.expect("the reply is gone", len(issue.replies("/stauts")), 0)
    drill.expect("the status moved", issue.labelled("status:"), {"status:identified"})


@scene("14:11", "A rollback passes the freeze")
def rollback(drill: Drill) -> None:
    """The playbook's first mitigation must never wait for a gate."""
    deploy = drill.deploy(stage.DEVELOPER, "release 41", drill.good, intent="rollback")
    drill.expect("the gate lets the rollback through", deploy.verdict, "rollback")
    drill.expect_in("its summary names the incident", deploy.run.summary, f"#{drill.incident}")


@scene("14:13", "What was done, and who was told")
def mitigate(drill: Drill) -> None:
    """The timeline writes itself from what people say they did."""
    drill.comments(stage.DEVELOPER, "/did rolled back to release 41 -> fewer errors by the minute")
    drill.comments(
        stage.SUPPORT,
        "/update next 20m release 41 is live, watching the error rate\n"
        "/customer Some sign-ins failed since 13:52. We have undone the change behind it.",
    )
    drill.respond()
    issue = drill.issue()
    drill.expect_in("the timeline says what was tried", issue.dashboard, "rolled back to release")
    due = issue.state.get("next_update") or ""
    drill.expect("the next update is due when it was promised", due[:16], "2026-11-23T14:33")


@scene("14:16", "The harm has stopped")
def mitigated(drill: Drill) -> None:
    """Mitigated is not resolved."""
    drill.comments(stage.ON_CALL, "/mitigated error rate below 1%")
    drill.respond()
    issue = drill.issue()
    drill.expect("the status moved", issue.labelled("status:"), {"status:monitoring"})
    drill.expect("the incident stays open", issue.stands, "open")


@scene("14:18", "Closing by hand comes too early")
def refused_close(drill: Drill) -> None:
    """Closing by hand is an attempt at `/resolve`."""
    drill.does(stage.SUPPORT, f"closes #{drill.incident} by hand").close(drill.incident)
    drill.respond()
    issue = drill.issue()
    drill.expect("it is open again", issue.stands, "open")
    replies = issue.replies("recovery is not verified")
    drill.expect("one reply says why", len(replies), 1)
    asked = ("/verify error-rate", "/verify alerts", "/resolve")
    drill.expect_in("it lists what is missing", "".join(replies), *asked)
    passed = f"let {drill.good[:7]} through the freeze: rollback"
    drill.expect_in("the timeline says what passed the freeze", issue.dashboard, passed)
    deploy = drill.deploy(stage.DEVELOPER, "release 43", drill.bad)
    drill.expect("deploys stay frozen", deploy.verdict, "frozen")


@scene("14:24", "Recovery is verified, check by check")
def verify(drill: Drill) -> None:
    """Two comments, one run: the next run heals what a dropped one missed."""
    text = "/verify error-rate 0.2% for ten minutes\n/verify latency p95 at 180 ms"
    drill.comments(stage.DEVELOPER, text)
    drill.clock.tick(60)
    drill.comments(stage.ON_CALL, "/verify all signed in and out on three devices")
    drill.respond(newest_only=True)
    verified = drill.issue().state.get("verified") or {}
    by = {key: one.get("by") for key, one in verified.items()}
    drill.expect("the first check is the developer's", by.get("error-rate"), stage.DEVELOPER)
    drill.expect("the others are on-call's", by.get("alerts"), stage.ON_CALL)


@scene("14:26", "All clear")
def resolve(drill: Drill) -> None:
    """Verified, so it may close; and deploys run again at once."""
    drill.comments(stage.ON_CALL, "/resolve stable for ten minutes")
    drill.respond()
    issue = drill.issue()
    drill.expect("the incident is closed", issue.stands, "closed")
    drill.expect("its label says so", issue.labelled("status:"), {"status:resolved"})
    deploy = drill.deploy(stage.DEVELOPER, "release 43", drill.bad)
    drill.expect("the gate is clear", deploy.verdict, "clear")


@scene("14:27", "GitHub delivers the last event twice")
def twice(drill: Drill) -> None:
    """Each run does what is missing, so a second one does nothing."""
    response = drill.respond_again()
    drill.expect("the second run writes nothing", response.writes, 0)
    drill.expect("and says so", response.run.outputs.get("changed"), "false")


@scene("14:28", "Nobody needs to be awake")
def asleep(drill: Drill) -> None:
    """Minutes are billed, so the watch ends with the incident."""
    drill.expect("the watch ends", drill.watch(), "")
