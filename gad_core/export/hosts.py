"""Which names a server answers to: a page under a foreign name that leads to this machine must not drive it."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

#: This machine, as browsers on it name it.
OWN = ("127.0.0.1", "localhost", "::1")


def answers_to(host: str, allowed: Iterable[str]) -> bool:
    """Whether a request's `Host` is one of the allowed names, whatever its port.

    `*.example.com` stands for all names below example.com, `*` for any. What is no host at all is refused.
    """
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port  # a port that is none raises as well
    except ValueError:
        return False
    if not name or parts.netloc != host or "@" in host:
        return False
    name = name.rstrip(".")
    return any(_matches(name, pattern.strip().lower().rstrip(".")) for pattern in allowed)


def from_elsewhere(origin: str | None, host: str) -> bool:
    """Whether a page of another origin than the host itself asks; programs say no `Origin`, pages always do."""
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != host.lower()
    except ValueError:
        return True


def is_own(address: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return address == "localhost" or ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    return pattern in ("*", name)
