"""One rule for services: who names one that is not on the team's list is told, nothing narrows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_actions.config import read_config
from incident_actions.domain.issue.observation import EventKind
from incident_actions.errors import ConfigError
from incident_actions.gate_readers import listed_services
from tests.unit.domain.chat import Chat

LIST = ("api", "web", "worker")

LISTS = {
    "services: [api, web]\n": ("api", "web"),
    "services: [API, 'web']  # two\n": ("api", "web"),
    "version: 1\nservices:\n  - api\n  - \"web\"\nbot: x[bot]\n": ("api", "web"),
    "services:\n- api\n- web # the shop\nversion: 1\n": ("api", "web"),
    "services:\n  - name: api\n    title: The API\n\n  # here\n  - title: Shop\n    name: web\n": (
        "api",
        "web",
    ),
    "services:\n  - {name: api, title: \"a, b\"}\n  - name: web\n    group: |\n      name: x\n": (
        "api",
        "web",
    ),
    "services: [\n  api, # one\n  {\"name\": \"web\"},\n]\nversion: 1\n": ("api", "web"),
    "version: 1\n": None,
    "services: []\n": None,
    "# services: [api]\nversion: 1\n": None,
}  # fmt: skip
UNREADABLE = (
    "services: api\n", "services: &a [api]\n", "services: {api: web}\n", "services:\n  api: web\n",
    "services: [API server]\n", "services: [all]\n", "services:\n  - title: x\n",
    "services:\n- api\n  gateway\n", "services: [api]\nservices: [web]\n", "{services: [api]}\n",
    " services: [api]\n", "services: [[api]]\n", "services: [api\n", "services:\n\t- api\n",
    "services:\n  - name: a\n    name: b\n", "services: !!seq [api]\n", "services: |\n  - api\n",
)  # fmt: skip


@pytest.mark.parametrize("text", LISTS)
def test_the_gate_reads_the_list_as_the_configuration_does(text: str) -> None:
    """Without a YAML reader, in the ways that people write such a list."""
    assert listed_services(text) == LISTS[text]
    assert (read_config(text).service_names() or None) == LISTS[text]


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_list_that_the_gate_can_not_read_is_no_list_of_fewer_names(text: str) -> None:
    """It says so, and the gate takes every name for unknown."""
    with pytest.raises(ValueError, match=r"\w"):
        listed_services(text)


@given(st.text("services:[]{},- \n\t#'\"apiwebnm&*|", max_size=40))
def test_the_gate_never_reads_another_list_than_the_configuration(text: str) -> None:
    """Whatever the file says: the same names, or none that can be read."""
    text = f"services:{text}\n"
    try:
        seen = listed_services(text)
        there = read_config(text).service_names()
    except (ValueError, ConfigError):
        return
    assert (seen or ()) == there


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("all", "all services"), ("none", "all services"), ("no-reply", "all services"),
        ("API server", "no service's name"), ("caf\u00e9", "no service's name"),
        ("{name: n/a}", "services[0].name"), ("{title: Shop}", "services[0].name: is missing"),
    ],
)  # fmt: skip
def test_a_name_that_can_not_be_a_service_is_refused(entry: str, told: str) -> None:
    """The list holds only names that every reader takes for one."""
    with pytest.raises(ConfigError) as refused:
        read_config(f"services: [{entry}]")
    assert told in refused.value.problems[0]


def test_two_services_have_two_names() -> None:
    """However they are written."""
    with pytest.raises(ConfigError, match="another service's name"):
        read_config("services: [api, {name: API}]")


@pytest.mark.parametrize(
    ("typed", "told", "instead"),
    [
        ("/service wbe", "Did you mean `web`?", "/service web"),
        ("/service api, wbe", "Did you mean `web`?", "/service api,web"),
        ("/service checkout page", "`checkout` is none of the services", "/service"),
        ("/service API server", "`server` is none of the services", "/service api"),
        ("/service services/api", "none of the services: `api`, `web`", "/service"),
        ("/service a/b", "none of the services: `api`, `web`", "/service"),
        ("/service api?", "Did you mean `api`?", "/service api"),
        ("/service all but api", "`all` is none of the services", "/service web,worker"),
        ("/service not api", "`not` is none of the services", "/service web,worker"),
        ("/service api or web", "`or` is none of the services", "/service api,web"),
    ],
)
def test_a_service_that_is_not_on_the_list_narrows_nothing(
    typed: str, told: str, instead: str
) -> None:
    """The answer names the services, and the line to type."""
    chat = Chat(services=LIST)
    (answer,) = chat.say("alice", typed)
    assert told in answer
    assert f"`{instead}" in answer
    assert chat.incident.services == ()


def test_words_in_a_list_of_services_are_told_without_a_list_of_the_teams() -> None:
    """The answer says what to type, and nothing narrows."""
    chat = Chat()
    for typed, instead in {
        "only api": "api,worker",
        "the api": "api",
        "api and web": "api,web",
    }.items():
        (answer,) = chat.say("alice", f"/service {typed}")
        assert f"`/service {instead}`" in answer
    assert chat.incident.services == ()


@pytest.mark.parametrize(
    "typed", ["api web", "API,Web", "[api, web]", "- api, web", '"api", `web`']
)
def test_services_that_are_on_the_list_are_taken(typed: str) -> None:
    """However their list is typed."""
    chat = Chat(services=LIST)
    assert chat.say("alice", f"/service {typed}") == []
    assert chat.incident.services == ("api", "web")


@pytest.mark.parametrize("typed", ["all", "none", "*", "all services"])
def test_a_word_for_all_widens(typed: str) -> None:
    """What was named before counts no more."""
    chat = Chat({"severity": "SEV1", "services": "api"})
    assert chat.say("alice", f"/service {typed}") == []
    assert chat.incident.services == ()


@pytest.mark.parametrize("typed", ["checkout page", "API server", "api, checkout page"])
def test_without_a_list_a_phrase_is_no_service(typed: str) -> None:
    """It says what to type; one plain word counts."""
    chat = Chat()
    (answer,) = chat.say("alice", f"/service {typed}")
    assert "commas between them" in answer
    assert chat.incident.services == ()
    assert chat.say("alice", "/service wbe") == []
    assert chat.incident.services == ("wbe",)


def test_a_label_that_is_no_service_narrows_nothing() -> None:
    """Whoever put it on is told; a label of a known service counts."""
    chat = Chat(services=LIST)
    (answer,) = chat.by_hand("bob", EventKind.LABELED, "service:wbe")
    assert "`service:wbe` was not taken" in answer
    assert "Did you mean `web`?" in answer
    assert "edit your comment" not in answer
    assert chat.incident.services == ()
    assert chat.by_hand("bob", EventKind.LABELED, "service:web") == []
    assert chat.incident.services == ("web",)


def test_a_label_of_a_phrase_narrows_nothing() -> None:
    """Not without a list either."""
    chat = Chat()
    (answer,) = chat.by_hand("bob", EventKind.LABELED, "service:API server")
    assert "was not taken" in answer
    assert chat.incident.services == ()


@pytest.mark.parametrize("answer", ["wbe", "api, wbe", "API server", "services/api"])
def test_an_answer_in_the_form_that_is_not_on_the_list_narrows_nothing(answer: str) -> None:
    """Whoever declared it is told, once."""
    chat = Chat({"severity": "SEV1", "services": answer}, services=LIST)
    (told,) = chat.bot
    assert "none of the services: `api`, `web`, `worker`" in told
    assert chat.incident.services == ()


@pytest.mark.parametrize("answer", ["not sure", "all", "_No response_", ""])
def test_an_answer_that_means_all_is_no_mistake(answer: str) -> None:
    """Nobody is told anything."""
    chat = Chat({"severity": "SEV1", "services": answer}, services=LIST)
    assert chat.bot == []
    assert chat.incident.services == ()
