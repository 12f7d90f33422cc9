"""One worker process: the real engine over the real desk, its crash points in the nemesis' hands."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from customs.container import Services
from customs.declarations.pushes.handler import PushHandler
from customs.gateway import Gateway, Signer, channels, wallets
from customs.jobs.dispatcher import Dispatcher
from customs.jobs.failpoints import Failpoints
from customs.payments.tasks.handler import PaymentTaskHandler
from customs.payments.tasks.payment_task import PaymentTask
from customs.payments.tasks.refund_task import RefundTask
from customs.timestamps import Clock
from tests.simulation.gateway import BEGINNING, GatewayModel, ModelAdapter
from tests.simulation.scheduler import Event, Owner, Scheduler, TaskExecutor
from tests.simulation.trace import Trace

THREADS = 3
DRAIN_SECONDS = 30.0
RESTART_SECONDS = 3.0
BLOCKED_SECONDS = 300.0
IDLE_SECONDS = 3600.0


class VirtualClock(Clock):
    """A machine's clock: monotonic seconds that stand still while the machine is suspended."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.lost = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self._scheduler.now - self.lost

    def wall(self) -> float:
        return BEGINNING.timestamp() + self._scheduler.now

    def event(self) -> Any:
        return Event(self._scheduler)


@dataclass
class Ambush:
    """What waits for a process at one of its points: its end, or `seconds` without a turn."""

    point: str
    seconds: float | None = None
    suspends: bool = False


@dataclass
class World:
    """What a worker finds around it."""

    scheduler: Scheduler
    trace: Trace
    model: GatewayModel
    services: Services
    signer: Signer
    next_due: Callable[[str], float]
    chance: random.Random
    bells: set[Event] = field(default_factory=set)

    def ring(self) -> None:
        """Wake whoever waits for work."""
        for bell in self.bells:
            bell.set()


class Worker(Owner, Failpoints):
    """A slot in which one process after the other works."""

    def __init__(self, name: str, world: World) -> None:
        Owner.__init__(self, name)
        Failpoints.__init__(self)
        self.ambushes: list[Ambush] = []
        self.incarnation = 0
        self._lives = False
        self._world = world
        self._clock = VirtualClock(world.scheduler)

    def start(self) -> None:
        self.incarnation += 1
        self.frozen_until = 0.0
        self._clock = VirtualClock(self._world.scheduler)
        self._lives = True
        # As the product's desks: each kind of work has an engine of its own.
        for kind, engine in (("pushes", self._declaring), ("tasks", self._paying)):
            self._world.scheduler.spawn(self.name, self, lambda kind=kind, engine=engine: self._live(kind, engine))

    def beset(self, ambush: Ambush) -> None:
        """Lay an ambush; one that waits nowhere in particular falls at once."""
        if ambush.point == "anywhere":
            self._fall_into(ambush)
        else:
            self.ambushes.append(ambush)

    def hit(self, name: str) -> None:
        """A crash point of the product."""
        for ambush in self.ambushes:
            if ambush.point == name:
                self.ambushes.remove(ambush)
                self._fall_into(ambush)
                break
        # Nobody else's turn comes within a transaction, nor between the last look at the lease and the send.
        if not name.endswith(("_before_commit", "_before_send")):
            self._world.scheduler.pause()

    def _fall_into(self, ambush: Ambush) -> None:
        world, now = self._world, self._world.scheduler.now
        if not self._lives:
            return
        if ambush.seconds is None:
            self._lives = False
            world.trace.add(self.name, f"is killed ({ambush.point})")
            world.scheduler.at(now + RESTART_SECONDS, self.start)
            world.scheduler.kill(self)
            return
        world.trace.add(self.name, f"stands still for {ambush.seconds} s ({ambush.point})")
        self.frozen_until = now + ambush.seconds
        if ambush.suspends:
            world.scheduler.at(self.frozen_until, lambda lost=ambush.seconds: self._wake(lost))

    def _wake(self, lost: float) -> None:
        self._clock.lost += lost

    def _live(self, kind: str, make_engine: Callable[[], Dispatcher[Any, Any]]) -> None:
        """As `python -m workers worker` does without Redis: drain, and again after a while."""
        world, bell = self._world, Event(self._world.scheduler)
        engine: Dispatcher[Any, Any] | None = None
        world.bells.add(bell)
        try:
            while True:
                try:
                    engine = engine or make_engine()
                    engine.drain(DRAIN_SECONDS)
                except SQLAlchemyError:
                    world.scheduler.pause(1.0)
                due_in = world.next_due(kind) - world.scheduler.now
                # Often two come for the same work, and often one has done it before the others look.
                later = world.chance.choice((0.5, 0.5, 30.0))
                # What is due and was not taken has to wait for something else, a refund for a declaration, say.
                world.scheduler.pause(min(due_in if due_in > 0 else BLOCKED_SECONDS, IDLE_SECONDS) + later, bell)
                bell.clear()
        finally:
            world.bells.discard(bell)

    def _declaring(self) -> Dispatcher[Any, Any]:
        services = self._world.services
        desk = PushHandler(
            services.engine,
            services.settings,
            services.vault,
            channels(self._gateway()),
            self,
            clock=self._clock,
            holder=self._holder,
        )
        return self._engine(desk)

    def _paying(self) -> Dispatcher[Any, Any]:
        services, wallet = self._world.services, wallets(self._gateway())
        reported, settings = services.declarations, services.settings
        works = PaymentTask(wallet, services.vault, reported, settings), RefundTask(wallet, reported, settings)
        return self._engine(
            PaymentTaskHandler(services.engine, settings, works, self, clock=self._clock, holder=self._holder)
        )

    @property
    def _holder(self) -> str:
        return f"simulated:{self.name}:{self.incarnation}"

    def _gateway(self) -> Gateway:
        world, settings = self._world, self._world.services.settings
        return Gateway(
            settings.base_url,
            settings.agent_no,
            world.signer,
            timeout=settings.gateway_timeout_seconds,
            now=lambda: BEGINNING.timestamp() + world.scheduler.now,
            adapter=ModelAdapter(world.model, self.name),
        )

    def _engine(self, desk: Any) -> Dispatcher[Any, Any]:
        return Dispatcher(
            desk,
            THREADS,
            clock=self._clock,
            executors=lambda most, name: TaskExecutor(self._world.scheduler, self, most, name),
        )
