"""Which services and environment a deploy names: what is not plainly a known name means all."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.gate.cases import form, issue, with_state
from tests.unit.gate.conftest import Run
from tests.unit.gate.hostile import Hostile, Reply

WEB = issue("sev1", "service:web", body=with_state(services=["web"]))
API = issue("sev1", "service:api", body=with_state(services=["api"]))
CONFIG = "/contents/.github/incident.yml"


def config(text: str) -> dict[str, str]:
    """A file as the contents endpoint has it."""
    return {"encoding": "base64", "content": base64.encodebytes(text.encode()).decode()}


NO_NAMES = (
    "services/api", "all", "*", "n/a", "${{ inputs.service }}", "null", "API server", "api web",
    "api, *", "web-all", "~", "-", "?", "none", "undefined", "true", "[api", "{api}", "[[api]]",
    "api and db", "caf\u00e9", "\u0430pi", "\u212aafka", "api.", "a" * 41, "api/", "@acme/api",
    "api:latest", "[]", "''", "api\u200b", "#api", "api # the core",
)  # fmt: skip
NAMES = (
    "api", "API", " api ", "[api, db]", '["api", "db"]', "- api\n- db", "* api\n* db\n", '"api"',
    "'api'", "`api`", "api\ndb", "api,\ndb,", "api; db", "[\n  api,\n  db\n]", "- 'api'\n\n- `db`",
)  # fmt: skip


@pytest.mark.parametrize("service", NO_NAMES)
def test_what_is_no_name_counts_as_all_services(run: Run, github: Hostile, service: str) -> None:
    """An incident of another service stops it, and the gate says why."""
    github.will("incident", [WEB])
    ran = run(inputs={"service": service})
    assert (ran.exit_code, ran.verdict) == (1, "frozen")
    assert "counted as all services" in ran.errors[0]
    assert CONFIG not in "".join(github.log)


@pytest.mark.parametrize("service", NAMES)
@pytest.mark.parametrize("there", [None, "services: [api, db, web]\n"])
def test_a_list_of_plain_names_is_read(
    run: Run, github: Hostile, service: str, there: str | None
) -> None:
    """However it is written: an incident of another service does not stop it, one of its does."""
    github.will("incident", [WEB])
    if there:
        github.will(CONFIG, config(there))
    assert run(inputs={"service": service}).verdict == "clear"
    github.will("incident", [API])
    assert run(inputs={"service": service}).verdict == "frozen"


@pytest.mark.parametrize("service", ["wbe", "payments", "api, wbe"])
def test_a_name_that_is_not_on_the_list_counts_as_all(
    run: Run, github: Hostile, service: str
) -> None:
    """With one more request, and only then."""
    github.will("incident", [WEB])
    github.will(CONFIG, config("services: [api, web]\n"))
    ran = run(inputs={"service": service})
    assert ran.verdict == "frozen"
    assert "is not on the list `services:`" in ran.errors[0]
    assert ("did you mean `web`?" in ran.errors[0]) is ("wbe" in service)
    assert len([path for path in github.log if CONFIG in path]) == 1


def test_without_a_list_a_plain_name_counts(run: Run, github: Hostile) -> None:
    """Nobody can say that it is wrong."""
    github.will("incident", [WEB])
    assert run(inputs={"service": "wbe"}).verdict == "clear"
    github.will(CONFIG, config("version: 1\n"))
    assert run(inputs={"service": "wbe"}).verdict == "clear"


@pytest.mark.parametrize(
    "answer",
    [
        config("services: api\n"), config("services: &all [api, web]\n"), {"content": None}, [],
        config("services: [all]\n"), Reply({}, 403), Reply({}, 500),
    ],
)  # fmt: skip
def test_a_list_that_can_not_be_read_narrows_nothing(
    run: Run, github: Hostile, answer: Any
) -> None:
    """It may hold the name or not: the freeze stays wide, and the gate says so."""
    github.will("incident", [WEB])
    github.will(CONFIG, answer)
    ran = run(inputs={"service": "api"})
    assert (ran.verdict, "`services:`" in ran.errors[0]) == ("frozen", True)


@pytest.mark.parametrize(
    "item",
    [
        issue("sev1", "service:wbe", body=with_state(services=["wbe"])),
        issue("sev1", "service:web", "service:wbe", body=with_state(services=["web"])),
        issue("sev1", body=form(Services="wbe")), issue("sev1", body=form(Services="web, wbe")),
    ],
)  # fmt: skip
def test_an_issue_that_names_an_unknown_service_is_about_all(
    run: Run, github: Hostile, item: Any
) -> None:
    """A label, the state and the form's answer alike."""
    github.will("incident", [item])
    assert run(inputs={"service": "api"}).verdict == "clear"
    github.will(CONFIG, config("services: [api, web]\n"))
    ran = run(inputs={"service": "api"})
    assert ran.verdict == "frozen"
    assert "#12 names the service `wbe`" in ran.errors[0]


@pytest.mark.parametrize("name", ["API server", "web/shop", "caf\u00e9", "all", "web."])
def test_a_label_that_is_no_name_narrows_nothing(run: Run, github: Hostile, name: str) -> None:
    """With or without a list."""
    github.will("incident", [issue("sev1", f"service:{name}")])
    assert run(inputs={"service": "api"}).verdict == "frozen"


def test_what_freezes_nothing_costs_no_request(run: Run, github: Hostile) -> None:
    """The list is asked for only when the deploy would be frozen otherwise."""
    github.will("incident", [issue("sev3", "service:web")])
    assert run(inputs={"service": "api"}).verdict == "clear"
    assert len(github.log) == 2


@pytest.mark.parametrize(
    "environment",
    ["${{ inputs.environment }}", "null", "all", "[staging]", "all environments", "not set",
     "any-env", "- production", "prod, production", "\uff50roduction", "production/"],
)  # fmt: skip
def test_an_environment_that_is_no_name_counts_as_all(
    run: Run, github: Hostile, environment: str
) -> None:
    """It is not another environment than those that freeze."""
    github.will("incident", [issue("sev1")])
    github.will(CONFIG, config("freeze:\n  environments: [production]\n"))
    ran = run(inputs={"environment": environment})
    assert ran.verdict == "frozen"
    assert "counted as all environments" in ran.errors[0]
