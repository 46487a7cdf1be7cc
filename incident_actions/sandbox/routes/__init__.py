"""The endpoints, one module per topic of GitHub's documentation."""

from __future__ import annotations

import importlib

TOPICS = (
    "account",
    "actions",
    "checks",
    "comments",
    "commits",
    "contents",
    "deployments",
    "gitdata",
    "graphql",
    "issues",
    "labels",
    "people",
    "pulls",
    "releases",
    "repositories",
    "reviews",
    "sub_issues",
)


def load() -> None:
    """Import every topic, which registers its routes."""
    for topic in TOPICS:
        importlib.import_module(f"{__name__}.{topic}")
