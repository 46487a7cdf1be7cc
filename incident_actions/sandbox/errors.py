"""Refusals: the error answers that GitHub gives, as exceptions.

See https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCS = "https://docs.github.com/rest"


class RefusedError(Exception):
    """An answer other than success: a status, a message, and GitHub's error body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON that GitHub sends with this refusal."""
        answer: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            answer["errors"] = self.errors
        answer["documentation_url"] = DOCS
        answer["status"] = str(self.status)
        return answer


def not_found(message: str = "Not Found") -> RefusedError:
    """404: it does not exist, or the asker may not know that it does."""
    return RefusedError(404, message)


def forbidden(message: str) -> RefusedError:
    """403: the asker may see it and may not do this."""
    return RefusedError(403, message)


def invalid(resource: str, field: str, code: str = "invalid", message: str = "") -> RefusedError:
    """422 with one entry in `errors`, as GitHub writes a failed validation."""
    error = {"resource": resource, "field": field, "code": code}
    if message:
        error["message"] = message
    return RefusedError(422, "Validation Failed", errors=[error])


def unprocessable(message: str) -> RefusedError:
    """422 with a message alone."""
    return RefusedError(422, message)


def unknown_route(message: str) -> RefusedError:
    """501: the sandbox does not play this part of GitHub, and says so loudly."""
    return RefusedError(501, f"The sandbox does not implement {message}.")
