"""Asks a team's own URLs whether they work again. Sends nothing to GitHub.

A name is resolved once for each request, and the address that was judged is the one that is
connected to. Else a name could lead outside when it is judged, and into a private network a moment
later (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import threading
from urllib.parse import urljoin

import requests
import urllib3
from urllib3.util import Timeout, Url, parse_url

from incident_actions import __version__

TIMEOUT = 5
"""Seconds to connect, and to wait for the next part of an answer."""
LIMIT = 10
"""Seconds for a whole probe, with its redirects."""
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def works(url: str, allow_private: bool) -> bool:
    """Whether a URL answers with a 2xx status within `LIMIT` seconds. Never raises.

    Follows redirects, and does not read the answer's body. Unless `allow_private`, neither the URL
    nor a redirect may lead into a private network: outsiders could reach that network through the
    runner.
    """
    good: list[bool] = []
    thread = threading.Thread(target=lambda: good.append(_ask(url, allow_private)), daemon=True)
    thread.start()
    thread.join(LIMIT)  # a slow answer may keep `TIMEOUT` from ever being reached
    return bool(good) and good[0]


def _ask(url: str, allow_private: bool) -> bool:
    """Whether a URL, or what it redirects to, answers with a 2xx status."""
    try:
        for _ in range(_MOST_REDIRECTS):
            answer = _get(url, allow_private)
            if answer is None:
                return False
            status, location = answer
            if status not in _REDIRECTS or not location:
                return 200 <= status < 300
            url = urljoin(url, location)
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return False
    return False


_PLAIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:[/?#][!-\[\]-~]*)?$")
"""URLs without user names, backslashes and control characters, which parsers read differently."""


def _get(url: str, allow_private: bool) -> tuple[int, str] | None:
    """Make one GET; gives the status and where it redirects to.

    None when the URL is not plain, or leads into a private network. Raises OSError, ValueError and
    urllib3's errors.
    """
    if not _PLAIN.match(url):
        return None
    place = parse_url(url)
    addresses = _addresses(place)
    if not addresses or not (allow_private or all(map(_is_outside, addresses))):
        return None
    for address in addresses[:-1]:
        try:
            return _get_from(place, address)
        except (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError):
            continue  # the host has several addresses, and this one does not answer
    return _get_from(place, addresses[-1])


def _port(place: Url) -> int:
    return place.port or (443 if place.scheme == "https" else 80)


def _addresses(place: Url) -> list[str]:
    """All IP addresses of a URL's host, each once."""
    host = (place.host or "").strip("[]")
    found = socket.getaddrinfo(host, _port(place), type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _get_from(place: Url, address: str) -> tuple[int, str]:
    """Make a GET at an IP address, for the URL's host: TLS asks for and checks the host's name."""
    utils = requests.utils
    proxy = utils.select_proxy(place.url, utils.get_environ_proxies(place.url))
    manager = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
    with manager:
        secure = {
            "server_hostname": (place.host or "").strip("[]"),
            "cert_reqs": "CERT_REQUIRED",
            "ca_certs": os.environ.get("REQUESTS_CA_BUNDLE") or utils.DEFAULT_CA_BUNDLE_PATH,
        }
        scheme = place.scheme or "http"
        pool = manager.connection_from_host(
            address, _port(place), scheme, pool_kwargs=secure if scheme == "https" else None
        )
        target = place.request_uri
        if proxy and scheme == "http":
            host = f"[{address}]" if ":" in address else address
            target = f"http://{host}:{_port(place)}{target}"
        answer = pool.urlopen(
            "GET",
            target,
            headers={"Host": place.netloc or "", "User-Agent": f"incident-actions/{__version__}"},
            timeout=Timeout(connect=TIMEOUT, read=TIMEOUT),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        answer.close()  # only the status counts
        return answer.status, answer.headers.get("location", "")


_CARRIES_IPV4 = [
    ipaddress.ip_network(net)
    for net in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")
]
"""IPv6 addresses that stand for an IPv4 address, or for one of a site."""


def _is_outside(address: str) -> bool:
    """Whether an IP address is public, and is no IPv6 address that stands for a private one.

    An IPv4-mapped address (`::ffff:8.8.8.8`) is as good as the IPv4 address in it.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _CARRIES_IPV4)
