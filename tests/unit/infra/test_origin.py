"""Which repository this program came from: read from git and from what installers write down."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from incident_actions import origin
from incident_actions.origin import (
    Upstream,
    called_again,
    installed_from,
    origin_of,
    own_source,
    repository_at,
)

PAGE = "https://github.com/acme/incident-actions"
COMMIT = "c0ffee" * 6 + "c0de"
OURS = Upstream("github.com", "acme", "incident-actions")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://github.com/acme/incident-actions", OURS),
        ("https://github.com/acme/incident-actions.git", OURS),
        ("https://github.com/acme/incident-actions/", OURS),
        ("https://alice:secret@github.com/acme/incident-actions.git/", OURS),
        ("git+https://github.com/acme/incident-actions", OURS),
        ("https://www.github.com/acme/incident-actions", OURS),
        ("git@github.com:acme/incident-actions.git", OURS),
        ("github.com:acme/incident-actions", OURS),
        ("ssh://git@github.com/acme/incident-actions.git", OURS),
        ("git+ssh://git@github.com/acme/incident-actions.git", OURS),
        ("ssh://git@ssh.github.com:443/acme/incident-actions.git", OURS),
        ("git://github.com/acme/incident-actions", OURS),
        ("https://GitHub.com/Acme/tools.ia", Upstream("github.com", "Acme", "tools.ia")),
        ("https://ghe.example.com:8443/acme/ia", Upstream("ghe.example.com", "acme", "ia")),
        ("git@ghe.example.com:acme/ia.git", Upstream("ghe.example.com", "acme", "ia")),
        # an enterprise's managed users have an underscore
        ("https://github.com/dana_acme/ia", Upstream("github.com", "dana_acme", "ia")),
        ("https://gitlab.com/group/team/ia", None),
        ("https://github.com/acme", None),
        ("https://github.com/", None),
        ("/srv/git/acme/incident-actions.git", None),
        ("../acme/incident-actions", None),
        ("C:/acme/incident-actions", None),
        ("https://[broken/acme/ia", None),
        ("", None),
    ],
)
def test_an_address_is_read_as_git_writes_it(url: str, found: Upstream | None) -> None:
    """Over HTTPS and SSH, on GitHub and on an Enterprise Server; a folder's is no repository's."""
    assert repository_at(url) == found


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; gives what it prints."""
    author = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
    asked = ["git", *author, *arguments]
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one commit, cloned from acme's repository."""
    folder = tmp_path / "clones" / "ia"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "Start")
    git(folder, "remote", "add", "upstream", "https://github.com/initech/incident-actions")
    git(folder, "remote", "add", "origin", "git@github.com:acme/incident-actions.git")
    return folder


def test_a_checkout_is_what_its_origin_says(checkout: Path) -> None:
    """Not what another remote says; with the commit that is checked out."""
    assert origin_of(checkout) == OURS._replace(commit=git(checkout, "rev-parse", "HEAD"))


def test_a_linked_worktree_and_a_local_clone_have_that_origin(checkout: Path) -> None:
    """In a worktree `.git` is a file; the origin of a local clone is a folder."""
    git(checkout, "worktree", "add", "--quiet", "-b", "other", "../worktree")
    git(checkout.parent, "clone", "--quiet", "ia", "by-path")
    git(checkout.parent, "clone", "--quiet", f"file://{checkout}", "by-address")
    for name in ("worktree", "by-path", "by-address"):
        found = origin_of(checkout.parent / name)
        assert found, name
        assert found.full_name == "acme/incident-actions", name


def test_what_is_no_checkout_has_no_origin(checkout: Path, tmp_path: Path) -> None:
    """A folder inside of one is not asked for its parent's; nor is one without a remote."""
    inside = checkout / ".venv" / "site-packages"
    inside.mkdir(parents=True)
    git(tmp_path, "init", "--quiet", "lonely")
    git(tmp_path, "init", "--quiet", "ring")
    git(tmp_path / "ring", "remote", "add", "origin", str(tmp_path / "ring"))
    for folder in (inside, tmp_path / "nowhere", tmp_path / "lonely", tmp_path / "ring"):
        assert origin_of(folder) is None, folder


def told(url: str, **more: object) -> Mapping[str, Any]:
    """A `direct_url.json`."""
    return {"url": url, **more}


@pytest.mark.parametrize(
    ("url", "revision", "commit"),
    [
        (f"{PAGE}/archive/refs/tags/v1.0.0.tar.gz", "v1.0.0", None),
        (f"{PAGE}/archive/refs/heads/main.zip", "main", None),
        (f"{PAGE}/archive/{COMMIT}.tar.gz", COMMIT, COMMIT),
        ("https://codeload.github.com/acme/incident-actions/tar.gz/refs/tags/v1", "v1", None),
        ("https://api.github.com/repos/acme/incident-actions/tarball/v1", "v1", None),
        (f"{PAGE}/releases/download/v1.0.0/ia-1.0.0-py3-none-any.whl",
         "v1.0.0", None),
    ],
)  # fmt: skip
def test_an_archive_that_github_serves_names_its_repository(
    url: str, revision: str, commit: str | None
) -> None:
    """As an archive of a tag, branch or commit, or as a file of a release."""
    assert installed_from(told(url, archive_info={})) == OURS._replace(
        revision=revision, commit=commit
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"url": 7, "vcs_info": {}},
        told("https://example.com/ia-1.0.0-py3-none-any.whl", archive_info={}),
        told("file:///home/alice/ia-1.0.0-py3-none-any.whl", archive_info={}),
        told("file:///home/nobody/ia", dir_info={}),
        told("file:broken", dir_info={}),
        told("https://gitlab.com/a/b/c", vcs_info={"vcs": "git", "commit_id": COMMIT}),
    ],
)
def test_what_names_no_repository_is_unknown(wrong: Mapping[str, Any]) -> None:
    """Nothing is guessed from a file's name or from a server that is not GitHub's like."""
    assert installed_from(wrong) is None


def install(folder: Path, direct_url: Mapping[str, Any] | str | None) -> Path:
    """An environment's folder with this program in it, as an installer leaves it."""
    info = folder / "incident_actions-1.0.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: incident-actions\nVersion: 1.0.0\n", "utf-8")
    if direct_url is not None:
        text = direct_url if isinstance(direct_url, str) else json.dumps(direct_url)
        (info / "direct_url.json").write_text(text, "utf-8")
    return folder / "incident_actions"


def test_own_source_is_what_the_installer_wrote_down(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the revision that was asked for; of a folder, that folder's origin; else unknown."""
    git_info = {"vcs": "git", "requested_revision": "v1", "commit_id": COMMIT}
    from_git = OURS._replace(revision="v1", commit=COMMIT)
    head = OURS._replace(commit=git(checkout, "rev-parse", "HEAD"))
    cases: dict[str, tuple[Mapping[str, Any] | str | None, Upstream | None]] = {
        "git": (told("https://github.com/acme/incident-actions.git", vcs_info=git_info), from_git),
        "local-git": (told(f"file://{checkout}", vcs_info=git_info), from_git),
        "folder": (told(f"file://{checkout}", dir_info={}), head),
        "index": (None, None),
        "broken": ("{", None),
        "list": ("[]", None),
        "deep": ("[" * 100_000, None),
    }
    for name, (direct_url, expected) in cases.items():
        # in a virtual environment inside of another project's checkout
        package = install(checkout / name, direct_url)
        monkeypatch.setattr(origin, "PACKAGE", package)
        assert own_source() == expected, name


def test_own_source_of_a_checkout_is_its_origin(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the same program is installed from elsewhere."""
    monkeypatch.setattr(origin, "PACKAGE", checkout / "incident_actions")
    found = own_source()
    assert found
    assert found.full_name == "acme/incident-actions"


@pytest.mark.parametrize("revision", [["v1"], 7, {}, "v1\n- run: evil", "", "-x", "a" * 300])
def test_a_revision_that_git_would_refuse_is_unknown(revision: object) -> None:
    """It would get into the workflows, as the remark of a pin."""
    info = {"vcs": "git", "requested_revision": revision, "commit_id": COMMIT}
    assert installed_from(told(f"{PAGE}.git", vcs_info=info)) == OURS._replace(commit=COMMIT)
    info = {"vcs": "git", "requested_revision": "v1", "commit_id": [COMMIT]}
    assert installed_from(told(f"{PAGE}.git", vcs_info=info)) == OURS._replace(revision="v1")


CACHE = "/home/alice/.cache/uv/archive-v0/x1"


@pytest.mark.parametrize(
    ("prefix", "started", "typed"),
    [
        (CACHE, "bin/incident-actions", f"uvx --from git+{PAGE}@v1 incident-actions"),
        (
            "/home/alice/.local/pipx/.cache/0a",
            "bin/incident-actions",
            f"pipx run --spec git+{PAGE}@v1 incident-actions",
        ),
        ("venv", "incident_actions/__main__.py", "python -m incident_actions"),
        ("venv", "bin/incident-actions", "incident-actions"),
    ],
)
def test_it_is_called_again_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str, started: str, typed: str
) -> None:
    """A program that `uvx` fetched is on no shell's path afterwards."""
    bin_folder = tmp_path / "venv" / "bin"
    bin_folder.mkdir(parents=True)
    for name in ("python", "incident-actions"):
        (bin_folder / name).write_text("#!/bin/sh\n", "utf-8")
        (bin_folder / name).chmod(0o755)
    info = {"vcs": "git", "requested_revision": "v1", "commit_id": COMMIT}
    package = install(tmp_path / "packages", told(f"{PAGE}.git", vcs_info=info))
    monkeypatch.setattr(origin, "PACKAGE", package)
    monkeypatch.setenv("PATH", str(bin_folder))
    monkeypatch.setattr("sys.prefix", str(tmp_path / prefix))
    monkeypatch.setattr("sys.executable", str(bin_folder / "python"))
    monkeypatch.setattr("sys.argv", [str(tmp_path / prefix / started)])
    assert called_again() == typed


def test_outside_of_the_path_it_is_called_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quoted, where a shell needs that."""
    program = tmp_path / "a b" / "incident-actions"
    program.parent.mkdir()
    program.write_text("", "utf-8")
    monkeypatch.setattr("sys.argv", [str(program)])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert called_again() == f"'{program}'"
