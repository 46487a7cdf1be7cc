"""The gate's verdict in words: for the log, the annotation, the job summary, and as JSON.

Also what went wrong when GitHub could not be asked, and what to do then. Kept out of
`gate.py`, because a deploy does not need it while no issue is open.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TextIO

from incident_actions import gate
from incident_actions.gate import DeployRequest, GateError, GateSettings, GateVerdict

if TYPE_CHECKING:
    from incident_actions.gate_decision import Code, IssueVerdict, ListedIssue

FROZEN = "Deploys are frozen"  # the title of the annotation that says so
VERSION = 1  # of the JSON that `--json` prints, and of the trace of overrides in the log


def clock(when: datetime | None) -> str:
    """Write a time for people: `2026-11-23 14:02 UTC`."""
    return when.strftime("%Y-%m-%d %H:%M UTC") if when else "unknown"


def stamp(when: datetime) -> str:
    """Write a UTC time for programs: `2026-11-23T14:02:00Z`."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def age(since: datetime | None, now: datetime) -> str:
    """Write how long ago something was: `43 min`, `3 h 5 min`, `2 d 4 h`."""
    minutes = max(0, int((now - since).total_seconds() // 60)) if since else 0
    hours, days = minutes // 60, minutes // 1440
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{days} d {hours % 24} h"


NOT_FREEZING: dict[Code, str] = {
    "deploys-allowed": "does not freeze: somebody let deploys through",
    "drill": "is a drill",
    "needs-confirmation": "is a report from outside that waits for `/confirm`",
    "untrusted-report": "is a report from outside that waits for `/confirm`",
    "other-severity": "is of a severity that does not freeze",
    "other-service": "is about another service",
    "other-environment": "is about another environment",
    "not-begun": "has not begun",
    "expired": "is over",
}


def in_words(others: dict[int, Code]) -> str:
    """Say why open issues do not freeze: `#3 is a drill; #5 (and 2 more) is over.`"""
    reasons = []
    for reason in dict.fromkeys(NOT_FREEZING[code] for code in others.values()):
        numbers = [number for number, code in others.items() if NOT_FREEZING[code] == reason]
        more = f" (and {len(numbers) - 1} more)" if len(numbers) > 1 else ""
        reasons.append(f"#{numbers[0]}{more} {reason}")
    return "; ".join(reasons) + "." * bool(reasons)


def announced(coming: Iterable[ListedIssue], now: datetime) -> str:
    """Say from when open issues will freeze, the first first; empty when there are none.

    `#12 freezes deploys from 2026-11-27 17:00 UTC, in 3 h 0 min.`
    """
    ordered = sorted(coming, key=lambda issue: (issue.begins or now, issue.number))
    told = []
    for issue in ordered[:3]:
        # Up to the next whole minute: a second before the begin is no "in 0 min".
        span = age(now, (issue.begins or now) + timedelta(seconds=59))
        told.append(f"#{issue.number} freezes deploys from {clock(issue.begins)}, in {span}.")
    rest = f"{len(ordered) - 3} more begin later." if len(ordered) > 3 else ""
    return " ".join(filter(None, [*told, rest]))


def rank(finding: IssueVerdict) -> str:
    """Name the severity, such as `SEV1`, or say what kind of freeze it is without one."""
    if finding.issue.severity:
        return str(finding.issue.severity).upper()
    return "deploy freeze" if "deploy-freeze" in finding.issue.labels else "severity unknown"


def told(findings: Sequence[IssueVerdict], now: datetime) -> str:
    """Name the freezing issues in one line: the first in full, the others by number."""
    if not findings:
        return ""
    first = findings[0].issue
    who = f", @{first.commander} commands" if first.commander else ", nobody commands yet"
    if "incident" not in first.labels:
        who = f", until {clock(first.until)}" if first.until else ""
    since = f"for {age(first.since, now)}" if first.since else "since an unknown time"
    line = f"#{first.number} {rank(findings[0])} “{first.title}” ({since}{who})"
    more = [f"#{finding.issue.number}" for finding in findings[1:6]]
    rest = f" and {len(findings) - 6} more" if len(findings) > 6 else ""
    return line + (f", also {', '.join(more)}{rest}" if more else "")


def describe_override(override: dict[str, Any]) -> str:
    """Say in one line who let the change through, until when, and why."""
    kind, why = override["kind"], override.get("reason")
    change, by, until = (override.get(key) for key in ("change", "by", "until"))
    line = {
        "allowed": f"/allow {change} by @{by or 'somebody'} until {until}",
        "fix": f"fix {change}",
        "rollback": f"a rollback by @{override.get('actor') or 'somebody'}",
        "may-deploy": f"@{override.get('actor')} may deploy",
    }[kind]
    return f"#{override['incident']} {line}" + (f" ({why})" if why else "")


def deployed(request: DeployRequest) -> str:
    """The commit that is deployed, in full; empty when it is not known."""
    return request.sha or max(sorted(request.shas), default="", key=len)


def commit_to_allow(request: DeployRequest, sha: str, url: str) -> str:
    """A commit as to type it after `/allow` on the incident at `url`; `SHA` when it is not known.

    Where incidents live in another repository, that can't look up a part of a hash.
    """
    if request.source.casefold() == request.repository.casefold():
        return sha[:10] or "SHA"
    server = "/".join(url.split("/")[:3]) or "https://github.com"
    return f"{server}/{request.source}/commit/{sha or 'SHA'}"


def ways_out(request: DeployRequest, verdict: GateVerdict) -> list[str]:
    """List what a deployer can do about the freeze, the fastest first."""
    same = request.source.casefold() == request.repository.casefold()
    incidents = [f.issue for f in verdict.findings if "incident" in f.issue.labels]
    sha = deployed(request)
    change = f"#{request.pulls[0].number}" if request.pulls and same else ""
    change = change or commit_to_allow(request, sha, incidents[0].url if incidents else "")
    lines = ["Roll back: deploy the last good version with `intent: rollback`."]
    if incidents:
        number = incidents[0].number
        lines += [
            f"Let this change through: comment `/allow {change} for 2h REASON` on #{number}; or,"
            f" when its pull request says `Fixes #{number}`, deploy it with `intent: fix`.",
            f"End the freeze: comment `/thaw REASON` on #{number}, or resolve it with `/resolve`.",
            "After a comment: wait for its 👍, then re-run this job.",
        ]
    for issue in [f.issue for f in verdict.findings if "incident" not in f.issue.labels][:3]:
        until = f" It ends by itself at {clock(issue.until)}." if issue.until else ""
        who = ", ".join(f"@{name}" for name in sorted(issue.deployers))
        named = f" {who} may deploy." if who else ""
        lines.append(f"End the freeze #{issue.number}: close the issue.{named}{until}")
    return lines


def as_json(verdict: GateVerdict, on_error: str = "block") -> dict[str, Any]:
    """The verdict for programs, ready for JSON; `v` grows when a key changes its meaning."""
    keys = ("verdict", "code", "reason", "remedy", "incidents", "overrides")
    told = {key: getattr(verdict, key) for key in keys}
    told.update(frozen=verdict.holds(on_error), notes=list(verdict.notes))
    return {"v": VERSION, **told}


def markdown(text: str) -> str:
    """Escape text from outside for Markdown: no markup, no HTML, no link, no mention."""
    text = re.sub(r"[\\`*_\[\]|~$]|:(?=//)|(?<=www)\.", r"\\\g<0>", text, flags=re.IGNORECASE)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("@", "@\u200b")


def summary(request: DeployRequest, verdict: GateVerdict, now: datetime) -> str:
    """Write the job summary, in Markdown."""
    heads = {"clear": gate.CLEAR, "frozen": "🛑 Deploys are frozen"}
    heads.update(exempt="⚠️ This change passes the freeze", rollback="⚠️ A rollback passes")
    told = [] if verdict.findings else [verdict.reason]
    lines = [f"### {heads.get(verdict.verdict, '❓ The deploy gate could not decide')}", ""]
    if verdict.findings:
        lines += ["| Issue | Title | Severity | Since | Commander |", "|---|---|---|---|---|"]
        unique = list({finding.issue.number: finding for finding in verdict.findings}.values())
        for finding in unique[:20]:
            issue = finding.issue
            link = f"[#{issue.number}]({issue.url})" if issue.url else f"#{issue.number}"
            since = f"{clock(issue.since)} ({age(issue.since, now)})" if issue.since else "unknown"
            nobody = "nobody yet" if "incident" in issue.labels else "-"
            cells = [link, markdown(issue.title), rank(finding), since]
            lines.append(f"| {' | '.join(cells)} | {markdown(issue.commander or nobody)} |")
        if len(unique) > 20:
            lines.append(f"\n… and {len(unique) - 20} more.")
        lines.append("")
    for text in filter(None, [*told, verdict.remedy]):
        lines += [markdown(text), ""]
    if verdict.verdict == "frozen":
        lines += [*(f"- {line}" for line in ways_out(request, verdict)), ""]
    lines += [f"- {markdown(describe_override(o))}" for o in verdict.overrides]
    lines += [f"- {markdown(note)}" for note in verdict.notes]
    return "\n".join(lines).rstrip() + "\n"


def in_workflow(env: Mapping[str, str]) -> bool:
    """Whether a runner reads what is printed; else a person does, at a terminal.

    Somebody who sets an event's name imitates a runner.
    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    return env.get("GITHUB_ACTIONS") == "true" or bool(env.get("GITHUB_EVENT_NAME"))


def annotate(level: str, title: str, message: str, *, out: TextIO) -> None:
    """Print one annotation, escaped.

    https://docs.github.com/en/actions/writing-workflows/choosing-what-your-workflow-does/workflow-commands-for-github-actions
    """
    for sign, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        title, message = title.replace(sign, code), message.replace(sign, code)
    title = title.replace(":", "%3A").replace(",", "%2C")
    print(f"::{level} title={title}::{message}", file=out, flush=True)


ANSWERS: dict[int, tuple[Code, str, str]] = {  # status: code, what happened, what to do
    0: ("unexpected", "GitHub gave an unknown answer about", "Check GITHUB_API_URL."),  # any other
    401: (
        "unauthorized",
        "GitHub does not accept the token for",
        "Pass a valid `token:`; on a shell `export GITHUB_TOKEN=$(gh auth token)`.",
    ),
    403: (
        "forbidden",
        "The token may not read issues of",
        "Grant `permissions: issues: read`; on a shell set GITHUB_TOKEN to one that may.",
    ),
    404: (
        "not-found",
        "This token sees no issues in",
        "Check `repository`. The job's own token sees its own repository only, with `permissions:"
        " issues: read`; for a private one elsewhere pass another `token:`.",
    ),
}
ANSWERS[410] = ANSWERS[404]


def failed(request: DeployRequest, error: Exception) -> GateVerdict:
    """Turn an exception into a verdict. A rollback passes without GitHub's answer."""
    if not isinstance(error, GateError):  # a mistake of our own: it must never pass as clear
        what = f"The gate itself failed: {type(error).__name__}: {gate.plain(error)}."
        remedy = "Please report this; `on-error: allow` gets you past it."
        error = GateError("internal", what, remedy)
    verdict, reason = "error", error.what
    if request.intent == "rollback":
        verdict, reason = "rollback", f"A rollback passes without asking: {reason}"
    told = {"reason": reason, "remedy": error.remedy}
    wait = error.wait if error.wait < gate.NEVER else 0.0
    return GateVerdict(verdict=verdict, code=error.code, wait=wait, **told)


def wire_error(error: Exception, parts: Any, left: float) -> GateError:
    """Turn an exception of the connection into a `GateError` with a remedy.

    `parts` is the address (`urlsplit`), `left` the seconds that are left of the budget.
    """
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    name = type(error).__name__
    if name == "SSLCertVerificationError":
        what = f"The certificate of {host} can't be verified."
        remedy = "Set SSL_CERT_FILE to your company's certificate file."
        return GateError("certificate", what, remedy)
    remedy = "Check GitHub's status, the network, and the proxy variables (https_proxy)."
    if isinstance(error, TimeoutError) or "timed out" in str(error) or left <= 0:
        return GateError("timeout", f"{host} did not answer in time.", remedy, wait=0)
    what = f"{host} can't be reached: {gate.plain(error) or name}."
    return GateError("unreachable", what, remedy, wait=0)


def refusal(status: int, headers: Any, body: bytes, repository: str) -> GateError:
    """Turn an answer that is not JSON with status 200 into a `GateError` with a remedy.

    Its `wait` says how many seconds GitHub asks for before another try.
    """
    code, what, remedy = ANSWERS.get(status, ANSWERS[0])
    what, wait = f"{what} {repository} ({status}).", gate.NEVER
    after = headers.get("retry-after") or ""
    asked = float(after) if re.fullmatch(r"\d{1,6}", after) else None  # seconds
    spent = headers.get("x-ratelimit-remaining") == "0"
    limited = spent or after or b"rate limit" in body[:1000].lower()
    if status == 200:
        code, what = "unreadable", "GitHub's API answered with something that is not JSON."
        remedy, wait = "Check GITHUB_API_URL, and whether a proxy answers in GitHub's place.", 0.0
    elif status in gate.REDIRECTS:
        what = "GitHub's API sends us elsewhere."
        remedy = "Check GITHUB_API_URL and `repository`."
    elif status == 429 or (status == 403 and limited):
        reset = headers.get("x-ratelimit-reset") or ""
        if asked is None and spent and re.fullmatch(r"\d{1,12}", reset):
            asked = float(reset) - time.time()
        wait = max(1.0, asked or 0.0)
        code = "rate-limited"
        what = f"GitHub asks us to slow down ({status}, for {wait:.0f} s)."
        remedy = "Wait and run this again, or pass a token with a limit of its own."
    elif status >= 500:
        code, what = "server-error", f"GitHub is in trouble itself (it answered {status})."
        remedy, wait = "Look at GitHub's status page and run this again.", asked or 0.0
    return GateError(code, what, remedy, wait)


def tell_bad_input(error: gate.BadInputError, env: Mapping[str, str], argv: Sequence[str]) -> int:
    """Write which input is wrong, to the log and the job summary. Returns the exit code, 2.

    With `--json` among the flags (`argv`) nothing but JSON goes to stdout.
    """
    as_data = any(len(flag) > 2 and "--json".startswith(flag) for flag in argv)
    out = sys.stderr if as_data else sys.stdout
    if as_data:
        verdict = gate.GateVerdict(
            verdict="error", code=error.code, reason=error.what, remedy=error.remedy
        )
        print(json.dumps(as_json(verdict), indent=2), flush=True)
    if in_workflow(env):
        annotate("error", "The deploy gate's input", f"{error.what} {error.remedy}", out=out)
    else:
        print(f"{error.what} {error.remedy}", file=sys.stderr)
    text = f"### The deploy gate can't run\n\n{markdown(error.what)} {error.remedy}\n"
    gate.append(env.get("GITHUB_STEP_SUMMARY", ""), text)
    return 2


def tell(
    settings: GateSettings, request: DeployRequest, verdict: GateVerdict, now: datetime
) -> int:
    """Write the verdict: log, annotation, outputs, job summary. Returns the exit code: 0, 1 or 3.

    On a terminal it is plain text. With `--json` nothing but JSON goes to stdout.

    Overrides that were used go into a notice of their own, as JSON. `respond` reads it later from
    the check run, for the audit.
    """
    gate.publish(settings, verdict, summary(request, verdict, now))
    watched = in_workflow(settings.env)
    if settings.json:
        print(json.dumps(as_json(verdict, settings.on_error), indent=2), flush=True)
    out = sys.stderr if settings.json else sys.stdout  # the runner reads both
    blocks = settings.mode == "enforce" and verdict.holds(settings.on_error)
    titles = {"frozen": FROZEN, "error": "The deploy gate could not ask GitHub"}
    if not verdict.overrides:
        titles["rollback"] = "Rollback"  # it passed without GitHub's answer
    lines = [verdict.reason, verdict.remedy]
    if verdict.verdict == "frozen":
        link = next((f.issue.url for f in verdict.findings if f.issue.url), "")
        lines = [verdict.reason, link, *ways_out(request, verdict)]
    text = "\n".join(filter(None, [*lines, *verdict.notes]))
    if verdict.verdict == "error" and not blocks:
        text += " It lets this deploy pass, as `on-error` or `mode` say."
    if watched and verdict.verdict in titles:
        annotate("error" if blocks else "warning", titles[verdict.verdict], text, out=out)
    elif watched and verdict.verdict == "clear" and verdict.coming:
        annotate("notice", "A deploy freeze begins later", text, out=out)
    elif watched or not settings.json:
        print(text, file=sys.stderr if verdict.verdict == "error" else out)
    if verdict.overrides and watched:
        env, sha = settings.env, deployed(request)
        server = (env.get("GITHUB_SERVER_URL", "").strip() or "https://github.com").rstrip("/")
        source, run = env.get("GITHUB_REPOSITORY", "").strip(), env.get("GITHUB_RUN_ID", "")
        url = f"{server}/{source}/actions/runs/{run}" if source and run.isdigit() else ""
        trace = {"v": VERSION, "sha": sha, "intent": request.intent, "run": url}
        trace["overrides"] = verdict.overrides
        if verdict.along:
            trace["along"] = list(verdict.along)
        annotate("notice", "incident-actions override", json.dumps(trace), out=out)
    return {"frozen": 1, "error": 3}[verdict.verdict] if blocks else 0
