"""Passwords: hashed with Argon2id, verified in the same time for anybody, generated; the first guesses are refused."""

import re
import secrets
import unicodedata

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from customs.errors import ErrorDetail, ValidationFailed

SHORTEST, LONGEST = 10, 200
# Without letters and digits that look alike: a password made here may be read out.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 4, 4
# The first that anybody tries, of those that are long enough to be taken at all.
COMMON = frozenset(
    {
        *("0123456789", "1234567890", "0987654321", "9876543210", "12345678910", "123456789a", "1234567890a"),
        *("0000000000", "1111111111", "8888888888", "6666666666", "1122334455", "1231231231", "5201314520"),
        *("qwertyuiop", "asdfghjkl;", "qwerty1234", "qwerty12345", "qwerty123456", "1q2w3e4r5t", "1qaz2wsx3edc"),
        *("abcdefghij", "abcd123456", "abc1234567", "aa12345678", "a123456789", "a1234567890", "aaaaaaaaaa"),
        *("password12", "password123", "password1234", "passw0rd123", "passwordpassword", "p@ssw0rd123"),
        *("administrator", "admin12345", "admin123456", "welcome123", "changeme123", "iloveyou123", "letmein123"),
        *("woaini1314", "woaini5200", "woaini5201314", "woaini123456", "customs123", "customsdesk", "wisecashier"),
    }
)
# The 30,000 that were found most often where passwords were stolen.
MOST_USED = frozenset(FREQUENCY_LISTS["passwords"])
# Words that somebody who knows this desk tries first.
TRADE = re.compile(
    "(?:customs?|declarations?|desk|wisecashier|cashier|wise|alipay|wechat|weixin|zhifubao|warehouse|bonded|haiguan"
    "|baoguan|shenbao|admin|password|pass|clerk|reviewer|my|the)+"
)


class Passwords:
    """Hashes and verifies passwords. `cost`: of one hash; the default takes some 75 ms and 64 MiB."""

    def __init__(self, cost: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(cost)
        # What the password of nobody is held against, so that an unknown login takes as long as a wrong password.
        self._nobodys = self.hashed(secrets.token_urlsafe())

    def hashed(self, password: str) -> str:
        return self._hasher.hash(_normal(password))

    def fits(self, password: str, hashed: str | None) -> bool:
        """Whether this password has this hash; None, the hash of nobody, takes as long and never fits."""
        try:
            return self._hasher.verify(hashed or self._nobodys, _normal(password)) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made at another cost than the present one."""
        return self._hasher.check_needs_rehash(hashed)


def check_password(password: str, *, not_like: tuple[str, ...]) -> None:
    """Raise ValidationFailed unless the password may be taken.

    Long enough, none of `not_like`, not among the most common.
    """
    errors = []
    if not SHORTEST <= len(unicodedata.normalize("NFC", password)) <= LONGEST:
        detail = f"a password has {SHORTEST} to {LONGEST} characters"
        errors.append(ErrorDetail("/password", "password_length", detail))
    if password.casefold() in {word.casefold() for word in not_like}:
        errors.append(ErrorDetail("/password", "password_like_name", "the login or the name is no password"))
    if not errors and _is_common(password):
        errors.append(
            ErrorDetail("/password", "password_common", "this password is among the first that anybody tries")
        )
    if errors:
        raise ValidationFailed("this password cannot be taken", errors=errors)


def _is_common(password: str) -> bool:
    """Whether it is among the passwords that most people take, or only words of this trade, digits and signs beside."""
    folded = password.casefold()
    core = "".join(filter(str.isalpha, folded))
    return folded in COMMON or folded in MOST_USED or bool(core and TRADE.fullmatch(core))


def new_password() -> str:
    """Return a new password that can be read out: four groups of four, some 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def _normal(password: str) -> bytes:
    # The same characters come composed from one keyboard and decomposed from another.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
