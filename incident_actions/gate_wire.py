"""When the wire to GitHub is not gate.plain: a proxy in between, or a failure that must be told."""

from __future__ import annotations

import re
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from incident_actions import gate
from incident_actions.gate import Code, DeployRequest, GateError, GateVerdict

NOT_SEEN = (
    Code.NOT_FOUND,
    "This token sees no issues in",
    "Check `repository`. The job's own token sees its own repository only, with `permissions:"
    " issues: read`; for a private one elsewhere pass another `token:`.",
)
ANSWERS = {  # status: code, what happened, what to do
    401: (Code.UNAUTHORIZED, "GitHub does not accept the token for", "Pass a valid `token:`."),
    403: (
        Code.FORBIDDEN,
        "The token may not read the issues of",
        "Give the job `permissions: issues: read`.",
    ),
    404: NOT_SEEN,
    410: NOT_SEEN,
}


def internal(error: Exception) -> GateError:
    """Wrap a mistake of our own: it must never pass as clear."""
    what = f"The gate itself failed: {type(error).__name__}: {gate.plain(error)}."
    return GateError(Code.INTERNAL, what, "Please report this; `on-error: allow` gets you past it.")


def failed(request: DeployRequest, error: Exception) -> GateVerdict:
    """Turn a failure to ask GitHub into a verdict. A rollback passes whatever GitHub would say."""
    why = error if isinstance(error, GateError) else internal(error)
    if request.intent == "rollback":
        reason = f"A rollback passes without asking: {why.what}"
        return GateVerdict(verdict="rollback", code=why.code, reason=reason, remedy=why.remedy)
    return GateVerdict(verdict="error", code=why.code, reason=why.what, remedy=why.remedy)


def wire_error(error: Exception, parts: Any, left: float) -> GateError:
    """Say what went wrong on the way to an address, with so many seconds left, and what helps."""
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    reason = getattr(error, "reason", None)  # urllib wraps what went wrong
    error = reason if isinstance(reason, Exception) else error
    name = type(error).__name__
    if name == "SSLCertVerificationError":
        what = f"The certificate of {host} can't be verified."
        remedy = "Set SSL_CERT_FILE to your company's certificate file."
        return GateError(Code.CERTIFICATE, what, remedy)
    remedy = "Check GitHub's status, the network, and the proxy variables (https_proxy)."
    if isinstance(error, TimeoutError) or "timed out" in str(error) or left <= 0:
        return GateError(Code.TIMEOUT, f"{host} did not answer in time.", remedy, wait=0)
    what = f"{host} can't be reached: {gate.plain(error) or name}."
    return GateError(Code.UNREACHABLE, what, remedy, wait=0)


def refusal(status: int, headers: Any, body: bytes, repository: str) -> GateError:
    """Say what an answer that holds no JSON value means."""
    if status == 200:
        what = "GitHub's API answered with something that is not JSON."
        remedy = "Check GITHUB_API_URL, and whether a proxy answers in GitHub's place."
        return GateError(Code.UNREADABLE, what, remedy, wait=0)
    after = headers.get("retry-after") or ""
    told = float(after) if re.fullmatch(r"\d{1,6}", after) else None
    spent = headers.get("x-ratelimit-remaining") == "0"
    limited = spent or after or b"rate limit" in body[:1000].lower()
    if status == 429 or (status == 403 and limited):
        reset = headers.get("x-ratelimit-reset") or ""
        if told is None and spent and re.fullmatch(r"\d{1,12}", reset):
            told = float(reset) - time.time()
        wait = max(1.0, told or 0.0)
        what = f"GitHub asks us to slow down ({status}, for {wait:.0f} s)."
        remedy = "Wait and run this again, or pass a token with a limit of its own."
        return GateError(Code.RATE_LIMITED, what, remedy, wait=wait)
    if status >= 500:
        what = f"GitHub is in trouble itself (it answered {status})."
        remedy = "Look at GitHub's status page and run this again."
        return GateError(Code.SERVER_ERROR, what, remedy, wait=told or 0.0)
    unknown = (Code.UNEXPECTED, "GitHub gave an unknown answer about", "Check GITHUB_API_URL.")
    code, what, remedy = ANSWERS.get(status, unknown)
    return GateError(code, f"{what} {repository} ({status}).", remedy)


def exchange_by_proxy(
    client: gate.GateClient, url: str, timeout: float
) -> tuple[int, Any, bytes] | None:
    """Send one request through the proxy; None when `no_proxy` excludes this host.

    Redirects are not followed, and every status is an answer: the client judges both. Raises
    OSError and HTTPException. `timeout`, in seconds, bounds each wait for the proxy.
    """
    parts, env = urlsplit(url), client.env
    host = f".{parts.hostname}".lower()
    for entry in (env.get("no_proxy") or env.get("NO_PROXY") or "").lower().split(","):
        name = entry.partition(":")[0].strip(" *.")
        if entry.strip() == "*" or (name and host.endswith(f".{name}")):
            return None
    name = f"{parts.scheme}_proxy"
    proxy = env.get(name) or env.get(name.upper()) or ""
    opener = urllib.request.OpenerDirector()  # without the handlers of redirects and errors
    opener.add_handler(urllib.request.ProxyHandler({parts.scheme: proxy}))
    if parts.scheme == "https":
        opener.add_handler(urllib.request.HTTPSHandler(context=client.tls()))
    else:
        opener.add_handler(urllib.request.HTTPHandler())
    request = urllib.request.Request(url, headers=client.headers())
    with opener.open(request, timeout=timeout) as answer:
        return answer.status, answer.headers, answer.read()
