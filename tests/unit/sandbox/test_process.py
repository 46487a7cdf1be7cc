"""The sandbox as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.unit.sandbox.conftest import Client

ROOT = Path(__file__).parents[3]
SEED = {
    "repositories": {
        "acme/shop": {
            "labels": ["incident"],
            "files": {".github/incident.yml": "services: []\n"},
            "settings": {"actions_create_pulls": False},
        }
    },
    "users": {"alice": {"acme/shop": "write"}},
    "tokens": {"hers": "alice"},
    "actions_tokens": {"its": {"repo": "acme/shop", "permissions": {"issues": "write"}}},
    "issues": [{"repo": "acme/shop", "user": "alice", "title": "Down", "labels": ["incident"]}],
}


def test_the_process_prints_its_address_and_serves_its_seed(tmp_path: Path) -> None:
    """It answers at the printed address with what the seed lists, until it is interrupted."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED), encoding="utf-8")
    command = [sys.executable, "-m", "incident_actions.sandbox", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--seed", str(seed)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        (issue,) = Client(url, "its").get("/issues?labels=incident").body
        assert (issue["title"], issue["user"]["login"]) == ("Down", "alice")
        assert Client(url, "hers").get("/contents/.github/incident.yml").status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
    finally:
        process.kill()
        process.communicate()


def test_it_needs_nothing_but_the_standard_library() -> None:
    """It starts on a bare machine: no installed package, none of our other modules."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import incident_actions.sandbox.__main__;"
        "from incident_actions.sandbox import router; router.routes();"
        "ours = [n for n in sys.modules if n.startswith('incident_actions.')"
        " and not n.startswith('incident_actions.sandbox')];"
        "print(ours)"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout.strip() == "[]"
