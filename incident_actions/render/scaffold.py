"""Makes the texts of the files that `init` writes into a team's repository. Writes nothing."""

from __future__ import annotations

import json
import re

from msgspec import Struct

from incident_actions.config import schema
from incident_actions.our_files import OUR_FILES

ROOT = OUR_FILES
SCAFFOLD = ROOT / "templates" / "scaffold"
DEPLOY = ".github/workflows/deploy.yml"
SCHEMA = ".github/incident.schema.json"
_FORMS = ".github/ISSUE_TEMPLATE"
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
    team's `OWNER/NAME`, None when it is not known.
    """

    owner: str
    services: tuple[str, ...] = ()
    commander: str | None = None
    repository: str | None = None


def files(
    choices: Choices, *, deploy: bool, listed: tuple[str, ...] | None = None
) -> dict[str, str]:
    """The text of each file, by its path in the repository. `deploy`: with a deploy workflow.

    `listed` are the services in the team's own configuration; None: those of `choices`.
    """
    services = choices.services if listed is None else listed
    texts = {
        f"{_FORMS}/incident.yml": _form(_read(f"{_FORMS}/incident.yml"), services),
        f"{_FORMS}/freeze.yml": _form(_read(f"{_FORMS}/freeze.yml"), services),
        f"{_FORMS}/config.yml": _chooser(_read(f"{_FORMS}/config.yml"), choices.repository),
        ".github/workflows/incident.yml": _workflow("incident", choices.owner),
        ".github/incident.yml": _config(choices),
        SCHEMA: json.dumps(editor_schema(), indent=2) + "\n",
    }
    if deploy:
        texts[DEPLOY] = _workflow("deploy", choices.owner)
    for path in sorted((ROOT / "ops").rglob("*.md")):
        if not path.name[0].isdigit() or path.parent.name == "runbooks":  # no postmortem of ours
            texts[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    return texts


def editor_schema() -> dict[str, object]:
    """The JSON Schema of the configuration, with the keys that editors expect."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of incident-actions",
        **schema(),
    }


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _workflow(name: str, owner: str) -> str:
    text = (SCAFFOLD / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    return text.replace("OWNER/incident-actions@", f"{owner}/incident-actions@")


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
        "      description: None chosen means all of them, and stops the deploys of all.\n"
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
