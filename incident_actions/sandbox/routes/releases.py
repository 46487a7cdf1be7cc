"""Releases. See https://docs.github.com/rest/releases/releases"""

from __future__ import annotations

from typing import Any

from .. import pulls
from ..errors import invalid, not_found
from ..model import Record, Repository
from ..render import node_id, repository_url, user_json
from ..render_git import page
from ..router import PAGED, Answer, Call, route
from ..webhooks import deliver
from ..world import World
from .issues import R


def release_json(world: World, repo: Repository, row: Record) -> dict[str, Any]:
    """A release."""
    base = repository_url(world, repo)
    tag = row.data["tag_name"]
    return {
        "url": f"{base}/releases/{row.id}",
        "assets_url": f"{base}/releases/{row.id}/assets",
        "upload_url": f"{base}/releases/{row.id}/assets{{?name,label}}",
        "html_url": page(world, repo, f"releases/tag/{tag}"),
        "tarball_url": f"{base}/tarball/{tag}",
        "zipball_url": f"{base}/zipball/{tag}",
        "id": row.id,
        "node_id": node_id("RE", row.id),
        **row.data,
        "author": user_json(world, row.user),
        "created_at": row.created_at,
        "published_at": None if row.data["draft"] else row.updated_at,
        "assets": [],
    }


def _newest_first(call: Call) -> list[Record]:
    visible = [row for row in call.repo.releases if not row.data["draft"] or call.may("write")]
    return sorted(visible, key=lambda row: (row.created_at, row.id), reverse=True)


@route(f"GET {R}/releases", scope="contents", query=PAGED)
def list_releases(call: Call) -> Answer:
    """Releases, newest first; drafts for writers only."""
    return call.listing(_newest_first(call), lambda row: release_json(call.world, call.repo, row))


@route(f"POST {R}/releases", scope="contents", role="write")
def create_release(call: Call) -> Answer:
    """A release; its tag is made when it is new."""
    tag = call.text("tag_name")
    if any(row.data["tag_name"] == tag for row in call.repo.releases):
        raise invalid("Release", "tag_name", "already_exists")
    target = call.value("target_commitish", str) or call.repo.default_branch
    sha = call.repo.git.resolve(target)
    if sha is None:
        raise invalid("Release", "target_commitish")
    draft = bool(call.value("draft", bool))
    if not draft and f"refs/tags/{tag}" not in call.repo.git.refs:
        pulls.move_ref(call.world, call.actor, call.repo, f"refs/tags/{tag}", sha)
    data = {
        "tag_name": tag,
        "target_commitish": target,
        "name": call.value("name", str) or tag,
        "body": call.value("body", str) or "",
        "draft": draft,
        "prerelease": bool(call.value("prerelease", bool)),
    }
    row = call.world.record(call.actor.person(), data)
    call.repo.releases.append(row)
    shown = release_json(call.world, call.repo, row)
    if not draft:
        deliver(call.world, call.actor, "release", call.repo, "published", release=shown)
    return Answer(201, shown)


def _first(call: Call, rows: list[Record]) -> Answer:
    if not rows:
        raise not_found()
    return Answer(200, release_json(call.world, call.repo, rows[0]))


@route(f"GET {R}/releases/latest", scope="contents")
def get_latest(call: Call) -> Answer:
    """The newest full release."""
    plain = [
        row for row in _newest_first(call) if not row.data["draft"] and not row.data["prerelease"]
    ]
    return _first(call, plain)


@route(f"GET {R}/releases/tags/{{tag}}", scope="contents")
def get_by_tag(call: Call) -> Answer:
    """The release of a tag."""
    tag = call.params["tag"]
    return _first(call, [row for row in _newest_first(call) if row.data["tag_name"] == tag])


@route(f"GET {R}/releases/{{release_id}}", scope="contents")
def get_release(call: Call) -> Answer:
    """One release."""
    number = call.number("release_id")
    return _first(call, [row for row in _newest_first(call) if row.id == number])
