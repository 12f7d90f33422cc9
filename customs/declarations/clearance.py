"""How long declarations take to be SUCCESS, kept as counts by length: no page has to look at them one by one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

# Six bounds to a doubling, from a second to twelve days: what is read between two of them is within some percent.
STEPS_A_DOUBLING = 6
STEPS = 120


@dataclass(frozen=True)
class Durations:
    """How long `count` declarations took: half of them at most `median`, nine of ten at most `ninetieth`."""

    count: int
    median: timedelta
    ninetieth: timedelta


def bucket_of(passed: timedelta) -> str:
    """The bucket of a length by its upper bound in seconds; the last one takes all that is longer."""
    seconds = max(passed.total_seconds(), 1.0)
    return _word(min(math.ceil(STEPS_A_DOUBLING * math.log2(seconds)), STEPS))


def _word(step: int) -> str:
    return f"{2 ** (step / STEPS_A_DOUBLING):.4g}"


STEP_OF = {_word(step): step for step in range(STEPS + 1)}


def durations(counts: Mapping[str, int]) -> Durations:
    """What counts by bucket say; at least one is above zero."""
    steps = sorted((STEP_OF[word], count) for word, count in counts.items() if count > 0)
    total = sum(count for _, count in steps)
    return Durations(total, _quantile(steps, 0.5 * total), _quantile(steps, 0.9 * total))


def _quantile(steps: list[tuple[int, int]], rank: float) -> timedelta:
    """The length of the `rank`th, as if those of one bucket were spread evenly over its ratio."""
    passed = 0
    for step, count in steps:
        if passed + count >= rank:
            within = (rank - passed) / count
            return timedelta(seconds=2 ** ((step - 1 + within) / STEPS_A_DOUBLING))
        passed += count
    raise ValueError("there is no such rank")
