"""The vault: what is sealed opens only where it belongs, under a key we still have, and is found by its index."""

import pytest

from customs.errors import DecryptionKeyMissing
from customs.gateway import Buyer
from customs.privacy.vault import Vault

BUYER = Buyer("欧阳𠮷·买买提", "11010519491231002X")
PLACE = "declarations.buyer:decl_1"
OLD, NEW = "the key of last year", "the key of this year"


def test_what_is_sealed_opens_again():
    vault = Vault([NEW], "index")

    assert vault.open_buyer(vault.seal_buyer(BUYER, "decl_1"), "decl_1") == BUYER


def test_no_buyer_stays_no_buyer():
    assert Vault([NEW], "index").open_buyer(None, "decl_1") is None


def test_a_token_shows_nothing_and_no_two_are_equal():
    vault = Vault([NEW], "index")

    one, other = vault.seal(BUYER.cert_id, PLACE), vault.seal(BUYER.cert_id, PLACE)

    assert one != other
    assert BUYER.cert_id not in one


def test_a_token_moved_to_another_row_does_not_open():
    vault = Vault([NEW], "index")
    token = vault.seal_buyer(BUYER, "decl_1")

    with pytest.raises(DecryptionKeyMissing):
        vault.open_buyer(token, "decl_2")


@pytest.mark.parametrize("position", [0, 20, -4])
def test_a_token_that_was_altered_does_not_open(position: int):
    vault = Vault([NEW], "index")
    version, key_id, body = vault.seal(BUYER.cert_id, PLACE).split(".")
    letters = list(body)
    letters[position] = "A" if letters[position] != "A" else "B"

    with pytest.raises(DecryptionKeyMissing):
        vault.open(".".join([version, key_id, "".join(letters)]), PLACE)


def test_after_a_rotation_the_new_key_seals_and_the_old_one_still_opens():
    old = Vault([OLD], "index").seal(BUYER.cert_id, PLACE)
    rotated = Vault([NEW, OLD], "index")

    fresh = rotated.seal(BUYER.cert_id, PLACE)

    assert rotated.open(old, PLACE) == rotated.open(fresh, PLACE) == BUYER.cert_id
    assert (rotated.is_current(old), rotated.is_current(fresh)) == (False, True)


def test_without_its_key_a_token_stays_closed_and_the_error_names_the_key_and_not_the_text():
    token = Vault([OLD], "index").seal(BUYER.cert_id, PLACE)

    with pytest.raises(DecryptionKeyMissing) as locked:
        Vault([NEW], "index").open(token, PLACE)

    assert token.split(".")[1] in locked.value.detail
    assert BUYER.cert_id not in locked.value.detail


def test_a_rotation_leaves_the_index_as_it_is():
    assert Vault([OLD], "index").index(BUYER.cert_id) == Vault([NEW, OLD], "index").index(BUYER.cert_id)


def test_the_index_distinguishes_equal_from_different_and_depends_on_its_own_key():
    vault = Vault([NEW], "index")

    assert vault.index("a") == vault.index("a") != vault.index("b")
    assert vault.index("a") != Vault([NEW], "another").index("a")
    assert BUYER.cert_id not in vault.index(BUYER.cert_id)
