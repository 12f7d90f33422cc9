"""The product's web application for tests: assembled once for each process, equipped anew for each test."""

from functools import cache

from flask import Flask

from customs.app import assembled, equip
from customs.container import Services


@cache
def _assembled() -> Flask:
    return assembled()


def application(services: Services) -> Flask:
    """The application over these services, and over no others any more: making its routes takes longer than a test."""
    app = _assembled()
    equip(app, services)
    return app
