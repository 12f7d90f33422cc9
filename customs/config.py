"""Settings from environment variables, read once when a process starts; docs/configuration.md lists every one."""

import base64
import hashlib
import os
import secrets
import ssl
import stat
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from marshmallow import EXCLUDE, Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range
from redis import ConnectionPool

from customs.errors import Misconfigured

# A Unix socket's path may hold some 100 bytes, and in a URL some characters mean something else: where a home's name
# does not do, its socket is in the temporary folder.
LONGEST_SOCKET_PATH = 90
TEMPORARY_FOLDER = "/tmp"  # noqa: S108 - where the system's own word for it cannot be in a URL either
SHORTEST_SECRET = 16
# What the secrets of Standard Webhooks begin with, and how many bytes they hold.
WEBHOOK_SECRET, SHORTEST_WEBHOOK_SECRET = "whsec_", 24
LONGEST_RETENTION_DAYS = 36_500
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - recognised here, not bound


@dataclass(frozen=True)
class Settings:
    """One deployment's settings. Seconds are floats; the gateway's URL has no trailing slash."""

    home: Path
    database_url: str
    redis_url: str
    embedded_redis: bool
    secret_key: str
    pii_keys: tuple[str, ...]
    sandbox: bool
    embedded_sandbox: bool
    base_url: str
    agent_no: str
    private_key_file: Path
    public_key_file: Path
    version: str
    poll_seconds: float
    payment_poll_seconds: float
    unknown_grace_seconds: float
    alipay_repush_seconds: float
    lease_seconds: float
    warn_only_rules: frozenset[str]
    earlier_names: tuple[str, ...]
    redeclare_failed: str
    gateway_concurrency: int
    gateway_rate: float
    gateway_timeout_seconds: float
    ca_bundle: str
    public_url: str
    web_host: str
    web_port: int
    web_threads: int
    api_rate_limit: float
    retention_draft_days: int
    retention_request_log_days: int
    retention_event_days: int
    retention_exchange_days: int
    retention_bill_days: int
    retention_buyer_days: int
    mfa: str
    trusted_proxies: int
    metrics_token: str
    audit_anchor_url: str
    audit_anchor_secret: str
    log_level: str

    @cached_property
    def public_address(self) -> str:
        """Where the gateway and payers reach this desk: as told, or here when the gateway is on this machine too."""
        is_here = urlsplit(self.base_url).hostname in LOOPBACK
        return self.public_url or (http_url(reachable(self.web_host), self.web_port) if is_here else "")

    @cached_property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def _is_redis_url(url: str) -> None:
    """Only what a connection can be made of; what is wrong with it is not repeated, for it may hold a password."""
    try:
        # Nothing connects yet.
        ConnectionPool.from_url(url).make_connection()
    except (ValueError, TypeError):
        pass
    else:
        if not urlsplit(url).fragment:
            return
    raise ValidationError(
        "redis://host:6379/0, rediss://host:6379/0 or unix:///path; in a path, # ? % are written %23 %3F %25"
    )


def _is_ca_bundle(file: str) -> None:
    try:
        ssl.create_default_context(cafile=file)
    except (OSError, ValueError) as error:
        raise ValidationError(f"no CA certificates in PEM can be read there ({type(error).__name__})") from error


def _is_anchor_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ValidationError("use https, or an address of this machine")


def _is_webhook_secret(text: str) -> None:
    try:
        is_long = len(base64.b64decode(text.removeprefix(WEBHOOK_SECRET), validate=True)) >= SHORTEST_WEBHOOK_SECRET
    except ValueError:
        is_long = False
    if not (text.startswith(WEBHOOK_SECRET) and is_long):
        raise ValidationError(f"{WEBHOOK_SECRET} and at least {SHORTEST_WEBHOOK_SECRET} random bytes in base64")


def _retention(kind: str, days: int) -> fields.Integer:
    """How many days one kind of data is kept, at least one."""
    return fields.Integer(
        data_key=f"CUSTOMS_RETENTION_{kind}_DAYS", load_default=days, validate=Range(1, LONGEST_RETENTION_DAYS)
    )


class Variables(Schema):
    """Every variable with its type and bounds: the one table of what the environment may say."""

    class Meta:
        unknown = EXCLUDE

    home = fields.String(data_key="CUSTOMS_HOME", load_default="./.customs")
    database_url = fields.String(data_key="CUSTOMS_DATABASE_URL", load_default="")
    redis_url = fields.String(data_key="CUSTOMS_REDIS_URL", load_default="", validate=_is_redis_url)
    secret_key = fields.String(data_key="CUSTOMS_SECRET_KEY", load_default="")
    pii_keys = fields.String(data_key="CUSTOMS_PII_KEYS", load_default="")
    sandbox = fields.Boolean(data_key="CUSTOMS_SANDBOX", load_default=None)
    base_url = fields.Url(data_key="WISECASHIER_BASE_URL", load_default="", require_tld=False)
    agent_no = fields.String(data_key="WISECASHIER_AGENT_NO", load_default="SANDBOX")
    private_key_file = fields.String(data_key="WISECASHIER_PRIVATE_KEY_FILE", load_default="")
    public_key_file = fields.String(data_key="WISECASHIER_PUBLIC_KEY_FILE", load_default="")
    version = fields.String(data_key="WISECASHIER_VERSION", load_default="1.0")
    poll_seconds = fields.Float(data_key="CUSTOMS_POLL_SECONDS", load_default=None, validate=Range(0.01))
    payment_poll_seconds = fields.Float(
        data_key="CUSTOMS_PAYMENT_POLL_SECONDS", load_default=None, validate=Range(0.01)
    )
    unknown_grace_seconds = fields.Float(data_key="CUSTOMS_UNKNOWN_GRACE_SECONDS", load_default=None, validate=Range(0))
    alipay_repush_seconds = fields.Float(data_key="CUSTOMS_ALIPAY_REPUSH_SECONDS", load_default=None, validate=Range(0))
    lease_seconds = fields.Float(data_key="CUSTOMS_LEASE_SECONDS", load_default=60.0, validate=Range(5))
    warn_only_rules = fields.String(data_key="CUSTOMS_WARN_ONLY_RULES", load_default="")
    redeclare_failed = fields.String(
        data_key="CUSTOMS_REDECLARE_FAILED", load_default="override", validate=OneOf(["override", "allow"])
    )
    gateway_concurrency = fields.Integer(
        data_key="CUSTOMS_GATEWAY_CONCURRENCY", load_default=32, validate=Range(1, 512)
    )
    gateway_rate = fields.Float(data_key="CUSTOMS_GATEWAY_RATE", load_default=0.0, validate=Range(0))
    gateway_timeout_seconds = fields.Float(
        data_key="CUSTOMS_GATEWAY_TIMEOUT_SECONDS", load_default=15.0, validate=Range(0.1)
    )
    ca_bundle = fields.String(data_key="CUSTOMS_CA_BUNDLE", load_default="", validate=_is_ca_bundle)
    public_url = fields.Url(data_key="CUSTOMS_PUBLIC_URL", load_default="", require_tld=False)
    web_host = fields.String(data_key="CUSTOMS_WEB_HOST", load_default="127.0.0.1")
    web_port = fields.Integer(data_key="CUSTOMS_WEB_PORT", load_default=8000, validate=Range(0, 65535))
    web_threads = fields.Integer(data_key="CUSTOMS_WEB_THREADS", load_default=8, validate=Range(1, 256))
    api_rate_limit = fields.Float(data_key="CUSTOMS_API_RATE_LIMIT", load_default=500.0, validate=Range(0))
    retention_draft_days = _retention("DRAFT", 7)
    retention_request_log_days = _retention("REQUEST_LOG", 30)
    retention_event_days = _retention("EVENT", 90)
    retention_exchange_days = _retention("EXCHANGE", 365)
    retention_bill_days = _retention("BILL", 1095)
    retention_buyer_days = _retention("BUYER", 1095)
    mfa = fields.String(data_key="CUSTOMS_MFA", load_default=None, validate=OneOf(["required", "optional"]))
    trusted_proxies = fields.Integer(data_key="CUSTOMS_TRUSTED_PROXIES", load_default=0, validate=Range(0, 10))
    metrics_token = fields.String(
        data_key="CUSTOMS_METRICS_TOKEN", load_default="", validate=Length(min=SHORTEST_SECRET)
    )
    audit_anchor_url = fields.Url(
        data_key="CUSTOMS_AUDIT_ANCHOR_URL",
        load_default="",
        require_tld=False,
        schemes={"http", "https"},
        validate=_is_anchor_url,
    )
    audit_anchor_secret = fields.String(
        data_key="CUSTOMS_AUDIT_ANCHOR_SECRET", load_default="", validate=_is_webhook_secret
    )
    log_level = fields.String(
        data_key="CUSTOMS_LOG_LEVEL", load_default="info", validate=OneOf(["debug", "info", "warning", "error"])
    )


# Blanks at the end of a folder's name are part of it.
PATHS = ("CUSTOMS_HOME", "CUSTOMS_CA_BUNDLE", "WISECASHIER_PRIVATE_KEY_FILE", "WISECASHIER_PUBLIC_KEY_FILE")

# What 0.1 called some of them. Deployments that still do so go on; `customs doctor` says what to write instead.
RENAMED = {
    "CUSTOMS_API_RATE": "CUSTOMS_API_RATE_LIMIT",
    "CUSTOMS_CERT_ID_CHECK": "CUSTOMS_WARN_ONLY_RULES",
    "CUSTOMS_ONE_TIME_CODES": "CUSTOMS_MFA",
    "CUSTOMS_RULES_AS_WARNINGS": "CUSTOMS_WARN_ONLY_RULES",
}
# Its value said how severe one rule is; now the rule's code is in the list of those that only warn, or it is not.
CERT_ID_CHECK, CERT_ID_RULE = "CUSTOMS_CERT_ID_CHECK", "cert_id_invalid"
SEVERITIES = {"block": "", "warn": CERT_ID_RULE}

# Towards the real gateway, and towards the sandbox, which is in a hurry and guards nothing of value.
BY_GATEWAY: dict[str, tuple[float, float] | tuple[str, str]] = {
    "poll_seconds": (60.0, 1.0),
    "payment_poll_seconds": (5.0, 1.0),
    "unknown_grace_seconds": (420.0, 2.0),
    "alipay_repush_seconds": (300.0, 1.0),
    "mfa": ("required", "optional"),
}


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (the process's own by default).

    On the embedded default (no CUSTOMS_DATABASE_URL) the secrets are made and kept in CUSTOMS_HOME.
    Raises Misconfigured, naming the variable and what to do.
    """
    environ = os.environ if environ is None else environ
    try:
        # An empty variable means "not set": compose files and shells pass those along.
        given = {name: value if name in PATHS else value.strip() for name, value in environ.items() if value.strip()}
        read = Variables().load(_under_new_names(given))
    except ValidationError as error:
        errors = "; ".join(f"{name}: {' '.join(why)}" for name, why in sorted(error.messages_dict.items()))
        raise Misconfigured(errors) from error
    return _settled(read | {"earlier_names": tuple(name for name in RENAMED if name in given)})


def _under_new_names(given: dict[str, str]) -> dict[str, str]:
    """Return the variables with those under an earlier name under the new one, which wins where both are set."""
    renamed: dict[str, list[str]] = {}
    for earlier, name in RENAMED.items():
        if earlier not in given:
            continue
        value = given[earlier]
        if earlier == CERT_ID_CHECK:
            if value not in SEVERITIES:
                raise ValidationError({earlier: [f"use one of {', '.join(SEVERITIES)}"]})
            value = SEVERITIES[value]
        renamed.setdefault(name, []).append(value)
    return {name: ",".join(filter(None, values)) for name, values in renamed.items()} | given


def _settled(read: dict[str, Any]) -> Settings:
    """What was read, with the defaults that depend on one another."""
    home = _home(read["home"])
    keep = _demand if read["database_url"] else _keeper(home)
    secret_key = read["secret_key"] or keep("CUSTOMS_SECRET_KEY")
    pii_keys = _words(read["pii_keys"] or keep("CUSTOMS_PII_KEYS"))
    for name, secret in (("CUSTOMS_SECRET_KEY", secret_key), *(("CUSTOMS_PII_KEYS", key) for key in pii_keys)):
        if len(secret) < SHORTEST_SECRET:
            raise Misconfigured(f"{name} needs at least {SHORTEST_SECRET} characters: `customs keys generate DIR`")
    if read["audit_anchor_url"] and not read["audit_anchor_secret"]:
        raise Misconfigured("CUSTOMS_AUDIT_ANCHOR_SECRET is required with CUSTOMS_AUDIT_ANCHOR_URL: whsec_... signs")
    if not read["redis_url"] and (folder := redis_socket(home).parent) != home:
        require_own_folder(folder)
    sandbox = not read["base_url"] if read["sandbox"] is None else read["sandbox"]
    if read["base_url"] and not sandbox:
        _refuse_plain_http(read["base_url"])
    for name, url in (("WISECASHIER_BASE_URL", read["base_url"]), ("CUSTOMS_PUBLIC_URL", read["public_url"])):
        if urlsplit(url).username is not None:
            raise Misconfigured(f"{name}: a user or a password in this address would be shown; leave them out")
    by_gateway = {name: pair[sandbox] for name, pair in BY_GATEWAY.items() if read[name] is None}
    return Settings(
        **read
        | by_gateway
        | {
            "home": home,
            "database_url": _with_driver(read["database_url"] or f"sqlite:///{quote(str(home / 'customs.db'))}"),
            "redis_url": read["redis_url"] or f"unix://{redis_socket(home)}",
            "embedded_redis": not read["redis_url"],
            "secret_key": secret_key,
            "pii_keys": pii_keys,
            "sandbox": sandbox,
            "embedded_sandbox": not read["base_url"],
            "base_url": (read["base_url"] or "http://127.0.0.1:8900").rstrip("/"),
            "web_host": read["web_host"].strip("[]"),
            "public_url": read["public_url"].rstrip("/"),
            "private_key_file": Path(read["private_key_file"] or home / "agent_private.pem"),
            "public_key_file": Path(read["public_key_file"] or home / "gateway_public.pem"),
            "warn_only_rules": frozenset(_words(read["warn_only_rules"])),
        }
    )


def _refuse_plain_http(base_url: str) -> None:
    """Refuse to send names and ID numbers in the open, but to this machine itself."""
    parts = urlsplit(base_url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Misconfigured("WISECASHIER_BASE_URL: https:// is needed towards a gateway that is not on this machine")


def reachable(host: str) -> str:
    """Where this machine reaches what listens at `host`."""
    return "127.0.0.1" if host in EVERYWHERE else host


def http_url(host: str, port: int) -> str:
    """The URL of a server; an address of IPv6 stands in brackets there."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _home(named: str) -> Path:
    home = Path(named).absolute()
    try:
        # It stands in URLs, logs and pages.
        str(home).encode()
    except UnicodeEncodeError as error:
        raise Misconfigured(
            "the name of the folder CUSTOMS_HOME is not UTF-8: rename it, or set another one"
        ) from error
    return home


def unusable_home(home: Path, error: OSError) -> Misconfigured:
    """What to say when the home cannot be written to."""
    why = error.strerror or type(error).__name__
    return Misconfigured(f"CUSTOMS_HOME ({home}) cannot be used: {why}; set it to a folder that this user may write to")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def redis_socket(home: Path) -> Path:
    """Where the embedded Redis of this home listens: every process of the home works it out alike."""
    folders = (home, *(_short_folder(Path(folder), home) for folder in (tempfile.gettempdir(), TEMPORARY_FOLDER)))
    return next(socket for folder in folders if _fits(socket := folder / "redis.sock") or folder is folders[-1])


def require_own_folder(folder: Path) -> None:
    """Raise Misconfigured if this folder is there and others could have put something into it.

    In the temporary folder anybody may make one of that name first, and be the Redis that this desk talks to.
    """
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Misconfigured(f"{folder} is not a folder of this user's alone: remove it, or set CUSTOMS_REDIS_URL")


def _short_folder(folder: Path, home: Path) -> Path:
    return folder / f"customs-{hashlib.sha256(bytes(home)).hexdigest()[:16]}"


def _fits(socket: Path) -> bool:
    """Whether this path can be a socket's, and stand in a URL as it is."""
    return len(bytes(socket)) <= LONGEST_SOCKET_PATH and quote(bytes(socket)) == str(socket)


def _with_driver(url: str) -> str:
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


def _keeper(home: Path) -> Callable[[str], str]:
    """Secrets of the embedded default."""

    def keep(name: str) -> str:
        try:
            return keep_secret(home / name.removeprefix("CUSTOMS_").lower(), lambda: secrets.token_urlsafe(32))
        except OSError as error:
            raise unusable_home(home, error) from error

    return keep


def keep_files_private() -> None:
    """Let whatever this process and its children create be its owner's only: files 0600, folders 0700."""
    os.umask(0o077)


def open_private(path: str, flags: int) -> int:
    """Opener of files that only their owner may read, whatever process writes them: `open(file, "x", opener=...)`."""
    return os.open(path, flags, 0o600)


def keep_secret(file: Path, make: Callable[[], str]) -> str:
    """The secret in this file: made at first use, kept in the home, readable by its owner only."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        descriptor, draft = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(make())
        # Of two processes that start at once one gives its secret the name, whole, and both read it.
        with suppress(FileExistsError):
            os.link(draft, file)
        Path(draft).unlink()
    return file.read_text().strip()


def _demand(name: str) -> str:
    raise Misconfigured(f"{name} is required when CUSTOMS_DATABASE_URL is set: `customs keys generate DIR` makes one")
