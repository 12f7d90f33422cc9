"""The product's web application for tests: assembled once for each process, equipped anew for each test."""

from functools import cache

from flask import Flask

from customs.app import create_bare_app, init_services
from customs.container import Services


@cache
def _assembled() -> Flask:
    return create_bare_app()


def application(services: Services) -> Flask:
    """The application over these services, and over no others any more: making its routes takes longer than a test."""
    app = _assembled()
    init_services(app, services)
    return app
