"""Sandbox: a simulated gateway (`customs sandbox`) for learning, development and tests."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SandboxSettings:
    """One sandbox: where it listens, whose calls it takes, how fast its customs offices work.

    `agent_public_key` is the caller's public key in PEM. `ledger` is a file, or None to forget at the end.
    `step_seconds` is the pace of the states. `fault_rate` (0 to 1) of the calls meet a fault, chosen by
    `fault_seed` (None: 0). An Alipay re-push within `repush_seconds` of the last push is not pushed.
    With `non_idempotent` a repeated ADD is filed a second time, and so is a repeated refund; the ledger shows it.
    `gateway_private_key` (PKCS#1 PEM) signs the notifications: without it none is sent.
    """

    agent_no: str
    agent_public_key: Path
    gateway_private_key: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8900
    ledger: Path | None = None
    step_seconds: float = 0.3
    fault_seed: int | None = None
    fault_rate: float = 0.0
    repush_seconds: float = 1.0
    non_idempotent: bool = False
