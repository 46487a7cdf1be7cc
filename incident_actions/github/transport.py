"""Requests to GitHub's API: sent, counted, repeated where that helps, and explained when refused.

PyGithub's connection is used, its objects are not: they ask for what is missing on their own,
and each request of ours should be one that we meant.
https://docs.github.com/en/rest/using-the-rest-api
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import github
import requests
from github.Requester import Requester

from incident_actions import __version__, errors
from incident_actions.github.decoding import Answer, each, read
from incident_actions.github.patience import REMEDY, PatientRetry

TIMEOUT = 15
"""Seconds for one answer."""
PER_PAGE = 100
"""The entries of one page: the most that GitHub gives."""
CEILING = 400
"""The requests of one run. A usual one makes about ten, so that many are a fault of ours."""
_AGAIN = "Run it again; see https://www.githubstatus.com."
_MOVED = frozenset({307, 308})
_MOVED_REMEDY = "The repository or the server has moved: use its new address."
_KINDS = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    410: errors.NotFound,
}
"""By HTTP status; others are `Rejected` or `Unavailable`."""
_REMEDIES: dict[type[errors.GitHubError], str] = {
    errors.Unauthorized: "The token is wrong or expired. Leave `token` out, or renew the secret.",
    errors.Forbidden: "Give the job `permissions: issues: write, contents: read`. "
    "For another repository use a token that may write there.",
    errors.NotFound: "Check that {repository} exists and that the token may see it. "
    "`github.token` sees its own repository only.",
    errors.Rejected: "GitHub refused the content; the message says why.",
    errors.RateLimited: REMEDY,
    errors.Unavailable: _AGAIN,
}


def connection(token: str, api_url: str) -> Requester:
    """PyGithub's connection, with our time limit and our retries. Nothing is asked yet."""
    return github.Github(
        auth=github.Auth.Token(token),
        base_url=api_url,
        timeout=TIMEOUT,
        user_agent=f"incident-actions/{__version__}",
        per_page=PER_PAGE,
        retry=PatientRetry(),
        seconds_between_requests=None,
        seconds_between_writes=None,
    ).requester


class Transport:
    """The requests of one run to one repository.

    The subclasses, one for each part of the API, use the helpers that begin with an underscore;
    their paths are those of `send`, where all of them end up.
    """

    def __init__(self, requester: Requester, repository: str, ceiling: int = CEILING) -> None:
        self._requester = requester
        self._repository = repository
        self._ceiling = ceiling
        self._base = f"/repos/{quote(repository, safe='/')}"
        self._requests = 0
        self._tagged: dict[tuple[object, ...], tuple[Mapping[str, str], Any]] = {}
        self._answers: dict[tuple[object, ...], Any] = {}

    @property
    def repository(self) -> str:
        """`OWNER/NAME`; no request."""
        return self._repository

    @property
    def requests(self) -> int:
        """How many requests were made so far; retries and redirects are not counted."""
        return self._requests

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
    ) -> tuple[Mapping[str, str], Any]:
        """One request; gives the answer's headers (names in lower case) and its JSON.

        Everything that is asked of GitHub goes through this method, so a test that wants to
        count requests, to lose an answer or to give another one replaces it on the object.

        `path` is what follows `/repos/OWNER/NAME`, or a whole address on the same server;
        `given` is the body, `parameters` the query. The JSON is None for an empty answer. A
        repeated GET whose answer has not changed since gives that answer again, at no cost:
        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate

        Raises the `errors.GitHubError` that fits: `Unauthorized` for HTTP 401, `Forbidden` for
        403, `NotFound` for 404 and 410, `Rejected` for other refusals, `RateLimited` when the
        limit lasts too long, `Unavailable` when there is no answer that makes sense, and
        `RequestCeilingReached` for one request too many.
        """
        if self._requests >= self._ceiling:
            raise errors.RequestCeilingReached(self._ceiling, f"{verb} {path}")
        self._requests += 1
        question = (path, *sorted((parameters or {}).items()))
        known = self._tagged.get(question) if verb == "GET" else None
        conditions = {"If-None-Match": known[0]["etag"]} if known else {}
        url = self._base + path if path[:1] in ("", "/") else path
        try:
            status, headers, text = self._exchange(verb, url, parameters, conditions, given)
            answer = json.loads(text) if text else None
        except github.GithubException as error:
            raise self._explained(error, f"{verb} {path}") from None
        except (requests.RequestException, OSError) as error:
            raise errors.Unavailable(
                f"GitHub could not be reached: {type(error).__name__} at {verb} {path}",
                remedy=_AGAIN,
            ) from None
        except ValueError:
            raise errors.Unavailable(
                f"GitHub did not answer {verb} {path} with JSON", remedy=_AGAIN
            ) from None
        if known and status == 304:
            return known
        if verb == "GET" and headers.get("etag"):
            self._tagged[question] = headers, answer
        return headers, answer

    def _exchange(
        self, verb: str, url: str, parameters: Any, headers: dict[str, str], given: Any
    ) -> tuple[int, dict[str, Any], str]:
        """Status, headers and text of an answer. Raises `github.GithubException` for a refusal.

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
        if status >= 400 or status in _MOVED:
            try:
                said = json.loads(text)
            except ValueError:
                said = None
            raise github.GithubException(status, said)
        return status, answered, text

    def _get(self, reader: Callable[[Any], Answer], path: str, **parameters: Any) -> Answer:
        """What `reader` makes of the answer to a GET."""
        return read(reader, self.send("GET", path, parameters=parameters)[1])

    def _find(self, reader: Callable[[Any], Answer], path: str, **parameters: Any) -> Answer | None:
        """The same, or None where GitHub finds nothing."""
        try:
            return self._get(reader, path, **parameters)
        except errors.NotFound:
            return None

    def _once(self, reader: Callable[[Any], Answer], path: str, **parameters: Any) -> Answer:
        """The same; who asks again in the run gets the answer, or the refusal, of the first time.

        A sweep wants some things for every incident that it looks at.
        """
        question = (path, *sorted(parameters.items()))
        if question not in self._answers:
            try:
                self._answers[question] = self._get(lambda raw: raw, path, **parameters)
            except (errors.Forbidden, errors.NotFound) as refused:
                self._answers[question] = refused
        answer = self._answers[question]
        if isinstance(answer, errors.GitHubError):
            raise answer
        return read(reader, answer)

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
        try:
            self.send("GET", path)
        except errors.NotFound:
            return False
        return True

    def _create(
        self, reader: Callable[[Any], Answer], path: str, given: Mapping[str, Any]
    ) -> Answer:
        """What `reader` makes of the answer to a POST."""
        return read(reader, self.send("POST", path, given=given)[1])

    def _write(self, verb: str, path: str, given: Mapping[str, Any] | None = None) -> None:
        """A change whose answer tells nothing new."""
        self.send(verb, path, given=given)

    def _graphql(self, query: str, variables: Mapping[str, Any]) -> None:
        """A GraphQL mutation. Raises `NotFound` or `Rejected` for what the answer lists as errors.

        https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
        """
        request = {"query": query, "variables": variables}
        _, answer = self.send("POST", self._requester.graphql_url, given=request)
        problems = _dicts(read(lambda raw: raw.get("errors"), answer))
        if problems:
            missing = len(problems) == 1 and problems[0].get("type") == "NOT_FOUND"
            refused = github.GithubException(404 if missing else 400, answer)
            raise self._explained(refused, "POST /graphql")

    def _explained(self, error: github.GithubException, what: str) -> errors.GitHubError:
        """The error of ours that fits, with the remedy. `what` is a verb, a space and a path.

        The path is empty where the repository itself was asked for.
        """
        data = error.data if isinstance(error.data, dict) else {}
        details = [str(one.get("message") or "") for one in _dicts(data.get("errors"))]
        message = str(data.get("message") or error.message or "")
        said = " ".join(" ".join([message, *details]).split())[:300]
        where = f"{what} on {self.repository}" if "/" in what else f"{what}{self.repository}"
        limited = error.status == 429 or Requester.isRateLimitError(message)
        if limited or "rate limit" in said.lower():
            kind: type[errors.GitHubError] = errors.RateLimited
        else:
            other = errors.Unavailable if error.status >= 500 else errors.Rejected
            kind = _KINDS.get(error.status, other)
        remedy = _REMEDIES[kind] if error.status >= 400 else _MOVED_REMEDY
        return kind(
            f"{where}: HTTP {error.status} {said}".strip(),
            remedy=remedy.format(repository=self.repository),
        )


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
