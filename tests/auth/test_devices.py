"""A browser is known again by a mark that only this desk can make, and only for the login it was made for."""

import pytest

from customs.auth.devices import known_device, new_device
from customs.privacy.vault import Vault
from tests import make

VAULT = Vault(("a key of the tests, long enough",), "a secret of the tests, long enough")


def test_a_browser_is_known_for_the_login_that_was_used_however_it_is_typed():
    kept = new_device(VAULT, "zhang")

    assert known_device(VAULT, kept, " ZHANG ") == kept.partition(".")[0]


@pytest.mark.parametrize("change", [lambda kept: kept + "0", lambda kept: "x" + kept, lambda _: "", lambda _: "李.李"])
def test_what_somebody_made_up_is_no_mark(change):
    assert known_device(VAULT, change(new_device(VAULT, "zhang")), "zhang") is None
    assert known_device(VAULT, None, "zhang") is None


def test_a_mark_is_of_one_login_and_one_desk():
    kept = new_device(VAULT, "zhang")

    assert known_device(VAULT, kept, "li") is None
    assert known_device(Vault(("another key of the tests",), "another secret of the tests"), kept, "zhang") is None


def test_a_mark_names_nobody():
    assert "zhang" not in new_device(VAULT, "zhang")
    assert make.SECRETS["CUSTOMS_SECRET_KEY"] not in new_device(VAULT, "zhang")
