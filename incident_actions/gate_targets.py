"""What a deploy names: its services and its environment, held to what the team has.

The gate needs this only while something is open. A name that is not plainly that of a service never
makes a freeze narrower: then the deploy, or the issue, counts as about all services.
"""

from __future__ import annotations

import binascii
import difflib
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from incident_actions import gate
from incident_actions import gate_readers as read
from incident_actions.gate_decision import FREEZES, NOTHING_LOOKED_UP, ListedIssue, judge

Names = tuple[str, ...]


def read_targets(
    request: gate.DeployRequest, service: str, environment: str
) -> tuple[gate.DeployRequest, list[str]]:
    """Read the inputs `service` and `environment` as they were typed.

    Gives the request with the names in it (none: all), and remarks for people on what could not be
    read as a name.
    """
    notes = []
    services = read.single_words(service, most=len(service))
    if service and not services:
        notes.append(f"service `{gate.plain(service, 80)}` is not a name: counted as all services.")
    place = gate.normal(environment)
    named = re.fullmatch(r"[a-z0-9_](?:[a-z0-9._/ -]*[a-z0-9_])?", place)
    if place and (not named or read.means_everything(place)):
        shown = gate.plain(environment, 80)
        notes.append(f"environment `{shown}` is not a name: counted as all environments.")
        place = ""
    return with_services(request, services, environment=place), notes


def with_services(
    request: gate.DeployRequest, services: Names, **changes: str
) -> gate.DeployRequest:
    """The same request for these services; none named: for all."""
    return gate.DeployRequest(**{**vars(request), "services": services, **changes})


def needs_list(request: gate.DeployRequest, issues: Sequence[ListedIssue], now: datetime) -> bool:
    """Whether some issue may not freeze this deploy only because it is about another service."""
    wide = with_services(request, ())
    return (
        bool(request.services)
        and request.intent != "rollback"
        and any(
            names_of(issue) and judge(wide, issue, NOTHING_LOOKED_UP, now) in FREEZES
            for issue in issues
            if not issue.problem
        )
    )


def names_of(issue: ListedIssue) -> set[str]:
    """All services that an issue names, in a label, the state or the form."""
    return {*issue.services, *read.single_words(issue.service_text)}


def service_list(client: gate.GateClient) -> tuple[Names | None, list[str]]:
    """Ask GitHub for the team's list of services: the names, and remarks. One request.

    None: the team has no list. No names: its list can't be read.
    https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    note = "`services:` in the configuration can't be read"
    try:
        path = f"/repos/{client.repository}/contents/{quote(client.settings.config)}"
        file = client.get(path)[0]
        text = binascii.a2b_base64(file["content"]).decode("utf-8-sig")
        return read.listed_services(text), []
    except gate.GateError as error:
        if error.code == "not-found":
            return None, []
        note += f" ({error.what} Give the job `permissions: contents: read`.)"
    except (TypeError, KeyError, ValueError):
        pass
    return (), [f"{note}, so no incident is about other services only."]


def hold_to_list(
    request: gate.DeployRequest, issues: Sequence[ListedIssue], known: Names
) -> tuple[gate.DeployRequest, list[str]]:
    """Count a name that is not on the team's list as all services.

    Gives the request and remarks. An issue that names an unknown service is changed in place: it is
    about all of them.
    """
    notes = []
    for name in request.services:
        if name not in known:
            notes += [f"service `{name}` is {unknown(name, known)}: counted as all services."]
    if notes or not known:
        request = with_services(request, ())
    for issue in issues:
        strange = sorted(names_of(issue) - set(known))
        if strange:
            told = f"#{issue.number} names the service `{gate.plain(strange[0], 60)}`,"
            notes.append(f"{told} {unknown(strange[0], known)}: it counts as about all.")
            issue.wide = True
    return request, notes if known else []


def unknown(name: str, known: Sequence[str]) -> str:
    """Say that a name is not on the list, and which name on it is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" (did you mean `{near[0]}`?)" if near else ""
    return f"not on the list `services:`{hint}"


def settle(
    client: gate.GateClient,
    request: gate.DeployRequest,
    issues: Sequence[ListedIssue],
    now: datetime,
) -> tuple[gate.DeployRequest, list[str]]:
    """Say for sure which services a deploy and the open issues are about.

    Gives the request with its names read, and remarks for people. Asks for the team's list, with
    one request, when nothing but another service's name would keep the deploy from being frozen.
    """
    request, notes = read_targets(request, request.service, request.environment)
    if needs_list(request, issues, now):
        known, more = service_list(client)
        if known is not None:
            request, strange = hold_to_list(request, issues, known)
            more += strange
        notes += more
    return request, notes
