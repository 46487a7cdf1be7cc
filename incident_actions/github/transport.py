"""Sends requests to GitHub's API, counts them, retries them, and turns refusals into errors.

Uses PyGithub's connection, but not its objects: those make further requests by themselves, and
every request of this program should be one that its code asks for. When GitHub limits the rate,
the run waits, as long as it has time for that.
https://docs.github.com/en/rest/using-the-rest-api
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import quote

import github
import requests
from github.GithubRetry import GithubRetry
from github.Requester import Requester
from msgspec import Struct, convert
from urllib3.exceptions import MaxRetryError

from incident_actions import __version__, errors
from incident_actions.domain.issue.observation import Actor

LONGEST_WAIT = 60
"""Seconds that one wait may take. GitHub's documentation names this wait as the default."""
ALL_WAITS = 240
"""Seconds that all waits of a run may take together, so that it ends before the next sweep."""
_LIMITED = frozenset({403, 429})  # the statuses of rate limits; 403 has other meanings, too
_log = logging.getLogger(__name__)
_SAFE_TO_REPEAT = frozenset({"GET", "PATCH", "PUT", "DELETE"})


class Patience(Struct):
    """The seconds that a run may still wait. All its requests share one object."""

    left: float


class PatientRetry(GithubRetry):
    """Says when a request is repeated: after a failure of GitHub, and after a rate limit.

    A POST whose answer was lost may have done its work, so it is not repeated. A request that a
    rate limit refused did nothing, so every method is repeated then.
    """

    def __init__(self, patience: Patience | None = None, **given: Any) -> None:
        settings: dict[str, Any] = {
            "total": 3,
            "backoff_factor": 0.5,
            "secondary_rate_wait": LONGEST_WAIT,
            "max_rate_limit_wait": LONGEST_WAIT,
            "allowed_methods": _SAFE_TO_REPEAT,
            "status_forcelist": [429, 500, 502, 503, 504],
        }
        super().__init__(**{**settings, **given})
        self.patience = patience or Patience(ALL_WAITS)

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
            again = super().increment(*given, **named)
        except MaxRetryError:
            if response is None or response.status not in _LIMITED:
                raise
            said = f": HTTP {response.status}, however often it is asked"
            raise _limited(response, said) from None
        failure = f"HTTP {response.status}" if response is not None else type(error).__name__
        _log.warning("GitHub failed (%s); asking again", failure)
        return again

    def sleep(self, response: Any = None) -> None:
        """Wait before the next try. Raises `RateLimited` when the wait would be too long."""
        if response is not None and response.status in _LIMITED:
            asked = self.get_retry_after(response)
            seconds = self.get_backoff_time() if asked is None else asked
            if seconds > min(LONGEST_WAIT, self.patience.left):
                raise _limited(response, f" and asks for {seconds:.0f} seconds of waiting")
            self.patience.left -= seconds
        super().sleep(response)


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
_MOVED = frozenset({307, 308})
_MOVED_REMEDY = "The repository or the server has moved: use its new address."
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


class Transport:
    """The requests of one run to one repository.

    `repository` is `OWNER/NAME`. `requests` counts the requests so far, without retries and
    redirects. The subclasses, one for each part of the API, call the methods that begin with an
    underscore; those take the same `path` as `send`, and all of them call it.
    """

    def __init__(self, token: str, repository: str, api_url: str, ceiling: int = CEILING) -> None:
        """A connection to one repository (`OWNER/NAME`). Makes no request yet.

        `api_url` is the API's root, as in `GITHUB_API_URL`. At most `ceiling` requests are made:
        the next one raises `errors.RequestCeilingReached`.
        """
        self._requester = github.Github(
            auth=github.Auth.Token(token),
            base_url=api_url,
            timeout=TIMEOUT,
            user_agent=f"incident-actions/{__version__}",
            retry=PatientRetry(),
            seconds_between_requests=None,
            seconds_between_writes=None,
        ).requester
        self.repository = repository
        self.requests = 0
        self._ceiling = ceiling
        self._base = f"/repos/{quote(repository, safe='/')}"
        self._tagged: dict[tuple[object, ...], tuple[Mapping[str, str], Any]] = {}
        self._answers: dict[
            tuple[object, ...], tuple[Mapping[str, str], Any] | errors.GitHubError
        ] = {}

    def close(self) -> None:
        """Close the connection. A later request opens a new one."""
        self._requester.close()

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
        `NotFound` for 404 and 410, `Rejected` for other refusals, `RateLimited` when a rate limit
        lasts too long, `Unavailable` when there is no answer or an unreadable one, and
        `RequestCeilingReached` when the run has made too many requests.
        """
        if self.requests >= self._ceiling:
            raise errors.RequestCeilingReached(self._ceiling, f"{verb} {path}")
        self.requests += 1
        question = (path, *sorted((parameters or {}).items()))
        known = self._tagged.get(question) if verb == "GET" else None
        conditions = {"If-None-Match": known[0]["etag"]} if known else {}
        url = self._base + path if path[:1] in ("", "/") else path
        try:
            status, headers, answer = self._exchange(verb, url, parameters, conditions, given)
        except github.GithubException as error:
            if optional and _KINDS.get(error.status) is errors.NotFound:
                return NOTHING_THERE
            raise self._explained(error, f"{verb} {path}") from None
        except (requests.RequestException, OSError) as error:
            failed = f"{type(error).__name__} at {verb} {path}"
            raise errors.Unavailable(f"GitHub could not be reached: {failed}") from None
        if known and status == 304:
            return known
        if verb == "GET" and headers.get("etag"):
            self._tagged[question] = headers, answer
        return headers, answer

    def _exchange(
        self, verb: str, url: str, parameters: Any, headers: dict[str, str], given: Any
    ) -> tuple[int, dict[str, Any], Any]:
        """Send one request; gives the answer's status, headers and JSON (None when empty).

        Follows one redirect, on the same server only. PyGithub itself follows 301. Raises
        `github.GithubException` for a refusal, and `Unavailable` for an answer that is not JSON.
        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
        """
        ask = self._requester.requestJson
        try:
            status, answered, text = ask(verb, url, parameters, headers, given)
        except RuntimeError as error:  # a 301 to another server
            raise github.GithubException(301, message=str(error)) from None
        target = str(answered.get("location"))
        if status in _MOVED and target.startswith(self._requester.base_url):
            status, answered, text = ask(verb, target, None, headers, given)
        refused = status >= 400 or status in _MOVED
        try:
            answer = json.loads(text) if text else None
        except ValueError:
            if not refused:
                raise errors.Unavailable(f"GitHub did not answer {verb} {url} with JSON") from None
            answer = None
        if refused:
            raise github.GithubException(status, answer)
        return status, answered, answer

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
            if 'rel="next"' not in headers.get("link", ""):
                return
            page += 1

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
        _, answer = self.send("POST", self._requester.graphql_url, given=request)
        return read(lambda raw: reader(raw["data"]), answer)

    def _graphql(self, query: str, variables: Mapping[str, Any]) -> None:
        """Send a GraphQL mutation. Raises `Rejected` when the answer lists errors.

        https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
        """
        request = {"query": query, "variables": variables}
        _, answer = self.send("POST", self._requester.graphql_url, given=request)
        if read(lambda raw: raw.get("errors"), answer):
            raise self._explained(github.GithubException(400, answer), "POST /graphql")

    def _explained(self, error: github.GithubException, what: str) -> errors.GitHubError:
        """Turn PyGithub's exception into one of our errors, with its remedy.

        `what` is a verb, a space and a path (empty when the request was for the repository).
        """
        data = error.data if isinstance(error.data, dict) else {}
        listed = [one for one in data.get("errors") or () if isinstance(one, dict)]
        details = [str(one.get("message") or "") for one in listed]
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
