"""What the doctor sees of the processes and of what they work with: who runs, and whether Redis does its part."""

from collections.abc import Iterator

from customs.container import Services
from customs.db import database
from customs.jobs.process_registry import Kind, Process, list_processes
from customs.ops.check_result import NOTHING, Examined, Said

# Sentences that translators find; their facts are put in when they are said.
_ = Said
# What is missing without a kind of process, and who brings it; a desk without a web is one that is used by commands.
NEEDED = {
    Kind.WORKER: (_("no worker runs: nothing is declared"), _("start `customs worker`")),
    Kind.CLOCK: (_("no clock runs: what is due later is late"), _("start `customs clock`")),
}
RUNNING = _("%(count)d running")
PARTS = {Kind.WORKER: "workers", Kind.CLOCK: "clock"}


def look_at_redis(services: Services) -> Iterator[Examined]:
    """An answer to PING is not enough: could a job be enqueued, and taken?"""
    trouble = services.notifier.trouble()
    if trouble is None:
        waiting = {"workers": services.notifier.workers() or 0}
        yield Examined("redis", "ok", _("takes jobs and gives them away; %(workers)d workers wait for them", waiting))
        return
    found = _("does not work, and nothing is lost: %(trouble)s", {"trouble": trouble})
    mend = _("start it, or `customs up`; workers drain by themselves every second meanwhile")
    yield Examined("redis", "note", found, mend)


def look_at_processes(services: Services) -> Iterator[Examined]:
    """Who left a sign of life lately, and what it does without."""
    with services.reading() as db:
        now = database.now(db)
        known = list_processes(db)
    if not known:
        nobody = _("nothing of this desk runs"), _("`customs up`, or `customs web`, `customs worker`, `customs clock`")
        yield Examined("processes", "note", *nobody)
        return
    alive = [process for process in known if process.runs(now)]
    for kind, missing in NEEDED.items():
        count = sum(process.kind is kind for process in alive)
        if count:
            yield Examined(PARTS[kind], "ok", RUNNING.of(count=count), NOTHING)
        else:
            yield Examined(PARTS[kind], "wrong", *missing)
    yield from _troubled(alive)
    yield from _of_other_versions(alive)


def _troubled(alive: list[Process]) -> Iterator[Examined]:
    for process in alive:
        if process.trouble:
            named = {"host": process.host, "pid": process.pid, "trouble": process.trouble}
            found = _("process %(pid)d on %(host)s: %(trouble)s", named)
            yield Examined(PARTS.get(process.kind, "processes"), "note", found, _("mend that part; work goes on"))


def _of_other_versions(alive: list[Process]) -> Iterator[Examined]:
    versions = sorted({process.version for process in alive})
    if len(versions) > 1:
        found = _("versions %(versions)s run side by side", {"versions": ", ".join(versions)})
        yield Examined("processes", "note", found, _("restart those of the older version"))
