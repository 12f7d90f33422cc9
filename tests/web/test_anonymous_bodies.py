"""A body that nobody known stands behind: of no route is more than 64 KiB of it read."""

import io
from pathlib import Path

import pytest
from werkzeug.routing import Rule

from customs.container import Services
from customs.web.json_body import LARGEST_ANONYMOUS_BODY
from tests.application import application
from tests.web.visiting import HOST

SIZE = 1 << 20
PUBLIC_KEY = Path(__file__).parents[1] / "gateway" / "keys" / "public_spki.pem"


class CountedBody(io.RawIOBase):
    """A body of a form that counts what is read of it."""

    def __init__(self) -> None:
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        taken = min(len(buffer), SIZE - self.count)
        buffer[:taken] = b"x" * taken
        self.count += taken
        return taken


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def writing(rule: Rule) -> list[str]:
    return sorted({"POST", "PUT", "PATCH", "DELETE"} & (rule.methods or set()))


@pytest.mark.parametrize("length", [str(SIZE), None], ids=["its length is told", "in chunks"])
@pytest.mark.parametrize("authorization", [None, "Bearer wrong"])
def test_of_no_route_more_is_read_than_64_kib(services: Services, length: str | None, authorization: str | None):
    app = application(services)
    client = app.test_client()
    # Without the gateway's key no notification would be read.
    services.settings.public_key_file.write_bytes(PUBLIC_KEY.read_bytes())
    routes = [(method, rule) for rule in app.url_map.iter_rules() for method in writing(rule)]
    read = {}
    for method, rule in routes:
        place = app.url_map.bind("").build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), method)
        for content_type in ("application/json", "application/x-www-form-urlencoded"):
            body = CountedBody()
            environ = {"wsgi.input": body, "CONTENT_LENGTH": length or "", "wsgi.input_terminated": not length}
            headers = {"Origin": HOST} | ({"Authorization": authorization} if authorization else {})
            answer = client.open(
                place, method=method, headers=headers, content_type=content_type, environ_overrides=environ
            )
            assert answer.status_code < 500, (method, place, answer.status_code)
            read[method, place, content_type] = body.count

    assert len(read) > 50
    assert {one: count for one, count in read.items() if count > LARGEST_ANONYMOUS_BODY} == {}


def test_a_sign_in_with_a_large_body_is_refused(services: Services):
    client = application(services).test_client()

    answer = client.post("/sign-in", data={"login": "x" * SIZE}, headers={"Origin": HOST})

    assert answer.status_code == 413
