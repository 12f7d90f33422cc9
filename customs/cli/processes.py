"""Commands that run processes: everything on one machine (`up`, `demo`), or one process each."""

import os
import shlex
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from customs import ROOT
from customs.auth import users
from customs.auth.api_keys import AuditedKeys
from customs.auth.principal import operator
from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.errors import Misconfigured
from customs.ops import demo as demonstration
from customs.ops import migrate
from customs.ops.standalone import Standalone
from customs.sandbox import SandboxSettings

DEFAULT_WORKERS = 2
UP_KEY = "customs up"
UP_KEY_LIFETIME = timedelta(days=30)


@click.command()
@click.option("--port", default=8000, show_default=True, help="Preferred; another free one when it is taken.")
@click.option("--workers", default=DEFAULT_WORKERS, show_default=True, type=click.IntRange(1, 64))
@click.option("--no-demo", is_flag=True, help="Do not submit the sample batch.")
def up(port: int, workers: int, no_demo: bool) -> None:
    """Run everything on this machine until Ctrl-C."""
    settings = read_settings()
    engine = database.connect(settings.database_url)
    with (
        suppress(KeyboardInterrupt),
        Standalone(
            settings, lambda: migrate.upgrade(engine), environ=os.environ, workers=workers, port=port
        ) as running,
    ):
        services = Services(read_settings(running.environ))
        key, login = replace_key_of_up(services), _login(services, is_a_trial=settings.embedded_sandbox)
        # The sample's numbers are the sandbox's trigger words: the real gateway would get orders that nobody placed.
        batch = demonstration.submit_sample(services) if settings.embedded_sandbox and not no_demo else None
        _show(services, running, key, login, batch)
        running.wait()


def replace_key_of_up(services: Services) -> str | None:
    """Replace the key of the last start by another; at the real gateway there is none that nobody asked for."""
    if not services.settings.sandbox:
        return None
    with services.transaction() as db:
        now = database.now(db)
        keys = AuditedKeys(db, operator(), services.audit, now, sandbox=True)
        keys.revoke_named(UP_KEY)
        return keys.create(UP_KEY, expires_at=now + UP_KEY_LIFETIME)


def _login(services: Services, *, is_a_trial: bool) -> str:
    """Return the login to show: the admin of a trial, made at its first start, or how to make a user."""
    with services.transaction() as db:
        if users.has_no_users(db):
            if not is_a_trial:
                return "nobody yet: customs user create --login LOGIN --name NAME --role admin"
            now = database.now(db)
            change = users.create_first_admin(db, services.passwords, services.settings.home, now)
            services.audit.append(db, change.audit_event_of(operator()), now)
    with services.reading() as db:
        password = users.first_admin_password(db, services.passwords, services.settings.home)
    if password is None:
        return ""
    return f"{users.FIRST_LOGIN} / {password}" if password else f"{users.FIRST_LOGIN} (its password was changed)"


def _show(services: Services, running: Standalone, key: str | None, login: str, batch: str | None) -> None:
    """Print one box: the addresses, the sandbox's API key (shown only now), a first call to copy."""
    api = f"{running.base_url}/api/v1"
    lines = [
        f"desk      {running.base_url}",
        f"docs      {running.base_url}/docs",
        f"gateway   {services.settings.base_url}{'  (sandbox)' if services.settings.sandbox else ''}",
        f"home      {services.settings.home}",
        *([f"login     {login}"] if login else []),
        f"API key   {key or 'customs api-key create --name NAME --merchant M100 --scope declarations:write'}",
    ]
    # As wide as its longest line; the line to copy stands outside. Neither may be cut or wrapped.
    console = Console(width=max(map(len, lines)) + 4, highlight=False)
    with console.capture() as box:
        console.print(Panel(Text("\n".join(lines)), title="customs declaration desk"))
    # The desk runs on when nobody can read this.
    with suppress(OSError):
        click.echo(f'{box.get()}curl -H "Authorization: Bearer {key or "KEY"}" {api}/batches')
        click.echo(f"{_command_from_anywhere(services)} status {batch or ''}".rstrip())
        click.echo("\nCtrl-C stops everything.")


def _command_from_anywhere(services: Services) -> str:
    """Return how to call `customs` for this home from any folder."""
    called = Path(sys.argv[0])
    is_on_path = (found := shutil.which("customs")) is not None and Path(found).samefile(called)
    itself = ["customs"] if is_on_path else [str(called.absolute())]
    if called.suffix == ".py":
        itself = [sys.executable, "-m", "customs"]
    return f"CUSTOMS_HOME={shlex.quote(str(services.settings.home))} {shlex.join(itself)}"


@click.command()
@click.option("--host", default=None, help="Address to listen on (CUSTOMS_WEB_HOST).")
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Port to listen on (CUSTOMS_WEB_PORT).")
def web(host: str | None, port: int | None) -> None:
    """Serve the API and the pages."""
    # Imported here: the server reads the command line as soon as it is imported, whatever bytes are in it.
    from customs.cli import web_server

    settings = read_settings()
    web_server.serve(replace(settings, web_host=host or settings.web_host, web_port=port or settings.web_port))


@click.command()
def worker() -> None:
    """Send what is due: one process, any number of them on any number of hosts."""
    _become("worker")


@click.command()
def clock() -> None:
    """Notify the workers when something is due."""
    _become("clock")


def _become(kind: str) -> None:
    """Replace this process by the package workers, which customs may not import."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environ = os.environ | {"PYTHONPATH": path}
    os.execve(sys.executable, [sys.executable, "-m", "workers", kind], environ)  # noqa: S606 - our own interpreter


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8900, show_default=True, type=click.IntRange(0, 65535))
@click.option("--ledger", type=click.Path(path_type=Path), help="File of the ledger; CUSTOMS_HOME/sandbox.db.")
@click.option("--agent-key", type=click.Path(path_type=Path), help="The caller's public key (PEM).")
@click.option("--gateway-key", type=click.Path(path_type=Path), help="The gateway's private key (PKCS#1 PEM).")
@click.option("--step-seconds", default=0.3, show_default=True, help="Pace of the states.")
@click.option("--fault-rate", default=0.0, show_default=True, type=click.FloatRange(0, 1))
@click.option("--fault-seed", default=None, type=int)
@click.option("--non-idempotent", is_flag=True, help="Count a repeated submission as a second filing or refund.")
def sandbox(
    host: str,
    port: int,
    ledger: Path | None,
    agent_key: Path | None,
    gateway_key: Path | None,
    step_seconds: float,
    fault_rate: float,
    fault_seed: int | None,
    non_idempotent: bool,
) -> None:
    """Play the gateway, for learning and testing."""
    # Imported here: only this command needs the other side's code.
    from customs.sandbox.app import serve
    from customs.web.i18n import CHINESE, translate

    settings = read_settings()
    # Without this key the sandbox does everything but sign notifications.
    at_home = settings.home / "gateway_private.pem"
    try:
        serve(
            SandboxSettings(
                agent_no=settings.agent_no,
                agent_public_key=agent_key or settings.home / "agent_public.pem",
                gateway_private_key=gateway_key or (at_home if at_home.exists() else None),
                host=host,
                port=port,
                ledger=ledger or settings.home / "sandbox.db",
                step_seconds=step_seconds,
                fault_rate=fault_rate,
                fault_seed=fault_seed,
                repush_seconds=settings.alipay_repush_seconds,
                non_idempotent=non_idempotent,
            ),
            lambda text: translate(text, CHINESE),
        )
    except (OSError, ValueError) as error:
        # A key, the ledger or the address cannot be used.
        raise Misconfigured(f"the sandbox cannot start: {error}; see `customs sandbox --help`") from error


@click.command()
@click.option("--rows", default=66, show_default=True, type=click.IntRange(1, 10_000))
def demo(rows: int) -> None:
    """Declare the sample batch to its end in a home of its own, and show how each row ended."""
    if not demonstration.run(rows, Console()):
        sys.exit(1)
