"""Mask names, ID numbers and raw replies for logs, timelines and pages."""

import re
from collections.abc import Mapping

from customs.gateway.declaration_request import Buyer

# The first four characters say the province, the last four are what a clerk compares on the phone.
CERT_ID_SHOWN = 4
LONGEST_REPLY_KEPT = 16_384
ANY_CERT_ID = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")


def mask_name(name: str) -> str:
    """Mask a name: `李雷` becomes `李*`."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def mask_cert_id(cert_id: str) -> str:
    """Mask an ID number: `11010519491231002X` becomes `1101**********002X`."""
    hidden = max(len(cert_id) - 2 * CERT_ID_SHOWN, 4)
    return cert_id[:CERT_ID_SHOWN] + "*" * hidden + cert_id[-CERT_ID_SHOWN:]


def mask_buyer(buyer: Buyer | None) -> dict[str, str] | None:
    if buyer is None:
        return None
    return {"name": mask_name(buyer.name), "cert_id": mask_cert_id(buyer.cert_id)}


def mask_params(params: Mapping[str, str]) -> dict[str, str]:
    """Mask sent parameters for the timeline."""
    masks = {"name": mask_name, "cert_id": mask_cert_id}
    return {key: masks[key](value) if key in masks else value for key, value in params.items()}


def mask_text(text: str, buyer: Buyer | None) -> str:
    """Mask the buyer wherever a text of the gateway echoes them, and anything shaped like an ID number."""
    if buyer is not None:
        for value, masked in ((buyer.cert_id, mask_cert_id(buyer.cert_id)), (buyer.name, mask_name(buyer.name))):
            text = text.replace(value, masked)
            if "\\u" in text:
                text = re.sub(_escaped(value), lambda _, masked=masked: masked, text)  # type: ignore[misc]
    return ANY_CERT_ID.sub(lambda found: mask_cert_id(found.group()), text)


def _escaped(value: str) -> str:
    """Return a pattern for a value whose characters may be escaped as \\uXXXX, in either case and repeatedly."""
    spellings = []
    for character in value:
        units = character.encode("utf-16-be", "surrogatepass").hex(" ", 2).split()
        escaped = "".join(rf"\\+u(?i:{unit})" for unit in units)
        spellings.append(f"(?:{re.escape(character)}|{escaped})")
    return "".join(spellings)


def mask_reply(reply: str, buyer: Buyer | None) -> str:
    """Mask a reply for the timeline, and cut it to a limit."""
    # Masked before it is cut: half an ID number would no longer look like one.
    return mask_text(reply[: 2 * LONGEST_REPLY_KEPT].replace("\x00", "�"), buyer)[:LONGEST_REPLY_KEPT]
