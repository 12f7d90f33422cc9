"""The real web process behind a proxy: it believes the proxies that are named, and nobody else."""

import pytest
import requests

from tests.journeys.deployment import Deployment

AS_A_PROXY_SAYS = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "desk.example"}


@pytest.mark.parametrize(("proxies", "status"), [("0", 403), ("1", 422)])
def test_a_form_of_the_proxys_own_site_is_taken_where_the_proxy_is_named(
    small: Deployment, proxies: str, status: int
) -> None:
    small.environ["CUSTOMS_TRUSTED_PROXIES"] = proxies
    _, url = small.start_web()

    answer = requests.post(
        f"{url}/sign-in",
        data={"login": "nobody", "password": "a wrong password"},
        headers=AS_A_PROXY_SAYS | {"Origin": "https://desk.example", "Accept": "text/html"},
        allow_redirects=False,
        timeout=30,
    )

    assert answer.status_code == status
    if proxies == "1":
        assert "Strict-Transport-Security" in answer.headers
