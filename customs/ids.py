"""Opaque ids that sort by time: a prefix that says what it is, 48 bits of milliseconds, 80 that nobody can guess."""

import secrets
import threading
import time
from datetime import datetime

RANDOM_BITS = 80
DIGITS = 32

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """A fresh id such as `decl_019ab1c2f3d45e6f708192a3b4c5d6e7`; later ids of one process are greater."""
    return f"{prefix}_{_next():0{DIGITS}x}"


def lowest_id(prefix: str, moment: datetime) -> str:
    """No id made at this time or later is less. A host's clock made it: it may be ahead of or behind another's."""
    milliseconds = max(int(moment.timestamp() * 1000), 0)
    return f"{prefix}_{milliseconds << RANDOM_BITS:0{DIGITS}x}"


def _next() -> int:
    global _last
    with _lock:
        moment = time.time_ns() // 1_000_000
        if moment > _last >> RANDOM_BITS:
            _last = moment << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
        else:
            # Within one millisecond the order of making must still be the order of the ids.
            _last += 1 + secrets.randbits(16)
        return _last
