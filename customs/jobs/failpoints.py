"""Named points at which tests end the process: CUSTOMS_FAILPOINT=name:k dies at the k-th passage, as by kill -9."""

import os

EXIT_CODE = 137


class Failpoints:
    """Counts how often each point was reached; without a plan it does nothing."""

    VARIABLE = "CUSTOMS_FAILPOINT"
    # As 0.1 called it.
    EARLIER_VARIABLE = "CRASH_AT"

    def __init__(self, plan: str = "") -> None:
        name, _, times = plan.partition(":")
        self._name = name
        self._left = int(times or 1)

    def hit(self, name: str) -> None:
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os._exit(EXIT_CODE)
