"""The API as an ERP sees it: a client with a key, and a second one whose key is for another merchant."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from customs.auth.api_keys import create_api_key
from customs.auth.principal import Scope
from customs.container import Services
from customs.db import database
from tests import make
from tests.api import described
from tests.application import application
from tests.product import Desk


class Erp:
    """Somebody with an API key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self._client = client
        self.key = key

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}"} | options.pop("headers", {})
        # Buffered: what is written once an answer is out is written when this returns.
        answer = self._client.open(f"/api/v1{path}", method=method, headers=headers, buffered=True, **options)
        described.check(answer, self._client.application.url_map.bind("localhost"))
        return answer

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.call("GET", path, query_string=query)

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", path, data=json.dumps(body), content_type="application/json", headers=named)

    def put(self, path: str, body: Any) -> TestResponse:
        return self.call("PUT", path, json=body)

    def hand_in(self, *rows: Any, **envelope: Any) -> dict[str, Any]:
        """Post a batch that is taken; returns it."""
        answer = self.post("/batches", envelope | {"declarations": rows})
        assert answer.status_code == 202, answer.text
        batch: dict[str, Any] = answer.json
        return batch

    def declare(self, channel: str = "wechatpay", **changes: Any) -> dict[str, Any]:
        """Hand in one declaration; returns it as the API shows it."""
        batch = self.hand_in(make.declaration_row(channel, **changes))
        declaration: dict[str, Any] = self.get("/declarations", batch_id=batch["id"]).json["data"][0]
        return declaration


def is_problem(answer) -> bool:
    keys = {"type", "title", "status", "detail", "code", "request_id", "errors"}
    return answer.content_type == "application/problem+json" and keys <= set(answer.json)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Views are the same on both; where the database may answer otherwise, a file asks for either."""
    return sqlite_url


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return application(services).test_client()


@pytest.fixture
def key_for(services: Services) -> Callable[..., str]:
    def create(merchants: Sequence[str] = (), scopes: Sequence[Scope] = ()) -> str:
        with services.transaction() as db:
            now = database.now(db)
            return create_api_key(db, "an ERP", sandbox=True, scopes=scopes, merchants=merchants, now=now)

    return create


@pytest.fixture
def erp(client: FlaskClient, key_for: Callable[..., str]) -> Erp:
    """A key for everything."""
    return Erp(client, key_for())


@pytest.fixture
def stranger(client: FlaskClient, key_for: Callable[..., str]) -> Erp:
    """A key for another merchant."""
    return Erp(client, key_for(["M999"]))


@pytest.fixture
def limited(client: FlaskClient, key_for: Callable[..., str]) -> Callable[..., Erp]:
    """A key with these scopes only."""
    return lambda *scopes: Erp(client, key_for(scopes=scopes))


@pytest.fixture
def desk(services: Services) -> Desk:
    return Desk(services)
