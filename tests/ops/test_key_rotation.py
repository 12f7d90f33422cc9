"""After a new key was put first, the secrets of endpoints are sealed with it, and sign as before."""

from customs.ops.key_rotation import rotate_keys
from customs.privacy.vault import Vault
from customs.webhooks.subscriptions import secret_place
from tests import make
from tests.webhooks.courier import Courier


def test_secrets_open_with_the_new_key_alone(courier: Courier):
    endpoint_id = courier.listen("http://127.0.0.1:9/")
    first = courier.secret(endpoint_id)
    courier.decide("rotate", endpoint_id)
    second = courier.secret(endpoint_id)
    index_secret, old = make.SECRETS.values()

    resealed = rotate_keys(courier.services.engine, Vault(["a new key of the tests", old], index_secret))["endpoints"]

    endpoint, new = courier.endpoint(endpoint_id), Vault(["a new key of the tests"], index_secret)
    assert resealed == 1
    assert new.open(endpoint.secret, secret_place(endpoint_id)) == second
    assert new.open(endpoint.previous_secret, secret_place(endpoint_id)) == first
    assert rotate_keys(courier.services.engine, new)["endpoints"] == 0
