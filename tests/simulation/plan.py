"""What a seed means: the orders, the faults, the deeds of people, each with its time, each to be left out alone."""

import random
from dataclasses import dataclass, field
from typing import Any

HOURS = 3600.0
GRACE_SECONDS = 240.0
LEASE_SECONDS = 60.0
TIMEOUT_SECONDS = 15.0
WORKERS = 3
# From here on no new fault begins and nobody decides anything: what is left has to come to its end.
FAULTS_END = 5 * HOURS
THE_END = 34 * HOURS

OFFICES = {
    "wechatpay": ("HANGZHOU", "NINGBO", "GUANGZHOU_HUANGPU", "SHENZHEN"),
    "alipay": ("HANGZHOU", "SHENZHEN", "ZHENGZHOU_AIRPORT", "GUANGZHOU"),
}
POINTS = (
    "claim_before_commit",
    "claim_after_commit",
    "record_before_commit",
    "mark_before_commit",
    "exchange_after_commit",
    "call_before_send",
    "call_after_reply",
    "task_claim_before_commit",
    "task_record_before_commit",
    "task_exchange_after_commit",
    "task_call_before_send",
    "task_call_after_reply",
)
# A frozen process holds no transaction on a database with one writer, nor may it be frozen after its last look.
FREEZING_POINTS = (
    "claim_after_commit",
    "exchange_after_commit",
    "task_exchange_after_commit",
    "call_after_reply",
    "anywhere",
)
ACTS = ("modify", "modify", "modify", "redeclare", "redeclare", "override", "cancel", "dismiss")

# How a call that changes something may end, and how often.
OUTCOMES_OF_SENDS = {
    "good": 60,
    "reply lost": 6,
    "late": 7,
    "never arrived": 5,
    "reset": 4,
    "not sent": 3,
    "busy": 2,
    "500 before": 3,
    "500 after": 3,
    "truncated": 2,
    "html": 2,
    "refused": 5,
    "refused by WeChat": 3,
    "unsigned": 1,
    "another's": 2,
}
OUTCOMES_OF_QUERIES = {
    "good": 75,
    "stale": 10,
    "never arrived": 4,
    "500 before": 2,
    "busy": 1,
    "not sent": 2,
    "another's": 3,
    "truncated": 2,
}
# How an epoch ends, and how often; "never" is asked for until the desk gives it to a reviewer.
ENDS = {"SUCCESS": 70, "FAIL": 14, "EXCEPT": 10, "never": 2}
# How a record's modify_time behaves.
STAMPS = {"honest": 75, "frozen": 10, "restless": 15}


@dataclass(frozen=True)
class Order:
    """One declaration that somebody hands in."""

    number: int
    channel: str
    office: str
    parts: int
    with_buyer: bool
    paid_here: bool


@dataclass(frozen=True)
class Step:
    """One thing that happens at a time: its kind, whom it meets, and with what."""

    at: float
    kind: str
    what: str
    with_: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        reported = " ".join(f"{name}={value}" for name, value in self.with_.items())
        return f"{self.at:.1f} {self.kind} {self.what} {reported}".strip()


@dataclass(frozen=True)
class Plan:
    """A seed, its steps, and the names of what was left out."""

    seed: int
    orders: tuple[Order, ...]
    steps: tuple[Step, ...]
    left_out: frozenset[str] = frozenset()

    def chance(self, *of: object) -> random.Random:
        """Chance that depends on the seed and on what is asked, and on nothing that was left out."""
        return random.Random("|".join(map(str, (self.seed, *of))))

    def scenario(self, name: str, scenarios: dict[str, int]) -> str:
        """The scenario of one call; the first of them when its name was left out."""
        if name in self.left_out:
            return next(iter(scenarios))
        return self.chance(name).choices(list(scenarios), list(scenarios.values()))[0]

    @property
    def stale_seconds(self) -> float:
        """How far the gateway's copies lag; a late effect and a stale copy together stay within the grace."""
        return self.chance("stale").choice((0.0, 0.4 * GRACE_SECONDS))

    @property
    def late_seconds(self) -> float:
        return 0.97 * GRACE_SECONDS - self.stale_seconds

    @property
    def kept(self) -> list[Step]:
        return [step for step in self.steps if step.name not in self.left_out]


def draw(seed: int) -> Plan:
    """The plan of a seed."""
    rng = random.Random(f"plan {seed}")
    orders = tuple(_order(rng, number) for number in range(1, rng.randint(2, 6) + 1))
    steps = [Step(round(rng.uniform(0, 600), 1), "intake", f"O{order.number}") for order in orders]
    for order in orders:
        if order.paid_here:
            steps += [
                Step(_moment(rng), "act", f"O{order.number}", {"act": "refund", "value": rng.randint(1, 99)})
            ] * rng.randint(0, 2)
    for order in orders:
        for _ in range(rng.randint(0, 5)):
            action = {"act": rng.choice(ACTS), "value": rng.randint(1, 99)}
            steps.append(Step(_moment(rng), "act", f"O{order.number}", action))
    for _ in range(rng.randint(0, 8)):
        steps.append(Step(_moment(rng), "kill", _worker(rng), {"point": rng.choice((*POINTS, "anywhere"))}))
    for _ in range(rng.randint(0, 5)):
        freeze = {"point": rng.choice(FREEZING_POINTS), "seconds": round(rng.choice((20, 50, 70, 200)) * rng.random())}
        steps.append(Step(_moment(rng), rng.choice(("freeze", "suspend")), _worker(rng), freeze))
    for _ in range(rng.randint(0, 4)):
        kind = rng.choice(("commit lost", "commit lost", "commit failed"))
        steps.append(Step(_moment(rng), kind, rng.choice((_worker(rng), "people"))))
    for kind in ("database away", "gateway away"):
        for _ in range(rng.choice((0, 0, 1, 2))):
            steps.append(Step(_moment(rng), kind, "all", {"seconds": rng.choice((2, 30, 90, 600))}))
    return Plan(seed, orders, tuple(sorted(steps, key=lambda step: step.at)))


def _order(rng: random.Random, number: int) -> Order:
    channel = rng.choice(tuple(OFFICES))
    office, parts = rng.choice(OFFICES[channel]), rng.choice((0, 0, 0, 1, 2))
    paid_here = channel == "wechatpay" and rng.random() < 0.4
    return Order(number, channel, office, parts, rng.random() < 0.4, paid_here)


def _moment(rng: random.Random) -> float:
    # Most of it early, where the first calls are.
    return round(rng.choice((600, 3600, FAULTS_END)) * rng.random(), 1)


def _worker(rng: random.Random) -> str:
    return f"worker{rng.randrange(WORKERS)}"
