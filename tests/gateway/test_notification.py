"""A notification is believed only if complete: signed by the gateway, and nothing but what section 10 describes."""

import base64
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import rsa
from hypothesis import given
from hypothesis import strategies as st

from customs.gateway import (
    ForgedNotification,
    MalformedNotification,
    Misuse,
    RefusedNotification,
    Signer,
    Verifier,
    notification_text,
    read_notification,
)

from .golden import NOTIFICATION_10_2

KEYS = Path(__file__).parent / "keys"
SIGNER = Signer((KEYS / "pkcs1.pem").read_bytes())
VERIFIER = Verifier((KEYS / "public_spki.pem").read_bytes())
TIMESTAMP = "1498138187"
CONTENT = NOTIFICATION_10_2 | {"no": "P1", "agent_order_id": "A1"}
SIGNATURE = SIGNER.sign(notification_text(CONTENT, TIMESTAMP))


def read(pairs, timestamp=TIMESTAMP, signature=None):
    """Signed as the gateway would sign it, unless a signature is given."""
    signature = signature or SIGNER.sign(notification_text(dict(pairs), timestamp))
    return read_notification(pairs, timestamp, signature, VERIFIER)


def changed(**changes):
    return [(name, value) for name, value in (CONTENT | changes).items() if value is not None]


def test_the_documents_notification_is_read():
    parsed = read(list(NOTIFICATION_10_2.items()), timestamp="1498138187.25")

    assert (parsed.payment_no, parsed.our_no, parsed.status) == ("xxxx", "xxxx", "PAID")
    assert (parsed.currency, parsed.amount, parsed.pay_amount) == ("HKD", Decimal(1), Decimal("0.87"))
    assert parsed.exchange_rate == Decimal("0.8777")
    assert parsed.trade_time == datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC)
    assert parsed.personal == {"openid": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4"}
    assert "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4" not in repr(parsed)


def test_the_order_of_the_fields_does_not_matter():
    assert read(list(reversed(CONTENT.items())), signature=SIGNATURE).payment_no == "P1"


def test_alipays_names_are_read_too():
    parsed = read([("payment_no", "P1"), ("out_order_no", "A1"), ("status", "PAID"), ("buyer_email", "a@b.c")])

    assert (parsed.payment_no, parsed.our_no, parsed.amount, parsed.trade_time) == ("P1", "A1", None, None)
    assert parsed.personal == {"buyer_email": "a@b.c"}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.sampled_from(sorted(CONTENT)), TEXT)
def test_any_other_value_is_refused(name, value):
    if value != CONTENT[name]:
        with pytest.raises(ForgedNotification):
            read(changed(**{name: value}), signature=SIGNATURE)


@given(st.sampled_from(sorted(CONTENT)), TEXT)
def test_any_other_name_is_refused(name, other):
    if other not in CONTENT:
        pairs = [(other if one == name else one, value) for one, value in CONTENT.items()]
        with pytest.raises(ForgedNotification):
            read(pairs, signature=SIGNATURE)


@given(st.sampled_from(sorted(CONTENT)))
def test_any_name_that_is_left_out_is_missed(name):
    with pytest.raises(ForgedNotification):
        read(changed(**{name: None}), signature=SIGNATURE)


@given(TEXT, TEXT)
def test_any_name_that_is_added_is_refused(name, value):
    with pytest.raises(RefusedNotification):
        read([*CONTENT.items(), (name, value)], signature=SIGNATURE)


@given(TEXT)
def test_any_other_timestamp_is_refused(timestamp):
    if timestamp != TIMESTAMP:
        with pytest.raises(ForgedNotification):
            read(list(CONTENT.items()), timestamp, SIGNATURE)


@given(st.integers(0, len(SIGNATURE) - 1), st.characters())
def test_any_other_letter_of_the_signature_is_refused(place, letter):
    other = SIGNATURE[:place] + letter + SIGNATURE[place + 1 :]

    if other != SIGNATURE:
        with pytest.raises(ForgedNotification):
            read(list(CONTENT.items()), signature=other)


@pytest.mark.parametrize("other", ["", SIGNATURE + "\n", " " + SIGNATURE, SIGNATURE.rstrip("="), SIGNATURE + "=="])
def test_a_signature_in_another_dress_is_refused(other):
    with pytest.raises(ForgedNotification):
        read_notification(list(CONTENT.items()), TIMESTAMP, other, VERIFIER)


def test_nothing_signed_by_another_key_is_believed():
    stranger = rsa.newkeys(1024)[1]
    signature = base64.b64encode(rsa.sign(notification_text(CONTENT, TIMESTAMP), stranger, "SHA-256")).decode()

    with pytest.raises(ForgedNotification):
        read(list(CONTENT.items()), signature=signature)


# What the gateway's key may have signed and is still not what section 10 describes.
MALFORMED = {
    "a name twice": [*CONTENT.items(), ("amount", "1")],
    "the number twice": [("no", "P2"), *CONTENT.items()],
    "a name the document does not list": [*CONTENT.items(), ("discount", "1")],
    "an empty name": [*CONTENT.items(), ("", "1")],
    "a separator in a value": changed(agent_order_id="A1&amount=100000"),
    "an equals sign in a value": changed(openid="a=b"),
    "another status": changed(status="INIT"),
    "a status in small letters": changed(status="paid"),
    "no status": changed(status=None),
    "no number": changed(no=None),
    "an empty number": changed(no=" "),
    "two numbers of the payment": [*CONTENT.items(), ("payment_no", "P2")],
    "two numbers of ours": [*CONTENT.items(), ("out_order_no", "A2")],
    "no amount": changed(amount="1,000.00"),
    "an amount below zero": changed(amount="-1"),
    "full-width digits": changed(pay_amount="１"),
    "no rate": changed(exchange_rate="NaN"),
    "no time": changed(trade_time="yesterday"),
    "no text": changed(trade_type="\ud800"),
}


@pytest.mark.parametrize("pairs", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_signed_and_not_as_described_is_refused(pairs):
    try:
        signature = SIGNER.sign(notification_text(dict(pairs), TIMESTAMP))
    except UnicodeEncodeError:
        signature = SIGNATURE

    with pytest.raises(MalformedNotification) as caught:
        read_notification(pairs, TIMESTAMP, signature, VERIFIER)

    assert not [value for _, value in pairs if len(value) > 2 and value in str(caught.value)]


@pytest.mark.parametrize("name", ["b", "buyer_id"])
def test_a_value_cannot_be_divided_between_fields(name):
    """The same text and the same signature, whether it is one value or an amount of its own and a rest."""
    signed = changed(agent_order_id=f"X1&amount=100000&{name}=")
    signature = SIGNER.sign(notification_text(dict(signed), TIMESTAMP))
    divided = [*changed(agent_order_id="X1", amount="100000"), (name, "&amount=1")]

    assert notification_text(dict(divided), TIMESTAMP) == notification_text(dict(signed), TIMESTAMP)
    for pairs in (signed, divided):
        with pytest.raises(MalformedNotification):
            read_notification(pairs, TIMESTAMP, signature, VERIFIER)


def test_a_value_cannot_be_divided_between_the_last_field_and_the_timestamp():
    signed = changed(trade_type="JSAPI,1")
    signature = SIGNER.sign(notification_text(dict(signed), TIMESTAMP))

    with pytest.raises(MalformedNotification):
        read_notification(changed(trade_type="JSAPI"), f"1,{TIMESTAMP}", signature, VERIFIER)


def test_a_refused_notification_is_no_failed_call():
    assert not issubclass(RefusedNotification, Misuse)
    assert issubclass(RefusedNotification, ValueError)
