"""The team's list of services in a real repository: who names another one is told, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.programs import Where, run_gate
from tests.support.watch import REPO, TOKEN, Watch, watched

CONFIG = "services:\n  - api\n  - {name: web, title: Shop}\n"


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop, which has a list."""
    with watched(CONFIG) as it:
        yield it


def labels(shop: Watch, number: int) -> set[str]:
    """The labels for services of an issue."""
    named = {label["name"] for label in shop.alice.issue(number)["labels"]}
    return {name for name in named if name.startswith("service:")}


def may_deploy(shop: Watch, service: str) -> bool:
    """Whether the gate lets a service go on."""
    ran = run_gate(Where(shop.github.url, REPO, TOKEN), inputs={"service": service})
    return ran.exit_code == 0


def test_an_unknown_service_in_the_form_is_told_once(shop: Watch) -> None:
    """Nothing narrows, before the run and after it; a second run says nothing."""
    number = shop.declare(services="wbe")
    assert not may_deploy(shop, "api")
    shop.respond()
    (said,) = shop.said(number)
    assert "`wbe` was not taken" in said
    assert "Did you mean `web`?" in said
    assert not any(result.changed for result in shop.sweep())
    assert labels(shop, number) == set()
    assert not may_deploy(shop, "api")
    shop.alice.comment(number, "/service web")
    shop.respond()
    assert labels(shop, number) == {"service:web"}
    assert (may_deploy(shop, "api"), may_deploy(shop, "web")) == (True, False)
    assert not may_deploy(shop, "ap")


@pytest.mark.parametrize("typed", ["/service wbe", "/service checkout page", "/service API server"])
def test_an_unknown_service_in_a_command_is_told(shop: Watch, typed: str) -> None:
    """The gate stays as wide as it was."""
    number = shop.declare()
    shop.respond()
    shop.alice.comment(number, typed)
    shop.respond()
    (said,) = shop.said(number)
    assert "none of the services: `api`, `web`" in said
    assert labels(shop, number) == set()
    assert not may_deploy(shop, "api")


def test_a_label_of_an_unknown_service_is_taken_off_and_told(shop: Watch) -> None:
    """The incident keeps the services that it had; the next sweep changes nothing."""
    number = shop.declare(services="web")
    shop.respond()
    shop.passes(1)
    shop.alice.label(number, "service:wbe")
    assert not may_deploy(shop, "api")
    shop.respond()
    (said,) = shop.said(number)
    assert "`service:wbe` was not taken" in said
    assert labels(shop, number) == {"service:web"}
    assert may_deploy(shop, "api")
    for _ in range(2):
        shop.sweep()
        assert len([text for text in shop.said(number) if "was not taken" in text]) == 1
        assert labels(shop, number) == {"service:web"}
