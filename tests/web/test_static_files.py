"""The desk's files: what may be had, as what, and for how long a browser keeps it."""

import pytest

from customs.web.rendering import CONTENT_TYPES, asset_url, servable, version
from tests.api.conftest import client, database_url  # noqa: F401

NAME = "bootstrap/bootstrap.min.css"
# What is in the folder and not served, and what is elsewhere.
REFUSED = [
    "",
    "bootstrap",
    "bootstrap/",
    "bootstrap/LICENSE",
    "bootstrap/vendored.toml",
    "bootstrap/../bootstrap/bootstrap.min.css",
    "../rendering.py",
    "../static/docs.css",
    "..%2frendering.py",
    "%2e%2e/%2e%2e/app.py",
    "..%5c..%5capp.py",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "bootstrap/bootstrap.min.css/",
    "bootstrap/bootstrap.min.css%00.js",
    "BOOTSTRAP/bootstrap.min.css",
    "no-such-file.js",
]


@pytest.mark.parametrize("name", sorted(servable()))
def test_a_file_comes_as_what_it_is(client, name: str):  # noqa: F811
    answer = client.get(f"/static/{name}")

    assert answer.status_code == 200
    assert answer.content_type == CONTENT_TYPES[f".{name.rpartition('.')[2]}"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_else_can_be_had(client, name: str):  # noqa: F811
    answer = client.get(f"/static/{name}", follow_redirects=True)

    assert answer.status_code == 404


def test_the_address_in_a_page_is_kept_for_good(client):  # noqa: F811
    answer = client.get(asset_url(NAME))

    assert asset_url(NAME) == f"/static/{NAME}?v={version(NAME)}"
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789", "?w=1"])
def test_any_other_address_is_asked_about_again(client, query: str):  # noqa: F811
    first = client.get(f"/static/{NAME}{query}")
    again = client.get(f"/static/{NAME}{query}", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
    assert (again.status_code, again.data) == (304, b"")


def test_a_page_cannot_name_a_file_that_is_not_served():
    with pytest.raises(KeyError):
        asset_url("bootstrap/vendored.toml")
