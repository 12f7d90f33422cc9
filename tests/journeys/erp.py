"""An ERP at the desk's API over real HTTP; it keeps in mind what it was told."""

import time
from typing import Any
from uuid import uuid4

import requests

from tests.journeys.events_seen import Promises, Row
from tests.journeys.processes import LOOK_SECONDS, wait_until
from tests.patience import PATIENCE_SECONDS

ANSWER_SECONDS = 60.0


class Erp:
    """Somebody with an API key at one desk."""

    def __init__(self, url: str, key: str, promises: Promises | None = None) -> None:
        self.promises = promises or Promises()
        self._url = f"{url}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"

    def get(self, path: str, **query: Any) -> Any:
        answer = self._session.get(self._url + path, params=query, timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        return self._session.post(self._url + path, json=body, headers=headers, timeout=ANSWER_SECONDS)

    def hand_in(self, *rows: Row) -> str:
        """Post a batch and see it acknowledged; returns its id."""
        answer = self.post("/batches", {"declarations": rows})
        assert answer.status_code == 202, answer.text
        self.promises.acknowledged(rows)
        return str(answer.json()["id"])

    def insist(self, *rows: Row) -> None:
        """Post a batch again and again under one Idempotency-Key until it is acknowledged."""
        key, deadline = uuid4().hex, time.monotonic() + PATIENCE_SECONDS
        while not self._is_taken(rows, key):
            assert time.monotonic() < deadline, "the batch was never acknowledged"
            time.sleep(LOOK_SECONDS)
        self.promises.acknowledged(rows)

    def wait(self, batch_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The batch, once nothing of it goes on by itself."""
        wait_until(lambda: self.batch(batch_id)["state"] != "RUNNING", f"{batch_id} came to its end", seconds)
        return self.batch(batch_id)

    def batch(self, batch_id: str) -> dict[str, Any]:
        batch: dict[str, Any] = self.get(f"/batches/{batch_id}")
        return batch

    def declaration(self, row: Row) -> dict[str, Any]:
        """The declaration of an order that was handed in."""
        (found,) = self.get("/declarations", payment_no=row["payment_no"], office=row["office"])["data"]
        declaration: dict[str, Any] = self.get(f"/declarations/{found['id']}")
        return declaration

    def redeclare(self, row: Row) -> None:
        self._decide(row, "redeclare", {})

    def modify(self, row: Row, **changes: Any) -> None:
        self._decide(row, "modify", changes)

    def _decide(self, row: Row, action: str, changes: dict[str, Any]) -> None:
        """Alipay wants some time between two pushes: a refusal that says "not before" is waited out."""
        path = f"/declarations/{self.declaration(row)['id']}/{action}"
        body = changes | {"reason": "a journey asks for it"}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self.post(path, body)).status_code == 409 and answer.json().get("not_before"):
            assert time.monotonic() < deadline, answer.text
            time.sleep(LOOK_SECONDS)
        assert answer.status_code == 202, answer.text
        self.promises.decided(row, changes)

    def _is_taken(self, rows: tuple[Row, ...], key: str) -> bool:
        try:
            return self.post("/batches", {"declarations": rows}, **{"Idempotency-Key": key}).status_code == 202
        except requests.RequestException:
            return False
