"""Measure two sides in turn over several rounds; the median of the pairs counts."""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 4


@dataclass(frozen=True)
class Verdict:
    """One line of the table. `pairs`: the figures of subject and reference in each round, in `unit`."""

    goal: str
    wanted: float
    at_least: bool
    measured: float
    unit: str = ""
    pairs: list[tuple[float, float]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.measured >= self.wanted if self.at_least else self.measured <= self.wanted

    @property
    def shown(self) -> tuple[str, str, str, str]:
        wanted = f"{'>=' if self.at_least else '<='} {self.wanted:g}"
        return self.goal, wanted, f"{self.measured:.2f}", "holds" if self.holds else "FALLS SHORT"


def compare(
    goal: str, wanted: float, subject: Callable[[], float], reference: Callable[[], float], *, at_least: bool, unit: str
) -> Verdict:
    """Return the median of subject / reference over the rounds; the order of the two alternates."""
    pairs: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        sides = [subject, reference]
        figures = {side: side() for side in (sides if number % 2 else sides[::-1])}
        pairs.append((round(figures[subject], 3), round(figures[reference], 3)))
    verdict = Verdict(goal, wanted, at_least, statistics.median(our / their for our, their in pairs), unit, pairs)
    rounds = ", ".join(f"{our:.2f}/{their:.2f}" for our, their in pairs)
    print(f"{goal}: {verdict.measured:.2f} ({rounds} {unit})", file=sys.stderr, flush=True)
    return verdict


def seconds_of(operation: Callable[[], object]) -> float:
    """Return the wall-clock seconds that an operation takes."""
    began = time.perf_counter()
    operation()
    return time.perf_counter() - began


def peak_megabytes(pid: int) -> float:
    """Return the peak of resident memory of a process or one of its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    statuses = [Path(f"/proc/{one}/status").read_text() for one in (pid, *children)]
    lines = [line for status in statuses for line in status.splitlines() if line.startswith("VmHWM:")]
    return max(int(line.split()[1]) for line in lines) / 1024
