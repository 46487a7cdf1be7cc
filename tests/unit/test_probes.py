"""Probes: a team's own addresses, and never somebody's way into a private network."""

from __future__ import annotations

import pytest

from incident_actions.reconcile import probes


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:80\\@8.8.8.8/x",
        "http://user@8.8.8.8/",
        "http://8.8.8.8\n.example/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.8/",
        "http://224.0.0.1/",
        "file:///etc/passwd",
        "ftp://8.8.8.8/",
        "",
    ],
)
def test_what_leads_inside_is_not_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever way the address is written, no request is made."""
    asked: list[str] = []
    monkeypatch.setattr(probes.requests, "get", lambda *a, **k: asked.append(a[0]))
    assert not probes.works(url, False)
    assert asked == []
