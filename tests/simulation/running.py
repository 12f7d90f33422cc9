"""One seed from its first order to the rest after its last fault, on one database."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, func, select, union_all

from customs.container import Services
from customs.declarations.models import Push
from customs.gateway import Signer, Verifier
from customs.jobs.leases import Due
from customs.payments.models import Payment, Refund
from tests.simulation.checker import wrongs
from tests.simulation.database_faults import DatabaseFaults
from tests.simulation.gateway import BEGINNING, GatewayModel
from tests.simulation.people import People
from tests.simulation.plan import FAULTS_END, THE_END, WORKERS, Plan, Step
from tests.simulation.scheduler import Scheduler
from tests.simulation.trace import Trace
from tests.simulation.worker import Ambush, Worker, World

LOOK_EVERY = 3600.0
# What each kind of work looks for.
KINDS: dict[str, tuple[type[Due], ...]] = {"pushes": (Push,), "tasks": (Payment, Refund)}


def _later(row: type[Due], dialect: str) -> Any:
    """When one row may be claimed. SQLite's greatest of two is called max, and is nothing where one is nothing."""
    greatest = func.max if dialect == "sqlite" else func.greatest
    return greatest(row.due_at, func.coalesce(row.lease_until, row.due_at), type_=Push.due_at.type)


NEXT_DUE = {
    (dialect, kind): union_all(*(select(_later(row, dialect)).where(row.due_at.is_not(None)) for row in rows))
    for dialect in ("sqlite", "postgresql")
    for kind, rows in KINDS.items()
}


@dataclass(frozen=True)
class Story:
    """What became of a plan: what is wrong, if anything, and the trace."""

    plan: Plan
    wrongs: tuple[str, ...]
    trace: tuple[str, ...]
    ended_at: float


def run(plan: Plan, services: Services, watching: Engine, signer: Signer, verifier: Verifier) -> Story:
    """Run a plan on the empty database of these services, which `watching` sees without faults."""
    random.seed(plan.seed)
    trace = Trace()
    scheduler = Scheduler(plan.chance("turns"))
    trace.now = lambda: scheduler.now
    model = GatewayModel(plan, scheduler, trace, verifier)
    people = People(plan, scheduler, trace, services)
    faults = DatabaseFaults(services.engine)
    model.open_transactions = faults.open = set()
    services.engine.update_execution_options(now=lambda: BEGINNING + timedelta(seconds=scheduler.now))
    faults.attach(scheduler, trace)
    try:
        world = World(
            scheduler,
            trace,
            model,
            services,
            signer,
            lambda kind: _next_due(watching, kind),
            plan.chance("looks"),
        )
        people.ring = world.ring
        workers = {f"worker{number}": Worker(f"worker{number}", world) for number in range(WORKERS)}
        for worker in workers.values():
            worker.start()
        scheduler.spawn("resuming", people.owner, people.resume_lanes)
        for step in plan.kept:
            scheduler.at(step.at, lambda step=step: _begin(step, plan, world, people, faults, workers))
        while scheduler.now < THE_END:
            scheduler.run(scheduler.now + LOOK_EVERY)
            if scheduler.now > FAULTS_END and all(_next_due(watching, kind) == float("inf") for kind in KINDS):
                break
        for worker in workers.values():
            scheduler.kill(worker)
        scheduler.kill(people.owner)
    finally:
        faults.detach()
    found = (*model.wrongs, *wrongs(services, model, people))
    return Story(plan, found, tuple(trace.lines), scheduler.now)


def _begin(
    step: Step, plan: Plan, world: World, people: People, faults: DatabaseFaults, workers: dict[str, Worker]
) -> None:
    now, seconds = world.scheduler.now, step.with_.get("seconds")
    if step.kind in ("kill", "freeze", "suspend"):
        workers[step.what].beset(Ambush(step.with_["point"], seconds, step.kind == "suspend"))
    elif step.kind == "database away":
        world.trace.add("database", f"is away for {seconds} s")
        faults.away_until = now + seconds
    elif step.kind == "gateway away":
        world.trace.add("gateway", f"is away for {seconds} s")
        world.model.away_until = now + seconds
    elif step.kind == "commit lost":
        faults.losing[step.what] += 1
    elif step.kind == "commit failed":
        faults.failing[step.what] += 1
    else:
        number = int(step.what[1:])
        work = (
            (lambda: people.hand_in(plan.orders[number - 1]))
            if step.kind == "intake"
            else (lambda: people.decide(number, step.with_["act"], step.with_["value"]))
        )
        world.scheduler.spawn("people", people.owner, work)


def _next_due(watching: Engine, kind: str) -> float:
    """When the next of these may be claimed, in virtual seconds: what the clock process looks for."""
    with watching.connect() as db:
        moments = db.scalars(NEXT_DUE[watching.dialect.name, kind]).all()
    return min(((moment - BEGINNING).total_seconds() for moment in moments), default=float("inf"))
