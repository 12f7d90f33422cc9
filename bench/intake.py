"""P4: taking in 10,000 declarations, from the request to its 202, against marshmallow's validation of them alone."""

import json
from collections.abc import Callable
from pathlib import Path

from bench.ground import Ground
from bench.measuring import Verdict, compare, seconds_of
from bench.orders import fresh_numbers, mixed_order
from customs import database as databases
from customs.access.api_keys import create_api_key
from customs.app import create_app
from customs.declarations.schemas import DeclarationIn

WANTED = 2.0
DECLARATIONS = 10_000
UNUSED_GATEWAY = "http://127.0.0.1:9"


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """One verdict."""
    ground = Ground(home, database(), UNUSED_GATEWAY, threads=1)
    services = ground.services
    with services.transaction() as db:
        key = create_api_key(db, "bench", sandbox=True, scopes=(), merchants=(), now=databases.now(db))
    door = create_app(services).test_client()
    schema = DeclarationIn(many=True)

    def taken_in(how_many: int = DECLARATIONS) -> float:
        orders = [mixed_order(number) for number in fresh_numbers(how_many)]
        body = json.dumps({"declarations": orders}, ensure_ascii=False).encode()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

        def post() -> None:
            answer = door.post("/api/v1/batches", data=body, headers=headers)
            assert answer.status_code == 202, answer.get_data(as_text=True)[:1000]

        return seconds_of(post)

    def validated() -> float:
        orders = [mixed_order(number) for number in fresh_numbers(DECLARATIONS)]
        return seconds_of(lambda: schema.load(orders))

    try:
        taken_in(10)
        goal = f"P4 intake / validation alone, {ground.name}"
        return [compare(goal, WANTED, taken_in, validated, at_least=False, unit="s")]
    finally:
        ground.close()
