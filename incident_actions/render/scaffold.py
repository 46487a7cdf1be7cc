"""Makes the texts of the files that `init` writes into a team's repository. Writes nothing."""

from __future__ import annotations

import json
import re

from msgspec import Struct

from incident_actions.config import schema
from incident_actions.domain.readiness.answers import NONE_CHOSEN
from incident_actions.domain.readiness.gate_insertion import ActionReference
from incident_actions.our_files import OUR_FILES

SCAFFOLD = OUR_FILES / "templates" / "scaffold"
FORMS = (".github/ISSUE_TEMPLATE/incident.yml", ".github/ISSUE_TEMPLATE/freeze.yml")
DEPLOY = ".github/workflows/deploy.yml"
WORKFLOW = ".github/workflows/incident.yml"
OTHER_WORKFLOW = ".github/workflows/incident-actions.yml"
"""Where that workflow is written when the team has a file of its own at the first place."""
REHEARSAL = ".github/workflows/rehearsal.yml"
SCHEMA = ".github/incident.schema.json"
_CHOOSER = ".github/ISSUE_TEMPLATE/config.yml"
_MOVING = "zizmor: ignore[unpinned-uses] v1 brings fixes; `init --pin` writes a commit"
_SERVICES = re.compile(
    r"  - type: input\n    id: services\n    attributes:\n"
    r"(      label: [^\n]+)\n.*?(?=\n  - type: )",
    re.DOTALL,
)
_CONTACT = """\
contact_links:
  - name: Report a vulnerability in private
    url: https://github.com/{repository}/security/advisories/new
    about: For anything that an attacker could use. Only the maintainers see it.
"""


class Choices(Struct, frozen=True, omit_defaults=True):
    """A team's answers to `init`.

    `owner` is the GitHub account whose copy of the action the workflows use. `repository` is the
    team's `OWNER/NAME`, None when it is not known. `pin` is the commit that the workflows use, with
    its version behind a space (`0123abc... v1.0.0`); None: they use `v1`.
    """

    owner: str
    services: tuple[str, ...] = ()
    commander: str | None = None
    repository: str | None = None
    pin: str | None = None

    @property
    def action(self) -> ActionReference:
        """How the workflows name our action."""
        commit, _, version = (self.pin or "").partition(" ")
        name = f"{self.owner}/incident-actions"
        if commit:
            return ActionReference(f"{name}@{commit}", version)
        return ActionReference(f"{name}@v1", _MOVING)


def files(choices: Choices, *, deploy: bool, workflow: str = WORKFLOW) -> dict[str, str]:
    """The text of each file, by its path in the repository. `deploy`: with a deploy workflow.

    `workflow` is the path of the workflow that answers incidents.
    """
    texts = {
        **{path: _form(_read(path), choices.services) for path in FORMS},
        _CHOOSER: _chooser(_read(_CHOOSER), choices.repository),
        workflow: _workflow("incident", choices.action).replace(WORKFLOW, workflow),
        REHEARSAL: _workflow("rehearsal", choices.action),
        ".github/incident.yml": _config(choices),
        SCHEMA: json.dumps(editor_schema(), indent=2) + "\n",
    }
    if deploy:
        texts[DEPLOY] = _workflow("deploy", choices.action)
    for path in sorted((OUR_FILES / "ops").rglob("*.md")):
        if not path.name[0].isdigit() or path.parent.name == "runbooks":  # no postmortem of ours
            texts[path.relative_to(OUR_FILES).as_posix()] = path.read_text(encoding="utf-8")
    return texts


def editor_schema() -> dict[str, object]:
    """The JSON Schema of the configuration, with the keys that editors expect."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of incident-actions",
        **schema(),
    }


def _read(path: str) -> str:
    return (OUR_FILES / path).read_text(encoding="utf-8")


def _workflow(name: str, action: ActionReference) -> str:
    text = (SCAFFOLD / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    return text.replace(
        f"OWNER/incident-actions@v1 # {_MOVING}", f"{action.uses} # {action.remark}"
    )


def _form(text: str, services: tuple[str, ...]) -> str:
    """A form. With `services` it has a dropdown of them in place of a text field."""
    if not services:
        return text
    options = "".join(f"\n        - {json.dumps(service)}" for service in services)
    field = (
        "  - type: dropdown\n"
        "    id: services\n"
        "    attributes:\n"
        "LABEL\n"
        f"      description: {NONE_CHOSEN}\n"
        "      multiple: true\n"
        f"      options:{options}"
    )
    return _SERVICES.sub(lambda found: field.replace("LABEL", found[1]), text)


def _chooser(text: str, repository: str | None) -> str:
    """The settings of GitHub's page for new issues, with a link to the private reports.

    GitHub wants an absolute address there, so there is no link while the repository is not known.
    """
    return text + (_CONTACT.format(repository=repository) if repository else "")


def _config(choices: Choices) -> str:
    text = (SCAFFOLD / "incident.yml").read_text(encoding="utf-8")
    if choices.services:
        names = "".join(f"\n  - {json.dumps(name)}" for name in choices.services)
        text = text.replace("# services: [api, worker]", f"services:{names}")
    if choices.commander:
        text = text.replace(
            "# roles:\n#   commander: alice\n",
            f"roles:\n  commander: {json.dumps(choices.commander)}\n",
        )
    return text
