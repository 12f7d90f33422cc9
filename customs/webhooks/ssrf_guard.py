"""Where a webhook may go: a public address over https, looked at when the URL comes in and again at each attempt."""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from urllib.parse import urlsplit

from customs.webhooks.models import LONGEST_URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

PORTS = {"https": 443, "http": 80}
LONGEST_NAME = 253
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
# Browsers and resolvers read such a last label as part of an IPv4 address: 127.1, 0x7f.1, 2130706433.
NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
LOCAL_NAMES = ("localhost", "localhost.localdomain")
RESOLVERS = 8

# Of IPv6 only this is given to hosts of the internet; everything else is local, reserved or translated.
GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
# An address of these holds an IPv4 address, which is the one that counts.
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# IANA's registries of special addresses, written out: what Python knows of them differs from release to release.
SPECIAL_IPV4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
        ),
    )
)
# Teredo and 6to4 among them: they carry IPv4 addresses of anybody's choice.
SPECIAL_IPV6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


class TargetRefused(Exception):
    """A URL to which nothing is sent; the text says why."""


@dataclass(frozen=True)
class Target:
    """A URL taken apart. `host` is a name, or an address without brackets; `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str
    authority: str

    @property
    def is_literal(self) -> bool:
        return _literal(self.host) is not None


def read_target(url: str, *, loopback: bool) -> Target:
    """Take a URL apart; raises TargetRefused. `loopback`: whether this machine may be reached, http included."""
    if not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
        raise TargetRefused("a URL has printable ASCII characters only, without blanks and backslashes")
    if len(url) > LONGEST_URL:
        raise TargetRefused(f"a URL has at most {LONGEST_URL} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetRefused("this is not a URL") from error
    if parts.scheme not in PORTS or "://" not in url:
        raise TargetRefused("use https")
    if "@" in parts.netloc:
        raise TargetRefused("a URL names no user and no password")
    if parts.fragment or url.endswith("#"):
        raise TargetRefused("a URL of a webhook has no fragment")
    host = (parts.hostname or "").rstrip(".")
    _require_host(host, loopback)
    if parts.scheme == "http" and not (loopback and _is_here(host)):
        raise TargetRefused("use https")
    if port == 0 or parts.netloc.endswith(":"):
        raise TargetRefused("a port is a number from 1 to 65535")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or PORTS[parts.scheme], path, parts.netloc)


def _require_host(host: str, loopback: bool) -> None:
    address = _literal(host)
    if address is not None:
        require_reachable(host, loopback=loopback)
        return
    labels = host.split(".")
    if len(host) > LONGEST_NAME or not all(map(LABEL.fullmatch, labels)):
        raise TargetRefused("this is not the name of a host")
    if NUMERIC.fullmatch(labels[-1]):
        raise TargetRefused("write an address in full, such as 203.0.113.7")
    if _is_here(host) and not loopback:
        raise TargetRefused("this machine itself is no target")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_here(host: str) -> bool:
    address = _literal(host)
    if address is not None:
        return address.is_loopback
    return host in LOCAL_NAMES or host.endswith(".localhost")


def require_reachable(text: str, *, loopback: bool) -> None:
    """Raises TargetRefused for an address that is not one of the internet's."""
    address = _literal(text)
    if address is None or not (is_public(address) or (loopback and address.is_loopback)):
        raise TargetRefused(f"{text} is not an address of the internet")


def is_public(address: Address) -> bool:
    """Whether an address is a host of the internet: not private, loopback, link-local, shared, multicast, reserved."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network in SPECIAL_IPV4)
    if address in NAT64:
        return is_public(ipaddress.IPv4Address(address.packed[-4:]))
    return (
        address in GLOBAL_IPV6
        and address.is_global
        and address.scope_id is None
        and not any(address in network for network in SPECIAL_IPV6)
    )


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses behind a name, as this machine's resolver gives them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Resolver:
    """Looks names up within a time limit: the system's own resolver knows no limit that a caller may set."""

    def __init__(self, look_up: Resolve = look_up) -> None:
        self._look_up = look_up
        self._pool = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolve")

    def addresses(self, target: Target, seconds: float, *, loopback: bool) -> Sequence[str]:
        """Where a target is now; raises TargetRefused when it is nowhere, or when one address is not to be reached."""
        if target.is_literal:
            found: Sequence[str] = [target.host]
        else:
            try:
                found = self._pool.submit(self._look_up, target.host, target.port).result(seconds)
            except TookTooLong as error:
                raise TargetRefused("the name was not looked up in time") from error
            except (OSError, UnicodeError) as error:
                raise TargetRefused("there is no such host") from error
        if not found:
            raise TargetRefused("there is no such host")
        for address in found:
            require_reachable(address, loopback=loopback)
        return found
