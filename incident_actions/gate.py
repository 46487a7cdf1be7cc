#!/usr/bin/env python3
"""The deploy gate: may this change be deployed now?

Needs only the standard library, so that a deploy never waits for a package registry:
`python3 -I -S incident_actions/gate.py`. Python 3.9 to 3.14.

The gate asks GitHub for the open issues labelled `incident` or `deploy-freeze`. When there are
none, the deploy is clear, and this file is all that is needed. Python compiles this file anew in
every deploy, so code that a clear deploy does not need is in other files, imported where used:

- `gate_decision.py`: what the open issues mean for a deploy, as pure functions.
- `gate_readers.py`: how text on GitHub is read. The rest of the program uses it, too.
- `gate_words.py`: how the verdict, or a failed request, is put into words.
- `gate_targets.py`: which services and environment a deploy names, held to the team's list.
- `gate_inputs.py`: flags, and what the event of a pull request or of a merge queue names.
- `gate_queue.py`: what rides in a merge queue's group, and who queued it.
- `gate_further.py`: further pages, what may let a frozen deploy pass after all, and waiting.
- `gate_trust.py`: who put labels on and who wrote a text, before they let a deploy pass.
- `gate_riders.py`: what an allowed change takes along.
- `gate_proxy.py`: for a network with a proxy.
"""

from __future__ import annotations

import gc
import os
import sys

if __name__ == "__main__":
    gc.disable()  # the process ends soon: collecting garbage would only take time
    # With -I this folder is not on sys.path. A package object made by hand lets this file import
    # its neighbours, and makes them use this running module instead of a second copy of it.
    sys.dont_write_bytecode = True  # no __pycache__ in the caller's checkout
    package = type(sys)("incident_actions")
    package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
    sys.modules.update({package.__name__: package, "incident_actions.gate": sys.modules[__name__]})

import http.client
import json
import re
import threading
import time
import unicodedata
from datetime import datetime, timezone
from functools import partial
from types import SimpleNamespace
from urllib.parse import urlencode, urljoin, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from incident_actions.gate_decision import Code, IssueVerdict, ListedIssue
    from incident_actions.gate_inputs import MergeGroup, SourcePull

SEVERITIES = ("sev1", "sev2", "sev3")  # the worst first
PER_PAGE = 100
NEVER = float("inf")  # seconds to wait: another try makes no sense
# Events whose GITHUB_SHA is the commit that a workflow checks out, and so deploys. For most others
# it is the head of the default branch, whatever is deployed. No name: no event started this.
# https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
CHECKED_OUT = ("", "push", "workflow_dispatch", "release", "create", "registry_package")
MERGE_QUEUE = "github-merge-queue[bot]"  # the account that starts a merge queue's runs
REDIRECTS = (301, 302, 307, 308)
CLEAR = "✅ Deploys are not frozen"  # the heading of the job summary


class GateError(Exception):
    """GitHub could not be asked: a reason code, what happened, and what to do about it."""

    def __init__(self, code: Code, what: str, remedy: str, wait: float = NEVER) -> None:
        super().__init__(what)
        self.code, self.what, self.remedy = code, what, remedy
        self.wait = wait  # seconds until another try makes sense


class BadInputError(GateError):
    """An input is wrong. The exit code is 2, whatever `mode` and `on-error` say."""


class DeployRequest(SimpleNamespace):
    """What is to be deployed, and by whom. Names of services and environments are lower case."""

    repository: str  # OWNER/NAME of the repository with the incidents
    source: str  # OWNER/NAME of the repository with the commit
    service: str = ""  # the input as it was typed; read when something is open (`gate_targets.py`)
    services: tuple[str, ...]  # empty: all
    environment: str
    intent: str
    severities: frozenset[str]
    sha: str = ""  # the commit that is deployed; empty: not known
    shas: frozenset[
        str
    ]  # all commits by which the change is known: this one, a pull request's head
    pulls: tuple[SourcePull, ...]  # those that the event names; more may be looked up
    group: MergeGroup | None = None  # what a merge queue wants to merge
    event: str = ""  # what started the deploy; empty: not known
    actor: str  # login of the account that started the deploy


class GateVerdict(SimpleNamespace):
    """The gate's answer: `verdict` and `code` for programs, `reason` and `remedy` for people."""

    verdict: str  # clear, frozen, exempt, rollback, error
    code: Code
    reason: str
    remedy: str = ""
    # The issues that freeze this deploy, or would freeze it without an override.
    findings: tuple[IssueVerdict, ...] = ()
    coming: tuple[ListedIssue, ...] = ()  # the freezes that will stop this deploy, later
    notes: tuple[str, ...] = ()
    along: tuple[str, ...] = ()  # commits that an allowed change takes along, if that is known
    wait: float = 0.0  # seconds until GitHub wants to be asked again

    @property
    def overrides(self) -> list[dict[str, Any]]:
        """The overrides that let this deploy through; they are written to the log for the audit."""
        return [f.override for f in self.findings if f.override]

    @property
    def incidents(self) -> list[dict[str, Any]]:
        """The issues in `findings`, each once, as the `incidents` output has them."""
        keys = ("number", "title", "severity", "url")
        unique = {f.issue.number: f.issue for f in reversed(self.findings)}
        return [{key: getattr(issue, key) for key in keys} for issue in reversed(unique.values())]

    def holds(self, on_error: str) -> bool:
        """Whether this deploy should be held: the `frozen` output."""
        return self.verdict == "frozen" or (self.verdict == "error" and on_error == "block")


class GateSettings(SimpleNamespace):
    """How to ask and how to answer. Never printed: it holds the token."""

    api: str
    token: str
    mode: str
    on_error: str
    config: str
    budget: float  # seconds that all requests of one decision may take together
    wait: float  # minutes: how long to poll until the freeze ends
    json: bool  # print the verdict as JSON
    now: datetime | None  # INCIDENT_NOW, for drills and tests
    env: Mapping[str, str]  # the environment: proxies, certificates, the runner's files


INPUTS = (  # name, default, help
    ("service", "", "what is deployed: one service, or several separated by commas"),
    ("environment", "", "where it is deployed to"),
    ("sha", "", "the commit that is deployed, in full (default: the event's own commit)"),
    ("intent", "deploy", "deploy, rollback or fix"),
    ("severities", "sev1,sev2", "the severities that freeze"),
    ("mode", "enforce", "enforce blocks, report only tells"),
    ("on-error", "block", "block or allow, when GitHub can't be asked"),
    ("repository", "", "where the incidents live, OWNER/NAME (default: GITHUB_REPOSITORY)"),
    ("config", ".github/incident.yml", "path of the configuration in that repository"),
    ("wait-minutes", "0", "poll this long until the freeze ends"),
    ("budget", "20", "seconds that all requests of one decision may take"),
)


def plain(text: object, limit: int = 120) -> str:
    """Make text from outside safe for one line of a log.

    Gives at most `limit` characters, all printable, that the runner does not read as a command.
    """
    words = "".join(c if c.isprintable() else " " for c in str(text)[: limit * 8]).split()
    line = " ".join(words).replace("##[", "## [")
    return line if len(line) <= limit else line[: limit - 1] + "…"


def normal(name: str) -> str:
    """Bring a name into lower case and one Unicode form, so that equal names compare equal."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def is_token(text: str) -> bool:
    """Whether a text can be a token: printable ASCII without spaces."""
    return re.fullmatch(r"[!-~]+", text) is not None


def is_repository(text: str) -> bool:
    """Whether a text names a repository, OWNER/NAME."""
    return bool(re.fullmatch(r"[\w-][\w.-]*/(?!\.\.?$)[\w.-]+", text, re.ASCII))


def is_api_url(text: str) -> bool:
    """Whether a text is the address of an API: http or https, with a host."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(good and re.fullmatch(r"[!-~]+", text))


def require(good: object, name: str, value: str, remedy: str) -> None:
    """Raise `BadInputError`, which names an input and its value, unless the input is `good`."""
    if not good:
        raise BadInputError("bad-input", f"{name} is {plain(value, 80)!r}.", remedy)


def choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """Give an input in lower case. Raises `BadInputError` when it is none of `allowed`."""
    require(value.lower() in allowed, f"`{name}`", value, f"Use one of: {', '.join(allowed)}.")
    return value.lower()


def number_input(name: str, value: str, most: float) -> float:
    """Read a number from 0 to `most`. Raises `BadInputError` when the input is anything else."""
    good = re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) and float(value) <= most
    require(good, f"`{name}`", value, f"Use a number from 0 to {most:g}.")
    return float(value)


def fixed_now(text: str) -> datetime | None:
    """Read INCIDENT_NOW as an aware UTC time; None when it is empty. Raises `BadInputError`."""
    if not text:
        return None
    from incident_actions.gate_readers import parse_now

    now = parse_now(text)
    require(now, "INCIDENT_NOW", text, "Use ISO 8601.")
    return now


def read_inputs(argv: Sequence[str], env: Mapping[str, str]) -> tuple[GateSettings, DeployRequest]:
    """Read the flags and the environment. Raises `BadInputError` when an input is wrong."""
    flags: dict[str, Any] = {}
    if argv:
        from incident_actions.gate_inputs import read_flags

        flags = read_flags(argv)

    def variable(name: str, default: str = "") -> str:
        return env.get(name, "").strip() or default

    def read(name: str, default: str = "") -> str:
        key = name.replace("-", "_")
        tried = (flags.get(key), env.get(f"INPUT_{key.upper()}"), env.get(f"INPUT_{name.upper()}"))
        return next((value.strip() for value in tried if value and value.strip()), default)

    value = {name: read(name, default) for name, default, _ in INPUTS}
    token = read("token") or variable("GITHUB_TOKEN")
    if not token:
        remedy = (
            "Pass `token: ${{ github.token }}`; on a shell `export GITHUB_TOKEN=$(gh auth token)`."
        )
        raise BadInputError("bad-input", "There is no token to ask GitHub with.", remedy)
    if not is_token(token):
        remedy = "Check the secret for spaces or line ends."
        raise BadInputError("bad-input", "The token holds characters that no token has.", remedy)
    chosen = re.findall(r"[^\s,]+", value["severities"]) or [""]
    severities = frozenset(choice("severities", each, SEVERITIES) for each in chosen)
    repository = value["repository"] or variable("GITHUB_REPOSITORY")
    remedy = "Name the repository of the incidents as OWNER/NAME."
    require(is_repository(repository), "`repository`", repository, remedy)
    api = variable("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    shown = re.sub(r"//.*@", "//", api)  # an address may hold a password
    remedy = "Give the address of the API, such as https://api.github.com."
    require(is_api_url(api), "GITHUB_API_URL", shown, remedy)
    inside = ".." not in value["config"].split("/")
    require(inside, "`config`", value["config"], "Name a path inside the repository.")
    intent = choice("intent", value["intent"], ("deploy", "rollback", "fix"))
    event, sha = variable("GITHUB_EVENT_NAME"), value["sha"].lower()
    if not re.fullmatch(r"(?:[0-9a-f]{40}|[0-9a-f]{64})?", sha):
        remedy = "Give the full hash of the commit that is deployed."
        require(intent == "rollback", "`sha`", sha, remedy)  # that passes, whatever is deployed
        sha = ""
    named: dict[str, Any] = {"sha": sha or variable("GITHUB_SHA").lower(), "pulls": ()}
    if event not in CHECKED_OUT:
        from incident_actions.gate_inputs import read_event

        named = read_event(event, env, sha, needed=intent != "rollback")
    named.setdefault("shas", frozenset(filter(None, [named["sha"]])))
    actor = env.get("GITHUB_TRIGGERING_ACTOR", "") or env.get("GITHUB_ACTOR", "")
    scheduled = named.pop("scheduled", event == "schedule")
    if scheduled and variable("GITHUB_RUN_ATTEMPT", "1") == "1":
        actor = ""  # GitHub names who edited the schedule last; nobody started this run
    settings = GateSettings(
        api=api,
        token=token,
        mode=choice("mode", value["mode"], ("enforce", "report")),
        on_error=choice("on-error", value["on-error"], ("block", "allow")),
        config=value["config"],
        budget=number_input("budget", value["budget"], 600),
        wait=number_input("wait-minutes", value["wait-minutes"], 360),
        json=bool(flags.get("json")),
        now=fixed_now(variable("INCIDENT_NOW")),
        env=env,
    )
    request = DeployRequest(
        repository=repository,
        source=variable("GITHUB_REPOSITORY", repository),
        service=value["service"],
        services=(),
        environment=value["environment"],
        intent=intent,
        severities=severities,
        **named,
        event=event,
        actor=actor,
    )
    return settings, request


class GateClient:
    """Reads from GitHub's API. Tries each request up to three times, with growing waits.

    `settings.budget` is the number of seconds for all requests of this client together.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """

    WAITS = (1.0, 3.0)  # seconds, before the second and the third try

    def __init__(self, settings: GateSettings, repository: str) -> None:
        self.settings, self.repository = settings, repository
        self.deadline = time.monotonic() + settings.budget
        self.open: set[Any] = set()  # open sockets: closed by force when the budget is used up
        self.context: Any = None
        self.memory: dict[Any, Any] = {}  # what need not be asked again, while the gate waits
        self.counted = 0  # requests that count against the token's limit

    def left(self) -> float:
        """How many seconds of the budget are left."""
        return self.deadline - time.monotonic()

    def get(self, path: str, given: bytes | None = None) -> tuple[Any, str]:
        """Read the JSON value at a path, and the answer's Link header (empty when there is none).

        With `given`, that is sent by POST; then `path` is a whole address (for GraphQL). Raises
        `GateError` when no try succeeds.
        """
        error = GateError("timeout", "GitHub was not asked: no time is left.", "Raise `budget`.")
        for tries_left, pause in zip((3, 2, 1), (*self.WAITS, NEVER)):
            if self.left() <= 0:
                break
            try:
                return self.once(path, max(0.1, self.left() / tries_left), given)
            except GateError as failure:
                error = failure
            except (OSError, http.client.HTTPException, ValueError) as failure:
                from incident_actions.gate_words import wire_error

                error = wire_error(failure, urlsplit(self.settings.api), self.left())
            wait = max(error.wait, pause)
            if wait >= self.left():
                break
            time.sleep(wait)
        raise error

    def once(self, path: str, timeout: float, given: bytes | None) -> tuple[Any, str]:
        """Try a request once, for at most `timeout` seconds a request; gives the same as `get`.

        Follows redirects (a renamed repository has one) on the same host only, with the same query:
        GitHub leaves it out, and without it a list would not be of the issues that were asked for.
        Raises `GateError` for any other answer than JSON with status 200, and the errors of
        `exchange`.
        """
        url = path if given else self.settings.api + path
        for _ in range(4):
            answer = self.exchange(url, self.headers(), timeout, given)
            status, headers, body = answer
            if self.settings.wait:
                self.memory[url] = answer
            if given or status not in REDIRECTS:
                break
            target, asked = urljoin(url, headers.get("location") or ""), urlsplit(url)
            if urlsplit(target)[:2] != asked[:2]:  # no other host may see the token
                break
            url = target if "?" in target or not asked.query else f"{target}?{asked.query}"
        try:
            if status == 200:
                return json.loads(body), headers.get("link") or ""
        except (ValueError, RecursionError):
            pass
        from incident_actions.gate_words import refusal

        raise refusal(status, headers, body, self.repository)

    def exchange(
        self, url: str, headers: Mapping[str, str], timeout: float, given: bytes | None
    ) -> tuple[int, Any, bytes]:
        """Send one request, a POST with `given`, else a GET.

        Gives the status, the headers and the body of the answer. Raises OSError, HTTPException and
        ValueError.
        """
        self.counted += 1
        parts, env = urlsplit(url), self.settings.env
        tls = self.tls() if parts.scheme == "https" else None
        if env.get(f"{parts.scheme}_proxy") or env.get(f"{parts.scheme.upper()}_PROXY"):
            from incident_actions.gate_proxy import exchange_by_proxy

            return exchange_by_proxy(url, headers, timeout, tls, given)
        host, port = parts.hostname or "", parts.port
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        plain_http, over_tls = http.client.HTTPConnection, http.client.HTTPSConnection
        connection = over_tls(host, port, context=tls) if tls else plain_http(host, port)
        connection.timeout = timeout
        wire = None
        try:
            connection.connect()
            wire = connection.sock  # kept here: http.client drops it while the answer is read
            self.open.add(wire)
            connection.request("POST" if given else "GET", target, given, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            self.open.discard(wire)
            connection.close()

    def tls(self) -> Any:
        """The TLS settings, made once. Certificates that the environment names are trusted, too."""
        if self.context is None:
            import ssl

            self.context = ssl.create_default_context()
            env = self.settings.env
            bundle = env.get("SSL_CERT_FILE") or env.get("REQUESTS_CA_BUNDLE")
            if bundle:
                self.context.load_verify_locations(bundle)
        return self.context

    def headers(self) -> dict[str, str]:
        """The headers of every request.

        https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
        """
        return {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.settings.token}",
            "Connection": "close",
            "User-Agent": "incident-actions-gate",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def all_of(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make calls at the same time; gives their values in order. Raises the first failure."""
        results = self.together(calls)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make calls, four at a time; gives the value or the exception of each, in order.

        When the budget is used up, all open connections are shut down, so that the threads end.
        """
        late = GateError("timeout", "GitHub did not answer in time.", "Run this again.")
        results: list[Any] = [late] * len(calls)

        def work(first: int) -> None:
            for index in range(first, len(calls), 4):
                try:
                    results[index] = calls[index]()
                except Exception as error:
                    results[index] = error

        lanes = range(min(4, len(calls)))
        threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, self.left()) + 0.2)
        if any(thread.is_alive() for thread in threads):
            for wire in list(self.open):
                try:
                    wire.shutdown(2)  # in both directions
                except OSError:
                    self.open.discard(wire)  # it was closed already
            for thread in threads:
                thread.join(0.2)
        return results


def page_of(client: GateClient, label: str, query: Mapping[str, str]) -> tuple[list[Any], str]:
    """Read one page of the open issues with a label: the items, and the Link header.

    Raises `GateError`.
    https://docs.github.com/en/rest/issues/issues#list-repository-issues
    """
    base = {"state": "open", "labels": label, "per_page": str(PER_PAGE), **query}
    items, link = client.get(f"/repos/{client.repository}/issues?{urlencode(base)}")
    if not isinstance(items, list):
        what = "GitHub's API answered with something that is not a list of issues."
        raise GateError("unreadable", what, "Check GITHUB_API_URL and `repository`.")
    return items, link


def open_items(client: GateClient) -> list[Any]:
    """Read the open issues that may freeze deploys, as GitHub gives them. Raises `GateError`.

    Makes two requests, and more when a label has over a hundred open issues.
    """
    labels = ("incident", "deploy-freeze")
    firsts = client.all_of([partial(page_of, client, label, {}) for label in labels])
    issues: list[Any] = []
    for label, (items, link) in zip(labels, firsts):
        if link or len(items) >= PER_PAGE:
            from incident_actions.gate_further import all_items

            items = all_items(client, label)
        issues += items
    return issues


def nothing_open() -> GateVerdict:
    """The verdict when no issue is open that could freeze deploys."""
    reason = "Deploys are not frozen: no incident is open."
    return GateVerdict(verdict="clear", code="nothing-open", reason=reason)


def ask(client: GateClient, request: DeployRequest, now: datetime) -> GateVerdict:
    """Ask GitHub and decide. A frozen deploy is decided again with what `look_further` finds.

    Never raises: a failure becomes a verdict (`error`, or `rollback` for a rollback).
    """
    try:
        items = open_items(client)
        if not items:
            return nothing_open()
        from incident_actions.gate_decision import LookedUp, decide, read_issues
        from incident_actions.gate_targets import settle

        issues = read_issues(items)
        if any(issue.doubted for issue in issues):
            from incident_actions.gate_trust import look_twice

            look_twice(client, issues, items)
        request, remarks = settle(client, request, issues, now)
        verdict = decide(request, issues, now, LookedUp(notes=remarks))
        if verdict.verdict == "frozen":
            from incident_actions.gate_further import look_further

            found = look_further(client, request, verdict, now)
            found.notes = [*remarks, *found.notes]
            verdict = decide(request, issues, now, found)
            if verdict.findings and (request.group or request.actor == MERGE_QUEUE):
                from incident_actions.gate_queue import decide_group

                verdict = decide_group(client, request, issues, now, verdict, found)
            if verdict.verdict == "exempt":
                from incident_actions.gate_riders import with_riders

                verdict = with_riders(client, request, verdict, now)
        return verdict
    except Exception as error:  # a mistake of ours must not let a deploy through
        from incident_actions.gate_words import failed

        return failed(request, error)


def append(path: str, text: str) -> None:
    """Append text to one of the runner's files; nothing happens when `path` is empty.

    A file that can't be written is only a message on stderr.
    """
    try:
        if path:
            with open(path, "a", encoding="utf-8", errors="replace") as file:
                file.write(text)
    except OSError as error:
        print(f"{path} can't be written: {error}", file=sys.stderr)


def publish(settings: GateSettings, verdict: GateVerdict, summary: str) -> None:
    """Write the step outputs and the job summary (Markdown).

    The delimiter of the outputs is random, so that no value can end its output early.

    https://docs.github.com/en/actions/writing-workflows/choosing-what-your-workflow-does/workflow-commands-for-github-actions#multiline-strings
    """
    mark = os.urandom(16).hex()
    values = {
        "frozen": json.dumps(verdict.holds(settings.on_error)),
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "incidents": json.dumps(verdict.incidents),
    }
    text = "".join(f"{key}<<{mark}\n{value}\n{mark}\n" for key, value in values.items())
    append(settings.env.get("GITHUB_OUTPUT", ""), text)
    append(settings.env.get("GITHUB_STEP_SUMMARY", ""), summary)


def main(argv: Sequence[str], env: Mapping[str, str], now: datetime | None = None) -> int:
    """Run the gate. `now` fixes the time for tests.

    Returns the exit code: 0 the deploy may pass, 1 it may not, 2 an input is wrong, 3 GitHub
    could not be asked.
    """
    try:
        settings, request = read_inputs(argv, env)
    except BadInputError as error:
        from incident_actions.gate_words import tell_bad_input

        return tell_bad_input(error, env, argv)

    def clock() -> datetime:
        return now or settings.now or datetime.now(timezone.utc)

    client = GateClient(settings, request.repository)
    verdict = ask(client, request, clock())
    if settings.wait and verdict.holds(settings.on_error):
        from incident_actions.gate_further import ask_until_clear

        verdict = ask_until_clear(client, request, verdict, clock)
    if verdict.code == "nothing-open" and not settings.json:
        publish(settings, verdict, f"### {CLEAR}\n\n{verdict.reason}\n")
        print(verdict.reason)
        return 0
    from incident_actions.gate_words import tell

    return tell(settings, request, verdict, clock())


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):  # a runner's locale may be plain ASCII
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    code = main(sys.argv[1:], os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # an orderly shutdown of Python would be a tenth of the whole run
