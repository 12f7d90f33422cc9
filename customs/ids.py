"""Opaque ids: a prefix that says what it is, 48 bits of this host's milliseconds, 80 that nobody can guess.

The milliseconds keep neighbours together in an index. They order nothing: a host's clock may be wrong.
"""

import secrets
import threading
import time

RANDOM_BITS = 80
DIGITS = 32

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """A fresh id such as `decl_019ab1c2f3d45e6f708192a3b4c5d6e7`; later ids of one process are greater."""
    return f"{prefix}_{_next():0{DIGITS}x}"


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
