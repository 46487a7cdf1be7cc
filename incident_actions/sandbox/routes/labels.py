"""Labels of a repository and of an issue. See https://docs.github.com/rest/issues/labels"""

from __future__ import annotations

import re

from .. import issues as rules
from ..errors import RefusedError, invalid, not_found
from ..model import Label
from ..render import label_json
from ..router import PAGED, Answer, Call, names_of, route
from ..webhooks import deliver
from .issues import BOTH, ONE, R


def _label(call: Call) -> Label:
    label = call.repo.labels.get(call.params["name"].lower())
    if label is None:
        raise not_found()
    return label


def _draw(call: Call, label: Label) -> dict[str, object]:
    return label_json(call.world, call.repo, label)


def _check(call: Call, name: str, color: str | None, itself: Label | None = None) -> None:
    if not name.strip() or len(name) > 50:
        raise invalid("Label", "name")
    if color is not None and not re.fullmatch("[0-9a-fA-F]{6}", color):
        raise invalid("Label", "color")
    description = call.value("description", str)
    if description and len(description) > 100:
        message = "description is too long (maximum is 100 characters)"
        raise invalid("Label", "description", "custom", message)
    if call.repo.labels.get(name.lower()) not in (None, itself):
        raise invalid("Label", "name", "already_exists")


@route(f"GET {R}/labels", scope=BOTH, query=PAGED)
def list_labels(call: Call) -> Answer:
    """All labels of the repository."""
    return call.listing(list(call.repo.labels.values()), lambda label: _draw(call, label))


@route(f"POST {R}/labels", scope=BOTH, role="write")
def create_label(call: Call) -> Answer:
    """A new label; 422 `already_exists` whatever the case of its name."""
    name, color = call.text("name"), call.value("color", str)
    _check(call, name, color)
    label = call.world.add_label(call.repo, name, color or "ededed", call.value("description", str))
    deliver(call.world, call.actor, "label", call.repo, "created", label=_draw(call, label))
    return Answer(201, _draw(call, label))


@route(f"GET {R}/labels/{{name}}", scope=BOTH)
def get_label(call: Call) -> Answer:
    """One label."""
    return Answer(200, _draw(call, _label(call)))


@route(f"PATCH {R}/labels/{{name}}", scope=BOTH, role="write")
def edit_label(call: Call) -> Answer:
    """Rename or recolour."""
    label = _label(call)
    name, color = call.value("new_name", str) or label.name, call.value("color", str)
    _check(call, name, color, label)
    del call.repo.labels[label.name.lower()]
    label.name, label.color = name, color or label.color
    if call.has("description"):
        label.description = call.value("description", str)
    call.repo.labels[name.lower()] = label
    deliver(call.world, call.actor, "label", call.repo, "edited", label=_draw(call, label))
    return Answer(200, _draw(call, label))


@route(f"DELETE {R}/labels/{{name}}", scope=BOTH, role="write")
def delete_label(call: Call) -> Answer:
    """Delete a label, which takes it off every issue."""
    label = _label(call)
    for issue in call.repo.issues.values():
        if label in issue.labels:
            rules.remove_labels(call.world, call.actor, issue, [label])
    shown = _draw(call, label)
    del call.repo.labels[label.name.lower()]
    deliver(call.world, call.actor, "label", call.repo, "deleted", label=shown)
    return Answer(204)


def _names(call: Call) -> list[str]:
    """GitHub takes a bare list as well as an object with `labels`."""
    if isinstance(call.body, list):
        return names_of("labels", call.body)
    if not call.has("labels"):
        raise RefusedError(422, 'Invalid request.\n\n"labels" wasn\'t supplied.', errors=[])
    return call.strings("labels")


def _on_issue(call: Call) -> Answer:
    return Answer(200, [_draw(call, label) for label in call.issue.labels])


@route(f"GET {ONE}/labels", scope="issues", query=PAGED)
def list_issue_labels(call: Call) -> Answer:
    """Labels of an issue."""
    return call.listing(call.issue.labels, lambda label: _draw(call, label))


@route(f"POST {ONE}/labels", scope="issues", role="triage")
def add_issue_labels(call: Call) -> Answer:
    """Add labels; those of unknown name are created."""
    rules.add_labels(call.world, call.actor, call.issue, _names(call))
    return _on_issue(call)


@route(f"PUT {ONE}/labels", scope="issues", role="triage")
def set_issue_labels(call: Call) -> Answer:
    """Replace all labels."""
    rules.set_labels(call.world, call.actor, call.issue, _names(call))
    return _on_issue(call)


@route(f"DELETE {ONE}/labels", scope="issues", role="triage")
def remove_issue_labels(call: Call) -> Answer:
    """Take all labels off."""
    rules.remove_labels(call.world, call.actor, call.issue, call.issue.labels)
    return Answer(204)


@route(f"DELETE {ONE}/labels/{{name}}", scope="issues", role="triage")
def remove_issue_label(call: Call) -> Answer:
    """Take one label off; 404 when it is not on."""
    label = call.repo.labels.get(call.params["name"].lower())
    if label is None or label not in call.issue.labels:
        raise not_found("Label does not exist")
    rules.remove_labels(call.world, call.actor, call.issue, [label])
    return _on_issue(call)
