"""`python -m tests.simulation 1-200`: play these seeds, make failing ones small; of a single seed, print the story."""

import argparse
import sys

from tests.simulation.plan import draw
from tests.simulation.running import Story
from tests.simulation.shrinking import smallest
from tests.simulation.stage import stage


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="?", default="1-100", help="such as 1-100, or one")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--whole", action="store_true", help="do not make a failing plan smaller")
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    failed = 0
    with stage(asked.database) as play:
        for seed in range(int(first), int(last or first) + 1):
            story = play(draw(seed))
            if story.wrongs and not asked.whole:
                story = smallest(story, play)
            failed += bool(story.wrongs)
            print(narrated(story) if story.wrongs or not last else summary(story), flush=True)
    print(f"{failed} seeds failed")
    return 1 if failed else 0


def narrated(story: Story) -> str:
    """The whole story, for whoever has to understand it."""
    return "\n".join([*story.trace, summary(story), *(f"  {wrong}" for wrong in story.wrongs)])


def summary(story: Story) -> str:
    hours = story.ended_at / 3600
    return f"seed {story.plan.seed}: {len(story.trace)} lines, {hours:.1f} hours, {len(story.wrongs)} wrong"


if __name__ == "__main__":
    sys.exit(main())
