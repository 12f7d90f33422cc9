"""Sandbox: a simulated gateway (`customs sandbox`) for learning, development and tests."""

from customs.sandbox.settings import SandboxSettings

__all__ = ["SandboxSettings"]
