"""The gateway's other side (`customs sandbox`): for clerks who learn, developers who test, our own journeys."""

from customs.sandbox.settings import SandboxSettings

__all__ = ["SandboxSettings"]
