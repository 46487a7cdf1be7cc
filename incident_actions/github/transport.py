"""Sends requests to GitHub's API, counts them, retries them, and turns refusals into errors.

Uses PyGithub's rules for what to repeat, but not its client: that follows redirects without their
query, and makes further requests by itself. Every request of this program should be one that its
code asks for. When GitHub fails or limits the rate, the run waits, as long as it has time for that.
https://docs.github.com/en/rest/using-the-rest-api
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import quote, urljoin

import github
import requests
from github.GithubRetry import GithubRetry
from github.Requester import Requester
from msgspec import convert
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, TimeoutError

from incident_actions import __version__, errors
from incident_actions.domain.issue.observation import Actor

ALL_WAITS = 60
"""Seconds that all waits of a run may take together. GitHub's documentation names a minute as the
wait after a rate limit that says nothing else; a run that waits longer is of no use to anybody."""
_LIMITED = frozenset({403, 429})  # the statuses of rate limits; 403 has other meanings, too
_log = logging.getLogger(__name__)
_SAFE_TO_REPEAT = frozenset({"GET", "PATCH", "PUT", "DELETE"})


class Patience:
    """The seconds that a run may still wait. All its requests share one object.

    `sleep(seconds)` waits; the default is `time.sleep`.
    """

    def __init__(self, left: float, sleep: Callable[[float], None] | None = None) -> None:
        self.left = left
        self._sleep = sleep

    def wait(self, seconds: float, why: str) -> None:
        """Wait, and say so in the log. `why` is what GitHub answered."""
        self.left -= seconds
        again = f" in {seconds:.0f} s" if seconds else ""
        _log.warning("GitHub failed (%s); asking again%s", why, again)
        if seconds > 0:
            (self._sleep or time.sleep)(seconds)


class PatientRetry(GithubRetry):
    """Says when a request is repeated: after a failure of GitHub, and after a rate limit.

    A POST whose answer was lost may have done its work, so it is not repeated. A request that a
    rate limit refused did nothing, so every method is repeated then.
    """

    def __init__(self, patience: Patience | None = None, **given: Any) -> None:
        settings: dict[str, Any] = {
            "total": 3,
            "backoff_factor": 0.5,
            "secondary_rate_wait": ALL_WAITS,
            "max_rate_limit_wait": ALL_WAITS,
            "allowed_methods": _SAFE_TO_REPEAT,
            "status_forcelist": [429, 500, 502, 503, 504],
        }
        super().__init__(**{**settings, **given})
        self.patience = patience or Patience(ALL_WAITS)
        self.failure = ""

    def new(self, **changed: Any) -> Self:
        """A copy with some settings changed, which shares the `patience` of this one."""
        return super().new(patience=self.patience, **changed)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether to repeat the request after an answer with this status.

        A 403 may be no rate limit: PyGithub's `increment` reads the answer to tell them apart.
        """
        limited = status_code in _LIMITED
        return limited or bool(super().is_retry(method, status_code, has_retry_after))

    def increment(self, *given: Any, **named: Any) -> Any:
        """The settings for the next try. Called by urllib3 after each failed one.

        Raises `RateLimited` when no try is left and the last answer was a rate limit.
        """
        response, error = named.get("response"), named.get("error")
        try:
            again: Any = super().increment(*given, **named)
        except MaxRetryError:
            if response is None or response.status not in _LIMITED:
                raise
            said = f": HTTP {response.status}, however often it is asked"
            raise _limited(response, said) from None
        if isinstance(error, TimeoutError):
            again.patience.left -= TIMEOUT  # this wait was no less in vain
        if again.patience.left < 0:
            raise _impatient(response, 0)
        again.failure = f"HTTP {response.status}" if response is not None else type(error).__name__
        return again

    def sleep(self, response: Any = None) -> None:
        """Wait before the next try, and say so in the log.

        Raises `RateLimited`, or `Unavailable` when GitHub is down, when the wait would be longer
        than the run may still wait.
        """
        asked = None if response is None else self.get_retry_after(response)
        seconds = float(self.get_backoff_time() if asked is None else asked)
        if seconds > self.patience.left:
            if response is not None and response.status in _LIMITED:
                raise _limited(response, f" and asks for {seconds:.0f} seconds of waiting")
            raise _impatient(response, seconds)
        self.patience.wait(seconds, self.failure)


def _impatient(response: Any, seconds: float) -> errors.Unavailable:
    """The error when GitHub is down for longer than this run may wait."""
    said = "GitHub does not answer"
    if response is not None:
        response.close()
        said = f"GitHub answers HTTP {response.status}"
    asks = f" and asks for {seconds:.0f} seconds of waiting" if seconds else ""
    return errors.Unavailable(
        f"{said}{asks}; this run has waited as long as it may",
        remedy="The next run does the rest; see https://www.githubstatus.com.",
    )


def _limited(response: Any, said: str) -> errors.RateLimited:
    """The error for a rate limit. Closes the answer, so that its connection is not left open."""
    response.close()
    return errors.RateLimited(f"GitHub limits the rate{said}")


TIMEOUT = 15
"""Seconds that one answer may take."""
PER_PAGE = 100
"""Entries on one page of a list: the most that GitHub allows."""
CEILING = 400
"""The most requests of one run. A normal run makes about ten, so more would be a bug here."""
_MOVED = frozenset({301, 302, 307, 308})
_MOVED_REMEDY = "The repository or the server has moved: use its new address."
_MOST_HOPS = 3
"""The most redirects that one request follows."""
_PLACE = re.compile(
    r"/(?:repos/(?P<name>[^/?#]+/[^/?#]+)|repositories/(?P<id>\d+))(?P<rest>[^?#]*)"
)
"""The repository in an API address, by name or by number, and what follows it."""
_NEXT = re.compile(r'<[^>]*?(?:[?&]page=(?P<page>\d+)[^>]*)?>; *rel="next"')
_ISSUE = re.compile(r"/(?:issues|pulls)/(?P<number>\d+)")
_KINDS = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    410: errors.NotFound,
}
"""The error for an HTTP status. Others become `Unavailable` (500 and up) or `Rejected`."""

NOTHING_THERE: tuple[Mapping[str, str], Any] = ({}, None)
"""What `send` gives for something optional that GitHub does not find."""

Answer = TypeVar("Answer")


class _Home(NamedTuple):
    """Where the repository is: its name, and GitHub's number for it."""

    name: str
    id: str


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The request as it is: the token stands in a header already."""
    return request


class Transport:
    """The requests of one run to one repository.

    `repository` is `OWNER/NAME`. `requests` counts the requests so far, without retries and
    redirects. The subclasses, one for each part of the API, call the methods that begin with an
    underscore; those take the same `path` as `send`, and all of them call it.
    """

    def __init__(
        self,
        token: str,
        repository: str,
        api_url: str,
        ceiling: int = CEILING,
        patience: Patience | None = None,
    ) -> None:
        """A connection to one repository (`OWNER/NAME`). Makes no request yet.

        `api_url` is the API's root, as in `GITHUB_API_URL`. At most `ceiling` requests are made:
        the next one raises `errors.RequestCeilingReached`. `patience` is how long the run may wait.
        """
        self._api = api_url.rstrip("/")
        self._session = requests.Session()
        self._session.auth = _unchanged  # else requests reads passwords from ~/.netrc
        self._session.headers.update(
            {
                "Authorization": f"token {token}",
                "Accept": "application/vnd.github+json",
                "User-Agent": f"incident-actions/{__version__}",
            }
        )
        self._patience = patience or Patience(ALL_WAITS)
        retry = PatientRetry(self._patience)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))
        self.repository = repository
        self.requests = 0
        self._ceiling = ceiling
        self._home: _Home | None = None
        self._told = set[str]()
        self._tagged: dict[tuple[object, ...], tuple[Mapping[str, str], Any]] = {}
        self._answers: dict[
            tuple[object, ...], tuple[Mapping[str, str], Any] | errors.GitHubError
        ] = {}

    def elsewhere(self, repository: str) -> Self:
        """The same connection for another repository, `OWNER/NAME`: same token, same patience."""
        other = copy(self)
        other.repository, other._home = repository, None
        other._told, other._tagged, other._answers = set(), {}, {}
        return other

    def begin_again(self) -> None:
        """Begin another round of a run that stays awake: with a new count of requests and new
        patience, and with no answer that GitHub does not confirm.
        """
        self.requests = 0
        self._patience.left = ALL_WAITS
        self._home = None
        self._answers.clear()

    @property
    def _base(self) -> str:
        """The address of the repository in the API."""
        return f"{self._api}/repos/{quote(self.repository, safe='/')}"

    def close(self) -> None:
        """Close the connection. A later request opens a new one."""
        self._session.close()

    def send(
        self,
        verb: str,
        path: str,
        *,
        given: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        optional: bool = False,
    ) -> tuple[Mapping[str, str], Any]:
        """Make one request; gives the answer's headers (names in lower case) and its JSON.

        `path` is what follows `/repos/OWNER/NAME`, or a whole address on the same server.
        `given` is the body, `parameters` the query. The JSON is None when the answer is empty.
        With `optional`, when GitHub finds nothing (404, 410), the result is `NOTHING_THERE`.

        Every request of the program goes through this method. So a test can replace it on the
        object, to count requests or to change answers. A GET is sent with the ETag of its last
        answer: when nothing has changed, that answer is given again, and costs no rate limit.
        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate

        Raises an `errors.GitHubError`: `Unauthorized` for HTTP 401, `Forbidden` for 403,
        `NotFound` for 404 and 410, `Transferred` for an issue that is in another repository now,
        `Rejected` for other refusals, `RateLimited` when a rate limit lasts too long, `Unavailable`
        when there is no answer, an unreadable one, or one about another place than was asked for,
        and `RequestCeilingReached` when the run has made too many requests.
        """
        if self.requests >= self._ceiling:
            raise errors.RequestCeilingReached(self._ceiling, f"{verb} {path}")
        self.requests += 1
        question = (path, *sorted((parameters or {}).items()))
        known = self._tagged.get(question) if verb == "GET" else None
        conditions = {"If-None-Match": known[0]["etag"]} if known else {}
        relative = path[:1] in ("", "/")
        url = self._base + path if relative else path
        try:
            status, headers, answer = self._exchange(verb, url, parameters, conditions, given)
        except github.GithubException as error:
            if optional and _KINDS.get(error.status) is errors.NotFound:
                return NOTHING_THERE
            raise self._explained(error, f"{verb} {path}") from None
        except (requests.RequestException, OSError) as error:
            failed = f"{type(error).__name__} at {verb} {path or self.repository}"
            raise errors.Unavailable(f"GitHub could not be reached: {failed}") from None
        if known and status == 304:
            return known
        if relative and verb != "GET":
            self._check_place(path, answer)
        if verb == "GET" and headers.get("etag"):
            self._tagged[question] = headers, answer
        return headers, answer

    def _exchange(
        self, verb: str, url: str, parameters: Any, headers: Mapping[str, str], given: Any
    ) -> tuple[int, dict[str, str], Any]:
        """Send one request; gives the answer's status, headers and JSON (None when empty).

        A redirect is followed with the same method, query and body, on the same server only.
        Raises `github.GithubException` for a refusal, `Transferred` for an issue that is in another
        repository now, and `Unavailable` for an answer that is not JSON.
        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
        """
        answered = self._ask(verb, url, parameters, headers, given)
        for _ in range(_MOST_HOPS):
            if answered.status_code not in _MOVED:
                break
            target = urljoin(url, answered.headers.get("location", ""))
            if target == url or target.split("/")[:3] != self._api.split("/")[:3]:
                break
            self._check_move(url, target)
            url, parameters = target, None if "?" in target else parameters
            answered = self._ask(verb, url, parameters, headers, given)
        status = answered.status_code
        refused = status >= 400 or status in _MOVED
        try:
            answer = json.loads(answered.content) if answered.content else None
        except ValueError:
            if not refused:
                raise errors.Unavailable(f"GitHub did not answer {verb} {url} with JSON") from None
            answer = None
        if refused:
            raise github.GithubException(status, answer)
        return status, {name.lower(): text for name, text in answered.headers.items()}, answer

    def _ask(
        self, verb: str, url: str, parameters: Any, headers: Mapping[str, str], given: Any
    ) -> requests.Response:
        """One request, repeated while it fails and that is safe; gives the answer as it is."""
        return self._session.request(
            verb,
            url,
            params=parameters,
            headers=headers,
            json=given,
            timeout=TIMEOUT,
            allow_redirects=False,
        )

    def _check_move(self, url: str, target: str) -> None:
        """See why GitHub redirects from `url` to `target`: the repository was renamed, or an issue
        was transferred to another one.

        From a redirect alone nobody can tell, because `target` may name a repository by its number.
        So where the repository is now is asked once in a run. Raises `Transferred`.
        https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/transferring-an-issue-to-another-repository
        https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository
        """
        old, new = _PLACE.search(url), _PLACE.search(target)
        if old is None or new is None or not old["rest"].strip("/"):
            return
        home, name = self._find_home(), str(new["name"])
        at_home = home.id == new["id"] or home.name.casefold() == name.casefold()
        same_rest = old["rest"] == new["rest"]
        issue = _ISSUE.match(new["rest"])
        # GitHub redirects from a branch's old name, too; then the rest differs.
        if (same_rest and not home.id) or (at_home and (same_rest or issue is None)):
            self._move_to(home.name if at_home else str(new["name"] or self.repository))
            return
        was = _ISSUE.match(old["rest"])
        if was is None or issue is None:
            raise github.GithubException(301, message=f"moved to {target}")
        where, answer = self._issue_at(target[: new.start("rest")] + issue[0])
        number = int(was["number"])
        what = f"#{number} of {self.repository} was transferred to {where}"
        if what not in self._told:
            self._told.add(what)
            _log.warning("%s. It is left alone here.", what)
        raise errors.Transferred(what, number=number, where=where, answer=answer)

    def _find_home(self) -> _Home:
        """The repository's name and number now, after a rename; the number is empty when GitHub
        knows no such repository. Asked for once in a run.
        """
        if self._home is None:
            self.requests += 1
            self._home = _Home(self.repository, "")
            with contextlib.suppress(github.GithubException):
                _, _, about = self._exchange("GET", self._base, None, {}, None)
                self._home = read(lambda raw: _Home(raw["full_name"], str(raw["id"])), about)
        return self._home

    def _move_to(self, name: str) -> None:
        """Go on with the repository's new name, and say so once."""
        if name.casefold() != self.repository.casefold():
            _log.warning(
                "%s is called %s now. Use the new name wherever the old one is written.",
                self.repository,
                name,
            )
            self.repository = name

    def _issue_at(self, url: str) -> tuple[str, Any]:
        """The page's address of the issue at an API address, and GitHub's JSON of it.

        The API address itself and None when the token may not see it.
        """
        self.requests += 1
        with contextlib.suppress(github.GithubException, errors.Unavailable):
            _, _, answer = self._exchange("GET", url, None, {}, None)
            if isinstance(answer, dict) and answer.get("html_url"):
                return str(answer["html_url"]), answer
        return url, None

    def _check_place(self, path: str, answer: Any) -> None:
        """See that the answer to a write is about this repository, and about the issue in `path`.

        Else what was written is not where it belongs, or was not written. Raises `Unavailable`.
        """
        if not isinstance(answer, dict):
            return
        place = _PLACE.search(str(answer.get("url") or ""))
        name = place["name"] if place else None
        asked = _ISSUE.fullmatch(path.removesuffix("/comments"))
        about = _ISSUE.search(str(answer.get("issue_url") or answer.get("url") or ""))
        elsewhere = name is not None and name.casefold() != self.repository.casefold()
        if elsewhere or (asked and about and asked["number"] != about["number"]):
            raise errors.Unavailable(
                f"GitHub answered a change of {path} on {self.repository} with {answer.get('url')}",
                remedy="Look there for what was written. The next run looks here again.",
            )

    def _get(self, reader: Callable[[Any], Answer], path: str, **parameters: Any) -> Answer:
        """Make a GET; gives its answer, decoded by `reader`."""
        return read(reader, self.send("GET", path, parameters=parameters)[1])

    def _find(self, reader: Callable[[Any], Answer], path: str, **parameters: Any) -> Answer | None:
        """Make a GET like `_get`; gives None when GitHub finds nothing (404, 410)."""
        found = self.send("GET", path, parameters=parameters, optional=True)
        return None if found is NOTHING_THERE else read(reader, found[1])

    def _once(self, reader: Callable[[Any], Answer], path: str, **parameters: Any) -> Answer:
        """Like `_get`, but only the first call in a run makes a request."""
        return read(reader, self._first_answer(path, parameters)[1])

    def _find_once(self, reader: Callable[[Any], Answer], path: str) -> Answer | None:
        """Like `_find`, but only the first call in a run makes a request."""
        found = self._first_answer(path, {}, optional=True)
        return None if found is NOTHING_THERE else read(reader, found[1])

    def _first_answer(
        self, path: str, parameters: Mapping[str, Any], *, optional: bool = False
    ) -> tuple[Mapping[str, str], Any]:
        """What `send` gives for a GET, from memory when this run has made it before.

        A refusal (403, 404) is remembered and raised again. A sweep needs this, because it asks
        for the same things for every incident.
        """
        question = (path, *sorted(parameters.items()))
        if question not in self._answers:
            try:
                self._answers[question] = self.send(
                    "GET", path, parameters=parameters, optional=optional
                )
            except (errors.Forbidden, errors.NotFound) as refused:
                self._answers[question] = refused
        answer = self._answers[question]
        if isinstance(answer, errors.GitHubError):
            raise answer
        return answer

    def _pages(
        self, reader: Callable[[Any], Answer | None], path: str, **parameters: Any
    ) -> Iterator[Answer]:
        """The entries of a list, decoded by `reader`. Those that it turns into None are left out.

        Each page is one request, made only when the caller gets to the page's first entry.

        https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        page = 1
        while True:
            asked = {**parameters, "per_page": PER_PAGE, "page": page}
            headers, items = self.send("GET", path, parameters=asked)
            yield from read(each(reader), items)
            following = _NEXT.search(headers.get("link", ""))
            if following is None:
                return
            page += 1
            if int(following["page"] or page) != page:
                raise errors.Unavailable(
                    f"GitHub's list {path} does not go on after page {page - 1}"
                )

    def _exists(self, path: str) -> bool:
        """Whether a GET of this path finds something."""
        return self._find(lambda _: True, path) is not None

    def _create(
        self, reader: Callable[[Any], Answer], path: str, given: Mapping[str, Any]
    ) -> Answer:
        """Make a POST with a JSON body; gives its answer, decoded by `reader`."""
        return read(reader, self.send("POST", path, given=given)[1])

    def _query(
        self, reader: Callable[[Any], Answer], query: str, variables: Mapping[str, Any]
    ) -> Answer:
        """Send a GraphQL query; gives its data, decoded by `reader`. What is not there is null.

        https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
        """
        request = {"query": query, "variables": variables}
        _, answer = self.send("POST", f"{self._api.removesuffix('/v3')}/graphql", given=request)
        return read(lambda raw: reader(raw["data"]), answer)

    def _graphql(self, query: str, variables: Mapping[str, Any]) -> None:
        """Send a GraphQL mutation. Raises `Rejected` when the answer lists errors.

        https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
        """
        request = {"query": query, "variables": variables}
        _, answer = self.send("POST", f"{self._api.removesuffix('/v3')}/graphql", given=request)
        if read(lambda raw: raw.get("errors"), answer):
            raise self._explained(github.GithubException(400, answer), "POST /graphql")

    def _explained(self, error: github.GithubException, what: str) -> errors.GitHubError:
        """Turn PyGithub's exception into one of our errors, with its remedy.

        `what` is a verb, a space and a path (empty when the request was for the repository).
        """
        data = error.data if isinstance(error.data, dict) else {}
        listed = [one for one in data.get("errors") or () if isinstance(one, dict)]
        details = [
            str(one.get("message") or f"{one.get('field') or ''} {one.get('code') or ''}")
            for one in listed
        ]
        details += [one for one in data.get("errors") or () if isinstance(one, str)]
        message = str(data.get("message") or error.message or "")
        said = " ".join(" ".join([message, *details]).split())[:300]
        where = f"{what} on {self.repository}" if "/" in what else f"{what}{self.repository}"
        other = errors.Unavailable if error.status >= 500 else errors.Rejected
        kind: type[errors.GitHubError] = _KINDS.get(error.status, other)
        limited = error.status == 429 or Requester.isRateLimitError(message)
        if limited or "rate limit" in said.lower():
            kind = errors.RateLimited
        remedy = kind.advice if error.status >= 400 else _MOVED_REMEDY
        return kind(
            f"{where}: HTTP {error.status} {said}".strip(),
            remedy=remedy.format(repository=self.repository),
            on_shell=kind.shell_advice.format(repository=self.repository),
        )


def read(reader: Callable[[Any], Answer], raw: Any) -> Answer:
    """Decode an answer with `reader`. Raises `Unavailable` when it has an unexpected shape.

    A reader says so by raising KeyError, TypeError, ValueError or AttributeError.
    """
    try:
        return reader(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise errors.Unavailable(f"GitHub gave an answer that makes no sense ({why})") from None


def see(key: str, value: int, answer: Any) -> None:
    """See in the answer to a change that it is the thing that was to be changed: its field `key`
    has this value. Raises `Unavailable` when it is not.
    """
    found = read(field(key, int), answer)
    if found != value:
        raise errors.Unavailable(f"GitHub answered a change of {key} {value} with {found}")


def each(
    reader: Callable[[Any], Answer | None], under: str = ""
) -> Callable[[Any], tuple[Answer, ...]]:
    """Make a reader of a list from a reader of one item. Items that it reads as None are left out.

    `under` is the key of the list, when GitHub wraps the list in an object.
    """

    def listed(raw: Any) -> tuple[Answer, ...]:
        items = raw[under] if under else raw
        if not isinstance(items, list):
            raise TypeError("no list")
        return tuple(value for item in items if (value := reader(item)) is not None)

    return listed


def build(kind: type[Answer], raw: Any, /, **fields: Any) -> Answer:
    """Make a value of the struct `kind` from a JSON object.

    `fields` are used as they are given; all other fields come from keys of the same name in `raw`.
    ISO 8601 texts become times. Raises ValueError (msgspec's) when a type does not fit.
    """
    return convert({**raw, **fields}, kind)


def field(name: str, kind: type[Answer]) -> Callable[[Any], Answer]:
    """Make a reader of one field of a JSON object. The field must be of the type `kind`."""
    return lambda raw: convert(raw[name], kind)


def names(raw: Any) -> tuple[str, ...]:
    """The logins in a list of users, or the names in a list of labels; empty for no list (None).

    GitHub gives some labels as an object and some as a text.
    """
    return tuple(
        one if isinstance(one, str) else one.get("login") or one["name"] for one in raw or ()
    )


def actor(raw: Any) -> Actor:
    """An account. A deleted one is None in GitHub's JSON, and gets the login `ghost` here."""
    return Actor(raw["login"], bot=raw.get("type") == "Bot") if raw else Actor("ghost")
