"""Makes a failing plan small: leaves out whatever it fails without."""

from collections.abc import Callable
from dataclasses import replace

from tests.simulation.plan import Plan
from tests.simulation.running import Story


def smallest(story: Story, play: Callable[[Plan], Story]) -> Story:
    """The same failure with as few steps and faults as possible."""
    kind = _kind(story)
    shrinks = True
    while shrinks:
        shrinks = False
        for names in _candidates(story):
            tried = play(replace(story.plan, left_out=story.plan.left_out | names))
            if kind & _kind(tried):
                story, shrinks = tried, True
    return story


def _kind(story: Story) -> set[str]:
    """What is wrong, without numbers and times."""
    return {" ".join(word for word in wrong.split() if word.isalpha()) for wrong in story.wrongs}


def _candidates(story: Story) -> list[frozenset[str]]:
    steps = [step.name for step in story.plan.kept]
    halves = [steps[: len(steps) // 2], steps[len(steps) // 2 :]]
    faults = _faults(story)
    singles = [[name] for name in (*steps, *faults)]
    return [frozenset(names) for names in (*halves, faults, *singles) if names]


def _faults(story: Story) -> list[str]:
    """The calls and ends of this run whose scenario was no good one."""
    found = []
    for line in story.trace:
        words = line.split("asks ")[-1].split(" (")
        if "asks " in line and len(words) == 2:
            found.append(words[0])
    return found
