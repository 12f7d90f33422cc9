"""Mask names, ID and phone numbers and raw replies for logs, timelines and pages; time grows with the length alone."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from customs.errors import ErrorDetail, ValidationFailed
from customs.gateway.declaration_request import Buyer

# The first four characters say the province, the last four are what a clerk compares on the phone.
CERT_ID_SHOWN = 4
LONGEST_REPLY_KEPT = 16_384
ANY_CERT_ID = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")

MONTH_AND_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9\d)"
# 18 characters as since 1999, or 15 digits as before.
NEEDS_LETTER = re.compile(rf"{PROVINCE}\d{{4}}(?:19|20)\d\d{MONTH_AND_DAY}\d{{3}}")
CERT_ID = re.compile(rf"{NEEDS_LETTER.pattern}\d|{PROVINCE}\d{{4}}\d\d{MONTH_AND_DAY}\d{{3}}")
# A mobile number with or without the country, or one with an area code.
PHONE = re.compile(r"(?:0?0?86|0)?1[3-9]\d{9}|0(?:10|2\d|[3-9]\d\d)\d{7,8}")
LONGEST_PERSONAL_NUMBER = 18
# Ids and digests of ours, which may hold any digits by chance; else a run of digits.
OPAQUE_ID = r"(?<![0-9A-Za-z])(?:[a-z]{2,12}_)?(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9A-Za-z])"
DIGITS = re.compile(rf"{OPAQUE_ID}|(\d+)")
# What may stand between groups of one number. Amounts have dots too: groups are parted by dots alone or by none.
WITHIN_GROUPS = (re.compile(r"[^\w.,;:!?&=<>*#%@$|\"'{}\[\]]{0,3}|_"), re.compile(r"\."))
CHECK_LETTER = re.compile(r"[Xx\uff38\uff58\u00d7\u2169\u2179]")
PHONE_SHOWN = 3


def mask_name(name: str) -> str:
    """Mask a name: `李雷` becomes `李*`."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def mask_cert_id(cert_id: str) -> str:
    """Mask an ID number: `11010519491231002X` becomes `1101**********002X`."""
    hidden = max(len(cert_id) - 2 * CERT_ID_SHOWN, 4)
    return cert_id[:CERT_ID_SHOWN] + "*" * hidden + cert_id[-CERT_ID_SHOWN:]


def mask_phone(phone: str) -> str:
    """Mask a phone number: `13800138000` becomes `138****8000`."""
    return phone[:PHONE_SHOWN] + "*" * (len(phone) - PHONE_SHOWN - CERT_ID_SHOWN) + phone[-CERT_ID_SHOWN:]


def mask_free_text(text: str) -> str:
    """Mask ID and phone numbers in what a person wrote, in every spelling.

    Digits of any script count, in groups of any size with blanks or dashes between them, glued to letters or words.
    """
    for within in WITHIN_GROUPS:
        parts, end = [], 0
        for start, stop, masked in _personal_numbers(text, within):
            parts += [text[end:start], masked]
            end = stop
        text = "".join([*parts, text[end:]])
    return mask_text(text, None)


def refuse_personal_number(text: str, pointer: str, *, phones: bool = True) -> None:
    """Refuse an ID or phone number in a text that has to stay as it is, in whatever spelling.

    `phones`: False where numbers of orders are likely, of which some look like phone numbers. Raises ValidationFailed.
    """
    found = (masked for within in WITHIN_GROUPS for _, _, masked in _personal_numbers(text, within))
    # Of a phone number fewer digits are shown.
    if any(phones or masked[PHONE_SHOWN] != "*" for masked in found):
        detail = "this holds what looks like an ID or phone number"
        raise ValidationFailed(detail, errors=[ErrorDetail(pointer, "personal_number", detail)])


def _personal_numbers(text: str, within: re.Pattern[str]) -> Iterator[tuple[int, int, str]]:
    """Find where a text holds personal numbers, and what stands there once they are masked."""
    groups = [found.span() for found in DIGITS.finditer(text) if found[1]]
    first = 0
    while first < len(groups):
        found = _longest_number(text, groups, first, within)
        if found is None:
            first += 1
        else:
            stop, masked, first_after = found
            yield groups[first][0], stop, masked
            first = first_after


def _longest_number(
    text: str, groups: Sequence[tuple[int, int]], first: int, within: re.Pattern[str]
) -> tuple[int, str, int] | None:
    """Return the end, the mask and the next group of the longest personal number that begins with a group."""
    digits, end = "", groups[first][0]
    longest: tuple[int, str, int] | None = None
    # A number has at most as many groups as digits: no text takes more than that for each group.
    for position in range(first, min(first + LONGEST_PERSONAL_NUMBER, len(groups))):
        start, stop = groups[position]
        if position > first and not within.fullmatch(text, end, start):
            break
        if len(digits) + stop - start > LONGEST_PERSONAL_NUMBER:
            break
        digits += "".join(str(unicodedata.decimal(character)) for character in text[start:stop])
        end = stop
        letter_at = _end_of_separator(text, end, within)
        if CHECK_LETTER.match(text, letter_at) and NEEDS_LETTER.fullmatch(digits):
            return letter_at + 1, mask_cert_id(digits + "X"), position + 1
        if CERT_ID.fullmatch(digits):
            longest = (end, mask_cert_id(digits), position + 1)
        elif PHONE.fullmatch(digits):
            longest = (end, mask_phone(digits), position + 1)
    return longest


def _end_of_separator(text: str, end: int, within: re.Pattern[str]) -> int:
    found = within.match(text, end)
    return found.end() if found else end


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
        # From the first of a row of backslashes: from each of them would be quadratic.
        escaped = "".join(rf"(?<!\\)\\+u(?i:{unit})" for unit in units)
        spellings.append(f"(?:{re.escape(character)}|{escaped})")
    return "".join(spellings)


def mask_reply(reply: str, buyer: Buyer | None) -> str:
    """Mask a reply for the timeline, and cut it to a limit."""
    # Masked before it is cut: half an ID number would no longer look like one.
    return mask_text(reply[: 2 * LONGEST_REPLY_KEPT].replace("\x00", "�"), buyer)[:LONGEST_REPLY_KEPT]
