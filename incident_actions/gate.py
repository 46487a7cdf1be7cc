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

import binascii
import http.client
import json
import re
import threading
import time
import unicodedata
from datetime import datetime, timedelta, timezone
from functools import partial
from types import SimpleNamespace
from urllib.parse import parse_qs, quote, unquote, urlencode, urljoin, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from incident_actions.gate_decision import Code, IssueVerdict

SEVERITIES = ("sev1", "sev2", "sev3")  # the worst first
PER_PAGE, MOST_PAGES = 100, 100
NEVER = float("inf")  # seconds to wait: another try makes no sense
REDIRECTS = (301, 302, 307, 308)
SCHEDULE_IS_LATE = timedelta(minutes=30)  # without a scheduled run: a note says so
CLEAR = "✅ Deploys are not frozen"  # the heading of the job summary


FINAL = frozenset(  # codes of failures that last: waiting does not help
    {"unauthorized", "forbidden", "not-found", "certificate", "internal"}
)


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
    services: tuple[str, ...]
    environment: str
    intent: str
    severities: frozenset[str]
    shas: frozenset[str]
    pulls: tuple[SourcePull, ...]  # those that the event names; more may be looked up
    actor: str  # login of the account that started the deploy


class SourcePull(SimpleNamespace):
    """A pull request that the commit came from."""

    number: int
    shas: frozenset[str]
    text: str  # the description, with its closing keywords; empty unless its author is trusted


class GateVerdict(SimpleNamespace):
    """The gate's answer: `verdict` and `code` for programs, `reason` and `remedy` for people."""

    verdict: str  # clear, frozen, exempt, rollback, error
    code: Code
    reason: str
    remedy: str = ""
    # The issues that freeze this deploy, or would freeze it without an override.
    findings: tuple[IssueVerdict, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def overrides(self) -> list[dict[str, Any]]:
        """The overrides that let this deploy through; they are written to the log for the audit."""
        return [f.override for f in self.findings if f.override]

    @property
    def incidents(self) -> list[dict[str, Any]]:
        """The issues in `findings`, as the `incidents` output has them."""
        keys = ("number", "title", "severity", "url")
        return [{key: getattr(f.issue, key) for key in keys} for f in self.findings]

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


def read_flags(argv: Sequence[str]) -> dict[str, Any]:
    """Read the command line: flag names to values, None for a flag that is not given.

    There is a flag for each of `INPUTS`, and `--json`. Ends the program with exit code 2 for any
    other flag.
    """
    import argparse  # slow to import, and no workflow needs it

    parser = argparse.ArgumentParser(
        prog="incident-actions gate",
        description="May this change be deployed now? Exit code 0: yes; 1: no; 2: wrong input;"
        " 3: GitHub could not be asked. Each flag is also an environment variable, INPUT_NAME;"
        " the token is read from INPUT_TOKEN or GITHUB_TOKEN.",
    )
    for name, default, text in INPUTS:
        shown = f" (default: {default})" if default else ""
        parser.add_argument(f"--{name}", help=text + shown)
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    return vars(parser.parse_args(argv))


def event_payload(env: Mapping[str, str]) -> dict[str, Any]:
    """Read the payload of the event that started the workflow.

    Raises `BadInputError` when its file can't be read or holds no JSON object.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    try:
        with open(env.get("GITHUB_EVENT_PATH", ""), encoding="utf-8-sig") as file:
            event = json.load(file)
        if isinstance(event, dict):
            return event
        reason = "it holds no JSON object"
    except (OSError, ValueError, RecursionError) as error:
        reason = plain(error)
    what = f"The event file (GITHUB_EVENT_PATH) can't be read: {reason}."
    remedy = "Run the gate in a workflow, or leave GITHUB_EVENT_NAME out."
    raise BadInputError("bad-input", what, remedy)


def read_event(env: Mapping[str, str]) -> tuple[tuple[SourcePull, ...], frozenset[str]]:
    """Read the pull requests and the commit SHAs that the event names.

    Both are empty unless the event is `pull_request`, `pull_request_target` or `merge_group`.
    Raises `BadInputError` when the event file can't be read.

    https://docs.github.com/en/actions/writing-workflows/choosing-when-your-workflow-runs/events-that-trigger-workflows#merge_group
    """
    if env.get("GITHUB_EVENT_NAME") not in ("pull_request", "pull_request_target", "merge_group"):
        return (), frozenset()
    event = event_payload(env)
    from incident_actions.gate_readers import dig, kept

    pull = read_pull(event.get("pull_request"))
    shas = pull.shas if pull else frozenset()
    branch = dig(event, "merge_group", "head_ref")
    if isinstance(branch, str):
        match = re.search(r"/pr-(\d+)-[0-9a-f]+$", branch)
        pull = SourcePull(number=int(match[1]), shas=frozenset(), text="") if match else None
        shas = frozenset(kept([dig(event, "merge_group", "head_sha")], str))
    return (pull,) if pull else (), shas


def read_pull(item: object) -> SourcePull | None:
    """Read one pull request, as an event or GitHub's API gives it; None when `item` is none.

    An author can edit the description at any time, so an outsider's description is left out.
    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    """
    from incident_actions.gate_readers import TRUSTED, dig, kept

    number = dig(item, "number")
    if type(number) is not int:
        return None
    shas = kept([dig(item, "head", "sha"), dig(item, "merge_commit_sha")], str)
    believed = str(dig(item, "author_association")) in TRUSTED
    text = "".join(kept([dig(item, "body")], str)) if believed else ""
    return SourcePull(number=number, shas=frozenset(shas), text=text)


def read_inputs(argv: Sequence[str], env: Mapping[str, str]) -> tuple[GateSettings, DeployRequest]:
    """Read the flags and the environment. Raises `BadInputError` when an input is wrong."""
    flags = read_flags(argv) if argv else {}

    def variable(name: str, default: str = "") -> str:
        return env.get(name, "").strip() or default

    def read(name: str, default: str = "") -> str:
        key = name.replace("-", "_")
        tried = (flags.get(key), env.get(f"INPUT_{key.upper()}"), env.get(f"INPUT_{name.upper()}"))
        return next((value.strip() for value in tried if value and value.strip()), default)

    value = {name: read(name, default) for name, default, _ in INPUTS}
    token = read("token") or variable("GITHUB_TOKEN")
    if not token:
        remedy = "Pass `token: ${{ github.token }}`, or set GITHUB_TOKEN."
        raise BadInputError("bad-input", "There is no token to ask GitHub with.", remedy)
    if not is_token(token):
        remedy = "Check the secret for spaces or line ends."
        raise BadInputError("bad-input", "The token holds characters that no token has.", remedy)
    named = re.findall(r"[^\s,]+", value["severities"]) or [""]
    severities = frozenset(choice("severities", each, SEVERITIES) for each in named)
    repository = value["repository"] or variable("GITHUB_REPOSITORY")
    remedy = "Name the repository of the incidents as OWNER/NAME."
    require(is_repository(repository), "`repository`", repository, remedy)
    api = variable("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    shown = re.sub(r"//.*@", "//", api)  # an address may hold a password
    remedy = "Give the address of the API, such as https://api.github.com."
    require(is_api_url(api), "GITHUB_API_URL", shown, remedy)
    inside = ".." not in value["config"].split("/")
    require(inside, "`config`", value["config"], "Name a path inside the repository.")
    pulls, shas = read_event(env)
    sha = variable("GITHUB_SHA").lower()
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

    def left(self) -> float:
        """How many seconds of the budget are left."""
        return self.deadline - time.monotonic()

    def get(self, path: str) -> tuple[Any, str]:
        """Read the JSON value at a path, and the answer's Link header (empty when there is none).

        Raises `GateError` when no try succeeds.
        """
        error = GateError("timeout", "GitHub was not asked: no time is left.", "Raise `budget`.")
        for tries_left, pause in zip((3, 2, 1), (*self.WAITS, NEVER)):
            if self.left() <= 0:
                break
            try:
                return self.once(path, max(0.1, self.left() / tries_left))
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

    def once(self, path: str, timeout: float) -> tuple[Any, str]:
        """Try a GET once, for at most `timeout` seconds a request; gives the same as `get`.

        Follows redirects (a renamed repository has one) on the same host only. Raises `GateError`
        for any other answer than JSON with status 200, and the errors of `exchange`.
        """
        url = self.settings.api + path
        for _ in range(4):
            status, headers, body = self.exchange(url, timeout)
            if status not in REDIRECTS:
                break
            target = urljoin(url, headers.get("location") or "")
            if urlsplit(target)[:2] != urlsplit(url)[:2]:  # no other host may see the token
                break
            url = target
        try:
            if status == 200:
                return json.loads(body), headers.get("link") or ""
        except (ValueError, RecursionError):
            pass
        from incident_actions.gate_words import refusal

        raise refusal(status, headers, body, self.repository)

    def exchange(self, url: str, timeout: float) -> tuple[int, Any, bytes]:
        """Send one GET request; gives the status, the headers and the body of the answer.

        A proxy gets the whole address for plain HTTP, and opens a tunnel to the host for HTTPS.
        Raises OSError, HTTPException and ValueError.
        """
        parts, headers = urlsplit(url), self.headers()
        proxy, login = self.proxy(parts)
        near, target = proxy or parts, parts.path + (f"?{parts.query}" if parts.query else "")
        if parts.scheme == "http":
            connection = http.client.HTTPConnection(near.hostname or "", near.port or 80)
            target, headers = (url, {**headers, **login}) if proxy else (target, headers)
        else:
            port, tls = near.port or 443, self.tls()
            connection = http.client.HTTPSConnection(near.hostname or "", port, context=tls)
            if proxy:
                connection.set_tunnel(parts.hostname or "", parts.port or 443, login)
        connection.timeout = timeout
        wire = None
        try:
            connection.connect()
            wire = connection.sock  # kept here: http.client drops it while the answer is read
            self.open.add(wire)
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            self.open.discard(wire)
            connection.close()

    def proxy(self, parts: Any) -> tuple[Any, dict[str, str]]:
        """Find the proxy for an address, which is given in parts (`urlsplit`).

        Gives the parts of the proxy's own address, and the header with its user and password
        (empty without them). Without a proxy, or when `no_proxy` excludes the host: None and {}.
        """
        env, name, host = self.settings.env, f"{parts.scheme}_proxy", f".{parts.hostname}".lower()
        proxy = env.get(name) or env.get(name.upper()) or ""
        for entry in (env.get("no_proxy") or env.get("NO_PROXY") or "").lower().split(","):
            name = entry.partition(":")[0].strip(" *.")
            if entry.strip() == "*" or (name and host.endswith(f".{name}")):
                proxy = ""
        place = urlsplit(proxy if "://" in proxy else f"//{proxy}")
        if not proxy or place.username is None:
            return place if proxy else None, {}
        pair = f"{unquote(place.username)}:{unquote(place.password or '')}"
        secret = binascii.b2a_base64(pair.encode(), newline=False).decode()
        return place, {"Proxy-Authorization": f"Basic {secret}"}

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
    issues = [item for items, _ in firsts for item in items]
    for label, (items, link) in zip(labels, firsts):
        if link or len(items) >= PER_PAGE:
            issues += further_items(client, label, link, len(items))
    return issues


def nothing_open() -> GateVerdict:
    """The verdict when no issue is open that could freeze deploys."""
    reason = "Deploys are not frozen: no incident is open."
    return GateVerdict(verdict="clear", code="nothing-open", reason=reason)


def linked(link: str, relation: str) -> dict[str, list[str]]:
    """Read the query parameters of one relation (`next`, `last`) in a Link header.

    Gives an empty dict when the header does not have the relation.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    match = re.search(rf'<([^<>]*)>[^<>]*;\s*rel="?{relation}(?!\w)', link)
    return parse_qs(urlsplit(match[1]).query) if match else {}


def further_items(client: GateClient, label: str, link: str, size: int) -> list[Any]:
    """Read all pages after the first. `link` and `size` are the first page's Link header and its
    number of items. Raises `GateError`, also when there are more than `MOST_PAGES` pages.
    """
    last_page = linked(link, "last").get("page", ["0"])[0]
    if re.fullmatch(r"\d{1,4}", last_page) and 1 < int(last_page) <= MOST_PAGES:
        pages = ({"page": str(page)} for page in range(2, int(last_page) + 1))
        answers = client.all_of([partial(page_of, client, label, page) for page in pages])
        return [item for items, _ in answers for item in items]
    further: list[Any] = []
    for page in range(2, MOST_PAGES + 1):
        following = linked(link, "next")
        if not following and size < PER_PAGE:
            return further
        # Only the page is taken from the link: its address might lead to another host.
        query = {k: v[0] for k, v in following.items() if k in ("page", "after", "cursor")}
        items, link = page_of(client, label, query or {"page": str(page)})
        further, size = further + items, len(items)
    what = f"More than {PER_PAGE * MOST_PAGES} open incidents."
    raise GateError("unreadable", what, "Close the ones that are over.")


def look_further(
    client: GateClient, request: DeployRequest, verdict: GateVerdict, now: datetime
) -> tuple[tuple[SourcePull, ...], tuple[str, ...] | None, list[str]]:
    """Look up what may let a frozen deploy pass after all.

    Returns the pull requests that the commit came from, the environments that a freeze stops
    (None: all), and remarks for people. A failed request adds at most a remark: the deploy
    stays frozen. The time of the last scheduled run is looked up, too: it may call for a remark.
    https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
    https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    from incident_actions.gate_readers import dig, environments_of, parse_time
    from incident_actions.gate_words import age

    here, source = f"/repos/{request.repository}", f"/repos/{request.source}"
    paths = {"schedule": f"{here}/actions/runs?event=schedule&per_page=1"}
    if request.environment:
        paths["config"] = f"{here}/contents/{quote(client.settings.config)}"
    if request.intent == "fix" or any(finding.issue.allow for finding in verdict.findings):
        unread = [pull.number for pull in request.pulls if not pull.shas]  # of a merge queue
        if unread:
            paths["pull"] = f"{source}/pulls/{unread[0]}"
        elif request.shas and not request.pulls:
            paths["pull"] = f"{source}/commits/{quote(min(request.shas), safe='')}/pulls"
    calls = [lambda path=path: client.get(path)[0] for path in paths.values()]
    answers = dict(zip(paths, client.together(calls)))

    notes: list[str] = []
    pulls, file = answers.get("pull", []), answers.get("config")
    if isinstance(pulls, Exception):
        notes.append(f"The pull request of this commit can't be looked up: {pulls}")
        notes.append("Give the job `permissions: pull-requests: read` and `contents: read`.")
    pulls = pulls if isinstance(pulls, list) else [pulls]  # `read_pull` drops an exception
    environments = None
    try:
        if file is not None and getattr(file, "code", "") != "not-found":
            environments = environments_of(binascii.a2b_base64(file["content"]).decode("utf-8-sig"))
    except (TypeError, KeyError, ValueError):
        note = "`freeze: environments:` can't be read, so every environment counts as frozen."
        notes.append(note)
    last_run = parse_time(dig(answers["schedule"], "workflow_runs", 0, "created_at"))
    if last_run and now - last_run > SCHEDULE_IS_LATE:
        notes.append(
            f"Scheduled workflows last ran {age(last_run, now)} ago: reminders, and freezes that"
            " end by themselves, may be late. Start the incident workflow by hand."
        )
    return tuple(pull for pull in map(read_pull, pulls) if pull), environments, notes


def ask(settings: GateSettings, request: DeployRequest, now: datetime) -> GateVerdict:
    """Ask GitHub and decide. A frozen deploy is decided again with what `look_further` finds.

    Never raises: a failure becomes a verdict (`error`, or `rollback` for a rollback).
    """
    try:
        client = GateClient(settings, request.repository)
        items = open_items(client)
        if not items:
            return nothing_open()
        from incident_actions.gate_decision import decide, read_issues

        issues = read_issues(items)
        verdict = decide(request, issues, now)
        if verdict.verdict == "frozen":
            verdict = decide(request, issues, now, *look_further(client, request, verdict, now))
        return verdict
    except Exception as error:  # a mistake of ours must not let a deploy through
        from incident_actions.gate_words import failed

        return failed(request, error)


def ask_until_clear(settings: GateSettings, ask_once: Callable[[], GateVerdict]) -> GateVerdict:
    """Call `ask_once` until the deploy is not held, or `settings.wait` minutes are over.

    Returns the last verdict. Prints a line when the freezing issues change, or every five minutes.
    """
    end = time.monotonic() + settings.wait * 60
    told_at, told_line = 0.0, ""
    while True:
        verdict, left = ask_once(), end - time.monotonic()
        if not verdict.holds(settings.on_error) or verdict.code in FINAL or left <= 0:
            return verdict
        line = " ".join(f"#{f.issue.number}" for f in verdict.findings) or verdict.code
        if line != told_line or time.monotonic() - told_at > 300:
            told_line, told_at = line, time.monotonic()
            print(f"Waiting up to {left / 60:.0f} min: {verdict.reason}", flush=True)
        time.sleep(min(30.0, left))


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

        return tell_bad_input(error, env)

    def clock() -> datetime:
        return now or settings.now or datetime.now(timezone.utc)

    verdict = ask_until_clear(settings, lambda: ask(settings, request, clock()))
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
