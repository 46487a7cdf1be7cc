"""Requests to GitHub's API: sent, counted, repeated where that helps, and explained when refused.

PyGithub's connection is used, its objects are not: they ask for what is missing on their own,
and each request of ours should be one that we meant. Rate limits are waited out, as long as a run
has time for it.
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
"""Seconds that one wait may take: what GitHub asks for where it names no time."""
ALL_WAITS = 240
"""Seconds that all waits of a run may take together: it should end before the next sweep."""
_LIMITED = frozenset({403, 429})
_log = logging.getLogger(__name__)
_SAFE_TO_REPEAT = frozenset({"GET", "PATCH", "PUT", "DELETE"})


class Patience(Struct):
    """The seconds that a run may still wait."""

    left: float


class PatientRetry(GithubRetry):
    """Asks again when GitHub failed, and once its rate limit is over.

    A write whose answer was lost may have happened, so only what is safe to repeat is repeated.
    A request that was refused for its rate did nothing: that one is always safe.
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
        """The same with some settings changed; the patience is shared."""
        return super().new(patience=self.patience, **changed)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether to ask again after this answer."""
        limited = status_code in _LIMITED
        return limited or bool(super().is_retry(method, status_code, has_retry_after))

    def increment(self, *given: Any, **named: Any) -> Any:
        """The retry after this answer. Raises `RateLimited` when the limit outlasts them all."""
        response, error = named.get("response"), named.get("error")
        try:
            again = super().increment(*given, **named)
        except MaxRetryError:
            if response is None or response.status not in _LIMITED:
                raise
            said = f": HTTP {response.status}, however often it is asked"
            raise _limited(response, said) from None
        seen = f"HTTP {response.status}" if response is not None else type(error).__name__
        _log.warning("GitHub failed (%s); asking again", seen)
        return again

    def sleep(self, response: Any = None) -> None:
        """Wait before asking again. Raises `RateLimited` rather than to wait for too long."""
        if response is not None and response.status in _LIMITED:
            asked = self.get_retry_after(response)
            seconds = self.get_backoff_time() if asked is None else asked
            if seconds > min(LONGEST_WAIT, self.patience.left):
                raise _limited(response, f" and asks for {seconds:.0f} seconds of waiting")
            self.patience.left -= seconds
        super().sleep(response)


def _limited(response: Any, said: str) -> errors.RateLimited:
    """The error that ends the run. The connection is given back before it is raised."""
    response.close()
    return errors.RateLimited(f"GitHub limits the rate{said}")


TIMEOUT = 15
"""Seconds for one answer."""
PER_PAGE = 100
"""The entries of one page: the most that GitHub gives."""
CEILING = 400
"""The requests of one run. A usual one makes about ten, so that many are a fault of ours."""
_MOVED = frozenset({307, 308})
_MOVED_REMEDY = "The repository or the server has moved: use its new address."
_KINDS = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    410: errors.NotFound,
}
"""By HTTP status; others are `Rejected` or `Unavailable`."""

NOTHING_THERE: tuple[Mapping[str, str], Any] = ({}, None)
"""What `send` gives for something optional that GitHub does not find."""

Answer = TypeVar("Answer")


class Transport:
    """The requests of one run to one repository. `requests` is how many were made so far, without
    retries and redirects; `repository` is `OWNER/NAME`.

    The subclasses, one for each part of the API, use the helpers that begin with an underscore;
    their paths are those of `send`, where all of them end up.
    """

    def __init__(self, token: str, repository: str, api_url: str, ceiling: int = CEILING) -> None:
        """A connection to one repository (`OWNER/NAME`). Nothing is asked yet.

        `api_url` is the API's root, as `GITHUB_API_URL` has it. After `ceiling` requests the next
        one raises `errors.RequestCeilingReached`.
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
        """Close the connection. The next request would open another one."""
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
        """One request; gives the answer's headers (names in lower case) and its JSON.

        Everything that is asked of GitHub goes through this method, so a test that wants to
        count requests, to lose an answer or to give another one replaces it on the object.

        `path` is what follows `/repos/OWNER/NAME`, or a whole address on the same server;
        `given` is the body, `parameters` the query. The JSON is None for an empty answer. Where
        GitHub finds nothing, which is `optional`, it gives `NOTHING_THERE`. A
        repeated GET whose answer has not changed since gives that answer again, at no cost:
        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate

        Raises the `errors.GitHubError` that fits: `Unauthorized` for HTTP 401, `Forbidden` for
        403, `NotFound` for 404 and 410, `Rejected` for other refusals, `RateLimited` when the
        limit lasts too long, `Unavailable` when there is no answer that makes sense, and
        `RequestCeilingReached` for one request too many.
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
        """Status, headers and JSON of an answer. Raises `github.GithubException` for a refusal.

        A redirect stays on the same server. PyGithub follows 301 by itself.
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
        """What `reader` makes of the answer to a GET."""
        return read(reader, self.send("GET", path, parameters=parameters)[1])

    def _find(self, reader: Callable[[Any], Answer], path: str, **parameters: Any) -> Answer | None:
        """The same, or None where GitHub finds nothing."""
        found = self.send("GET", path, parameters=parameters, optional=True)
        return None if found is NOTHING_THERE else read(reader, found[1])

    def _once(self, reader: Callable[[Any], Answer], path: str, **parameters: Any) -> Answer:
        """The same as `_get`; who asks again in the run gets what was told the first time."""
        return read(reader, self._first_answer(path, parameters)[1])

    def _find_once(self, reader: Callable[[Any], Answer], path: str) -> Answer | None:
        """The same as `_find`; who asks again in the run gets what was told the first time."""
        found = self._first_answer(path, {}, optional=True)
        return None if found is NOTHING_THERE else read(reader, found[1])

    def _first_answer(
        self, path: str, parameters: Mapping[str, Any], *, optional: bool = False
    ) -> tuple[Mapping[str, str], Any]:
        """What `send` gave, or raised, the first time that a GET was made in this run.

        A sweep wants some things for every incident that it looks at.
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
        """Every entry of a list that `reader` does not leave out (None).

        A page is asked for when its first entry is wanted.

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
        """Whether GitHub finds something there."""
        return self._find(lambda _: True, path) is not None

    def _create(
        self, reader: Callable[[Any], Answer], path: str, given: Mapping[str, Any]
    ) -> Answer:
        """What `reader` makes of the answer to a POST."""
        return read(reader, self.send("POST", path, given=given)[1])

    def _graphql(self, query: str, variables: Mapping[str, Any]) -> None:
        """A GraphQL mutation. Raises `Rejected` for what the answer lists as errors.

        https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
        """
        request = {"query": query, "variables": variables}
        _, answer = self.send("POST", self._requester.graphql_url, given=request)
        if read(lambda raw: raw.get("errors"), answer):
            raise self._explained(github.GithubException(400, answer), "POST /graphql")

    def _explained(self, error: github.GithubException, what: str) -> errors.GitHubError:
        """The error of ours that fits, with the remedy. `what` is a verb, a space and a path.

        The path is empty where the repository itself was asked for.
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
    """What `reader` makes of an answer. Raises `Unavailable` when it has another shape.

    For that a reader may raise KeyError, TypeError, ValueError or AttributeError.
    """
    try:
        return reader(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise errors.Unavailable(f"GitHub gave an answer that makes no sense ({why})") from None


def each(
    reader: Callable[[Any], Answer | None], under: str = ""
) -> Callable[[Any], tuple[Answer, ...]]:
    """A reader of a list, out of a reader of one item that may leave items out (None).

    `under` is the key of the object that the list stands in, if it stands in one.
    """

    def listed(raw: Any) -> tuple[Answer, ...]:
        items = raw[under] if under else raw
        if not isinstance(items, list):
            raise TypeError("no list")
        return tuple(found for item in items if (found := reader(item)) is not None)

    return listed


def build(kind: type[Answer], raw: Any, /, **fields: Any) -> Answer:
    """A value of the struct `kind`, out of a JSON object.

    It gets the given fields, and for the others what the object has under the same names. ISO
    8601 texts become times. Raises ValueError (msgspec's) when a type does not fit.
    """
    return convert({**raw, **fields}, kind)


def field(name: str, kind: type[Answer]) -> Callable[[Any], Answer]:
    """A reader of one field of a JSON object, which must be of that type."""
    return lambda raw: convert(raw[name], kind)


def names(raw: Any) -> tuple[str, ...]:
    """The names in a list of labels, or the logins in one of users, which may be missing.

    GitHub may give a label as its name alone.
    """
    return tuple(
        one if isinstance(one, str) else one.get("login") or one["name"] for one in raw or ()
    )


def actor(raw: Any) -> Actor:
    """An account. A deleted one has no user any more, and is GitHub's `ghost`."""
    return Actor(raw["login"], bot=raw.get("type") == "Bot") if raw else Actor("ghost")
