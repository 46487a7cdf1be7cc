#!/usr/bin/env python3
"""The deploy gate: may this change be deployed now?

On the standard library alone, so that a deploy never waits for a package registry:
`python3 -I -S incident_actions/gate.py`. Python 3.9 to 3.14.

It asks GitHub for the open issues labelled `incident` or `deploy-freeze`. When there are none, the
deploy is clear, and this file is all that is needed. It starts in every deploy and is compiled
each time, so the rest lies beside it, and is imported where it is used:

- `gate_decision.py`: what the open issues mean. `gate_readers.py`: how their text is read.
- `gate_lookups.py`: what else is asked of GitHub then. `gate_words.py`: how the verdict is told.
- `gate_inputs.py`: flags and events. `gate_wire.py`: proxies and failures.
"""

from __future__ import annotations

import gc
import os
import sys

if __name__ == "__main__":
    gc.disable()  # the process is too short for cycles to matter, and importing makes many
    # With -I this folder is not on sys.path. A package made by hand lets the files beside this one
    # be imported by path, and share the classes of this running copy.
    sys.dont_write_bytecode = True  # no __pycache__ in the caller's checkout
    package = type(sys)("incident_actions")
    package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
    sys.modules.update({package.__name__: package, "incident_actions.gate": sys.modules[__name__]})

import http.client
import json
import re
import threading
import time
from datetime import datetime, timezone
from functools import partial
from types import SimpleNamespace
from urllib.parse import urlencode, urljoin, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from incident_actions.gate_decision import IssueVerdict

SEVERITIES = ("sev1", "sev2", "sev3")  # the worst first
PER_PAGE = 100
CLEAR = "✅ Deploys are not frozen"  # the heading of the job summary


class Code:
    """Why: the closed list of reason codes, of a verdict and of each finding in it."""

    # An open issue freezes this deploy.
    SEVERITY = "severity"
    UNKNOWN_SEVERITY = "unknown-severity"
    DEPLOY_FREEZE = "deploy-freeze"
    # An open issue does not freeze this deploy.
    DEPLOYS_ALLOWED = "deploys-allowed"
    DRILL = "drill"
    NEEDS_CONFIRMATION = "needs-confirmation"
    UNTRUSTED_REPORT = "untrusted-report"
    OTHER_SEVERITY = "other-severity"
    OTHER_SERVICE = "other-service"
    OTHER_ENVIRONMENT = "other-environment"
    EXPIRED = "expired"
    # It would, but somebody let this change through.
    ALLOWED = "allowed"
    FIX = "fix"
    MAY_DEPLOY = "may-deploy"
    ROLLBACK = "rollback"
    # Nothing is open at all.
    NOTHING_OPEN = "nothing-open"
    # GitHub could not be asked, or its answer could not be judged.
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    RATE_LIMITED = "rate-limited"
    SERVER_ERROR = "server-error"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"
    UNREADABLE = "unreadable"
    UNEXPECTED = "unexpected"
    # The caller's own mistake, or ours.
    BAD_INPUT = "bad-input"
    INTERNAL = "internal"


class GateError(Exception):
    """GitHub could not be asked: a code, what happened, and what to do about it."""

    def __init__(self, code: str, what: str, remedy: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.code, self.what, self.remedy = code, what, remedy
        self.wait = wait  # seconds until another try makes sense; None: it never does


class BadInputError(GateError):
    """An input of the caller is wrong. Exit code 2, whatever `mode` and `on-error` say."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(Code.BAD_INPUT, what, remedy)


class DeployRequest(SimpleNamespace):
    """What is to be deployed, and by whom. Names are lower case."""

    repository: str  # where incidents live
    source: str  # where the commit lives
    services: tuple[str, ...]
    environment: str
    intent: str
    severities: frozenset[str]
    shas: frozenset[str]
    pulls: tuple[SourcePull, ...]  # known from the event; more may be looked up
    actor: str


class SourcePull(SimpleNamespace):
    """A pull request that the commit came from."""

    number: int
    shas: frozenset[str]
    text: str  # the description, if its author may be believed: closing keywords are read from it


class GateVerdict(SimpleNamespace):
    """The answer: `verdict` for programs, `reason` for people, `findings` for the details."""

    verdict: str  # clear, frozen, exempt, rollback, error
    code: str
    reason: str
    remedy: str = ""
    findings: tuple[IssueVerdict, ...] = ()  # the ones that freeze, or would have
    notes: tuple[str, ...] = ()

    @property
    def overrides(self) -> list[dict[str, Any]]:
        """The overrides that were used, for the trace."""
        return [f.override for f in self.findings if f.override]


class GateSettings(SimpleNamespace):
    """How to ask and how to answer. Never printed: it holds the token."""

    api: str
    token: str
    mode: str
    on_error: str
    config: str
    budget: float  # seconds, for all requests of one decision
    wait: float  # minutes to poll until the freeze ends
    json: bool
    output: str
    summary: str
    run_url: str
    now: datetime | None  # INCIDENT_NOW, for drills and tests


INPUTS = (  # name, default, help
    ("service", "", "what is deployed: one service, or several separated by commas"),
    ("environment", "", "where it is deployed to"),
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
    """Make text from outside fit for one line of a log: printable, short, no runner command."""
    words = "".join(c if c.isprintable() else " " for c in str(text)[: limit * 8]).split()
    line = " ".join(words).replace("##[", "## [")
    return line if len(line) <= limit else line[: limit - 1] + "…"


def normal(name: str) -> str:
    """Fold a name's case and its accents' encoding, so that equal names are equal texts."""
    if not name.isascii():
        import unicodedata

        name = unicodedata.normalize("NFC", name)
    return name.strip().casefold()


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


def require(good: object, what: str, remedy: str) -> None:
    """Raise BadInputError unless an input is good."""
    if not good:
        raise BadInputError(what, remedy)


def choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """Check that an input is one of a few words."""
    remedy = f"Use one of: {', '.join(allowed)}."
    require(value.lower() in allowed, f"`{name}` is {plain(value, 40)!r}.", remedy)
    return value.lower()


def number_input(name: str, value: str, most: float) -> float:
    """Check that an input is a number from 0 to `most`."""
    good = re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) and float(value) <= most
    require(good, f"`{name}` is {plain(value, 40)!r}.", f"Use a number from 0 to {most:g}.")
    return float(value)


def fixed_now(env: Mapping[str, str]) -> datetime | None:
    """Read the time that INCIDENT_NOW fixes, or None."""
    text = env.get("INCIDENT_NOW", "").strip()
    if not text:
        return None
    from incident_actions.gate_readers import parse_now

    now = parse_now(text)
    require(now, f"INCIDENT_NOW is {plain(text, 40)!r}.", "Use ISO 8601.")
    return now


def read_inputs(argv: Sequence[str], env: Mapping[str, str]) -> tuple[GateSettings, DeployRequest]:
    """Read flags and environment. Raises BadInputError, which says what to do."""
    flags: dict[str, Any] = {}
    if argv:
        from incident_actions.gate_inputs import read_flags

        flags = read_flags(argv)

    def read(name: str, default: str = "") -> str:
        key = name.replace("-", "_")
        tried = (flags.get(key), env.get(f"INPUT_{key.upper()}"), env.get(f"INPUT_{name.upper()}"))
        return next((value.strip() for value in tried if value and value.strip()), default)

    value = {name: read(name, default) for name, default, _ in INPUTS}
    token = read("token") or env.get("GITHUB_TOKEN", "").strip()
    remedy = "Pass `token: ${{ github.token }}`, or set GITHUB_TOKEN."
    require(token, "There is no token to ask GitHub with.", remedy)
    remedy = "Check the secret for spaces or line ends."
    require(is_token(token), "The token holds characters that no token has.", remedy)
    severities = frozenset(re.findall(r"[^\s,]+", value["severities"].lower()))
    what = f"`severities` is {plain(value['severities'], 40)!r}."
    remedy = "List some of sev1, sev2, sev3, separated by commas."
    require(severities and severities <= set(SEVERITIES), what, remedy)
    source = env.get("GITHUB_REPOSITORY", "").strip()
    repository = value["repository"] or source
    what = f"`repository` is {plain(repository, 80)!r}."
    remedy = "Name the repository of the incidents as OWNER/NAME."
    require(is_repository(repository), what, remedy)
    api = (env.get("GITHUB_API_URL", "").strip() or "https://api.github.com").rstrip("/")
    what = f"GITHUB_API_URL is {plain(re.sub(r'//.*@', '//', api), 80)!r}."  # without a password
    remedy = "Give the address of the API, such as https://api.github.com."
    require(is_api_url(api), what, remedy)
    inside = ".." not in value["config"].split("/")
    require(inside, "`config` leaves the repository.", "Name a path inside it.")
    pulls: tuple[SourcePull, ...] = ()
    shas: frozenset[str] = frozenset()
    if env.get("GITHUB_EVENT_NAME") in ("pull_request", "pull_request_target", "merge_group"):
        from incident_actions.gate_inputs import read_event

        pulls, shas = read_event(env)
    sha = env.get("GITHUB_SHA", "").strip().lower()
    server = (env.get("GITHUB_SERVER_URL", "").strip() or "https://github.com").rstrip("/")
    run = env.get("GITHUB_RUN_ID", "")
    settings = GateSettings(
        api=api,
        token=token,
        mode=choice("mode", value["mode"], ("enforce", "report")),
        on_error=choice("on-error", value["on-error"], ("block", "allow")),
        config=value["config"],
        budget=number_input("budget", value["budget"], 600),
        wait=number_input("wait-minutes", value["wait-minutes"], 360),
        json=bool(flags.get("json")),
        output=env.get("GITHUB_OUTPUT", ""),
        summary=env.get("GITHUB_STEP_SUMMARY", ""),
        now=fixed_now(env),
        run_url=f"{server}/{source}/actions/runs/{run}" if source and run.isdigit() else "",
    )
    request = DeployRequest(
        repository=repository,
        source=source or repository,
        services=tuple(normal(s) for s in value["service"].split(",") if s.strip()),
        environment=normal(value["environment"]),
        intent=choice("intent", value["intent"], ("deploy", "rollback", "fix")),
        severities=severities,
        shas=shas | {sha} if sha else shas,
        pulls=pulls,
        actor=env.get("GITHUB_TRIGGERING_ACTOR", "") or env.get("GITHUB_ACTOR", ""),
    )
    return settings, request


class GateClient:
    """Asks GitHub: three tries with growing waits, all within one budget of seconds.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """

    TRIES = 3
    WAITS = (1.0, 3.0)  # seconds, before the second and the third try

    def __init__(self, settings: GateSettings, repository: str, env: Mapping[str, str]) -> None:
        self.settings, self.repository, self.env = settings, repository, env
        self.deadline = time.monotonic() + settings.budget
        self.open: set[Any] = set()  # sockets, so that the budget can cut them
        self.context: Any = None

    def left(self) -> float:
        """How many seconds of the budget are left."""
        return self.deadline - time.monotonic()

    def get(self, path: str) -> tuple[Any, str]:
        """Get one answer: the JSON value and its Link header. Raises GateError."""
        error = GateError(Code.TIMEOUT, "GitHub was not asked: no time is left.", "Raise `budget`.")
        for tries_left in range(self.TRIES, 0, -1):
            if self.left() <= 0:
                break
            try:
                return self.once(path, max(0.1, self.left() / tries_left))
            except GateError as failure:
                error = failure
            if error.wait is None or tries_left == 1:
                break
            wait = max(error.wait, self.WAITS[self.TRIES - tries_left])
            if wait >= self.left():
                break
            time.sleep(wait)
        raise error

    def once(self, path: str, timeout: float) -> tuple[Any, str]:
        """Ask once, following the redirects of a renamed repository on the same host."""
        url = self.settings.api + path
        for _ in range(4):
            status, headers, body = self.exchange(url, timeout)
            if status not in (301, 302, 307, 308):
                return self.read(status, headers, body)
            target = urljoin(url, headers.get("location") or "")
            if urlsplit(target)[:2] != urlsplit(url)[:2]:  # the token stays with this host
                break
            url = target
        what = "GitHub's API sends us elsewhere."
        raise GateError(Code.UNEXPECTED, what, "Check GITHUB_API_URL and `repository`.")

    def exchange(self, url: str, timeout: float) -> tuple[int, Any, bytes]:
        """Send one request, read one answer; whatever goes wrong on the wire is a GateError."""
        parts = urlsplit(url)
        try:
            proxy = f"{parts.scheme}_proxy"
            if self.env.get(proxy) or self.env.get(proxy.upper()):
                from incident_actions.gate_wire import exchange_by_proxy

                answer = exchange_by_proxy(self, url, timeout)
                if answer:
                    return answer
            return self.exchange_directly(parts, timeout)
        except (OSError, http.client.HTTPException, ValueError) as error:
            from incident_actions.gate_wire import wire_error

            raise wire_error(error, parts, self.left()) from None

    def exchange_directly(self, parts: Any, timeout: float) -> tuple[int, Any, bytes]:
        """Send one request to the host itself."""
        connection, wire = http.client.HTTPConnection(parts.hostname, parts.port or 80), None
        if parts.scheme == "https":
            port, tls = parts.port or 443, self.tls()
            connection = http.client.HTTPSConnection(parts.hostname, port, context=tls)
        connection.timeout = timeout
        try:
            connection.connect()
            wire = connection.sock
            self.open.add(wire)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers=self.headers())
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            self.open.discard(wire)
            connection.close()

    def tls(self) -> Any:
        """Prepare TLS, with the certificates that the environment names, if any."""
        if self.context is None:
            import ssl

            self.context = ssl.create_default_context()
            bundle = self.env.get("SSL_CERT_FILE") or self.env.get("REQUESTS_CA_BUNDLE")
            if bundle:
                self.context.load_verify_locations(bundle)
        return self.context

    def headers(self) -> dict[str, str]:
        """https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api"""
        return {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.settings.token}",
            "Connection": "close",
            "User-Agent": "incident-actions-gate",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def read(self, status: int, headers: Any, body: bytes) -> tuple[Any, str]:
        """Read an answer, or raise the GateError that its status means."""
        try:
            if status == 200:
                return json.loads(body), headers.get("link") or ""
        except (ValueError, RecursionError):
            pass
        from incident_actions.gate_wire import refusal

        raise refusal(status, headers, body, self.repository)

    def all_of(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make calls at the same time; gives their values, or raises the first failure."""
        results = self.together(calls)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make calls at the same time, at most four; each gives its value or its failure.

        No thread is left behind: when the budget is over, the connections are cut.
        """
        late = GateError(Code.TIMEOUT, "GitHub did not answer in time.", "Run this again.")
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
    """Read one page of open issues, as GitHub gives them, and the Link header."""
    base = {"state": "open", "labels": label, "per_page": str(PER_PAGE), **query}
    items, link = client.get(f"/repos/{client.repository}/issues?{urlencode(base)}")
    if not isinstance(items, list):
        what = "GitHub's API answered with something that is not a list of issues."
        raise GateError(Code.UNREADABLE, what, "Check GITHUB_API_URL and `repository`.")
    return items, link


def open_items(client: GateClient) -> list[Any]:
    """Read the open issues that may freeze: two requests, unless there are over a hundred."""
    marks = ("incident", "deploy-freeze")
    firsts = client.all_of([partial(page_of, client, mark, {}) for mark in marks])
    found = [item for items, _ in firsts for item in items]
    for mark, (items, link) in zip(marks, firsts):
        if link or len(items) >= PER_PAGE:
            from incident_actions.gate_lookups import further_items

            found += further_items(client, mark, link, len(items))
    return found


def nothing_open() -> GateVerdict:
    """Tell that nothing holds this deploy."""
    reason = "Deploys are not frozen: no incident is open."
    return GateVerdict(verdict="clear", code=Code.NOTHING_OPEN, reason=reason)


def ask(
    settings: GateSettings, request: DeployRequest, env: Mapping[str, str], now: datetime
) -> GateVerdict:
    """Ask GitHub and decide; every failure is a verdict too."""
    try:
        client = GateClient(settings, request.repository, env)
        items = open_items(client)
        if not items:
            return nothing_open()
        from incident_actions.gate_lookups import weigh

        return weigh(client, request, items, now)
    except Exception as error:  # a mistake of ours must not let a deploy through
        from incident_actions.gate_wire import failed

        return failed(request, error)


def append(path: str, text: str) -> None:
    """Append to a file of the runner's; a failure is a warning, the verdict stands."""
    try:
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        print(f"{path} can't be written: {error}", file=sys.stderr)


def publish(
    settings: GateSettings, verdict: GateVerdict, frozen: bool, incidents: str, summary: str
) -> None:
    """Write the step outputs, each behind a delimiter that nobody can guess, and the job summary.

    https://docs.github.com/en/actions/writing-workflows/choosing-what-your-workflow-does/workflow-commands-for-github-actions#multiline-strings
    """
    values = {
        "frozen": "true" if frozen else "false",
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "incidents": incidents,
    }
    mark = os.urandom(16).hex()
    if settings.output:
        text = "".join(f"{key}<<{mark}\n{value}\n{mark}\n" for key, value in values.items())
        append(settings.output, text)
    if settings.summary:
        append(settings.summary, summary)


def main(
    argv: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> int:
    """Run the gate. Returns the exit code: 0 pass, 1 blocked, 2 wrong input, 3 not asked."""
    env = os.environ if env is None else env
    try:
        settings, request = read_inputs(sys.argv[1:] if argv is None else argv, env)
        now = now or settings.now
    except BadInputError as error:
        from incident_actions.gate_words import tell_bad_input

        return tell_bad_input(error, env.get("GITHUB_STEP_SUMMARY", ""))

    def ask_now() -> GateVerdict:
        return ask(settings, request, env, now or datetime.now(timezone.utc))

    verdict = ask_now()
    if settings.wait and verdict.verdict in ("frozen", "error"):
        from incident_actions.gate_lookups import wait_until_clear

        verdict = wait_until_clear(settings, verdict, ask_now)
    if verdict.code == Code.NOTHING_OPEN and not settings.json:
        publish(settings, verdict, False, "[]", f"### {CLEAR}\n\n{verdict.reason}\n")
        print(verdict.reason)
        return 0
    from incident_actions.gate_words import tell

    return tell(settings, request, verdict, now or datetime.now(timezone.utc))


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):  # a runner's locale may be plain ASCII
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking the interpreter apart would be a tenth of the whole run
