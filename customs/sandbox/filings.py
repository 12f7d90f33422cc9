"""A filing: what was declared at one customs code, and how its state moves along its scenario."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from customs.sandbox.channels import CHANNELS, Channel
from customs.sandbox.declaration_scenarios import Course, Epoch, Scenario, Step, scenario_of

# The gateway's times are naive Shanghai times; a fixed offset needs no time zone files on a bare machine.
SHANGHAI = timezone(timedelta(hours=8))

EXPLANATIONS = {
    "FAIL": "海关返回:申报信息有误,请更正后重新申报",
    "EXCEPT": "海关接口异常,请重推",
}


@dataclass
class Filing:
    """What the gateway holds of one push; `sub_order_no` is "" when not split, times are Unix seconds.

    `stamp` is the modify_time it shows, `since` when its present step began.
    """

    channel: str
    payment_no: str
    out_order_no: str
    customs: str
    sub_order_no: str
    content: dict[str, str]
    since: float
    stamp: int
    first_stamp: int
    pushed_at: float
    epoch: Epoch = Epoch.ADDED
    position: int = 0
    reported: bool = False
    corrected: bool = False
    reads: int = 0
    adds: int = 1
    modifies: int = 0
    redeclares: int = 0
    history: list[dict[str, str]] = field(default_factory=list)

    @property
    def rules(self) -> Channel:
        return CHANNELS[self.channel]

    @property
    def scenario(self) -> Scenario:
        return scenario_of(self.sub_order_no, self.out_order_no)

    @property
    def course(self) -> Course:
        return self.scenario.course(Epoch(self.epoch), at_once=self.rules.at_once)

    @property
    def step(self) -> Step:
        return self.course[self.position]

    @property
    def modify_time(self) -> str:
        shown = self.first_stamp if self.scenario.frozen else self.stamp - self.step.older
        return datetime.fromtimestamp(shown, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")

    @property
    def receipt(self) -> str:
        """The payment company's own number: made from ours, so it is the same after a restart."""
        return f"42{int(hashlib.sha256(self.payment_no.encode()).hexdigest()[:20], 16):024d}"

    def begin(self, epoch: Epoch, event: str, now: float) -> None:
        """Start a new course at `now`."""
        self.epoch, self.position, self.reported, self.since = epoch, 0, False, now
        self._stamp(now)
        self.remember(event, now)

    def move_on(self, now: float, step_seconds: float) -> None:
        """Go as far along the course as time, and what was reported, allow."""
        while self.step.steps is not None and (self.reported or not self.step.asked):
            due = self.since + self.step.steps * step_seconds
            if now < due:
                return
            self.position, self.reported, self.since = self.position + 1, False, due
            self._stamp(due)
            self.remember("state", due)

    def remember(self, event: str, at: float) -> None:
        when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        self.history.append({"at": when, "event": event, "state": self.step.state})

    def _stamp(self, now: float) -> None:
        # The document's times have whole seconds; a change must show, even within the same second.
        self.stamp = max(int(now), self.stamp + 1)

    def shown(self, customs: str | None = None) -> dict[str, Any]:
        """The record of a submit or query reply (9.1, 9.3 to 9.6); `customs` is named in place of its own."""
        record = self._core(customs or self.customs)
        if self.sub_order_no:
            record |= {name: self.content[name] for name in self.rules.split}
        if (verdict := self._identity()) is not None:
            record["cert_check_result"] = verdict
        return record

    def shown_to_query(self, customs: str | None = None) -> dict[str, Any]:
        """As `shown`, with the reason of a failure."""
        reason = EXPLANATIONS.get(self.step.state)
        return self.shown(customs) | ({"explanation": reason} if reason else {})

    def shown_after_repush(self) -> dict[str, Any]:
        """The record of a re-push reply: 9.2 lists an explanation and nothing of splits and identity."""
        if self.rules.repush_corrects:
            return self.shown()
        return self._core(self.customs) | {"explanation": EXPLANATIONS.get(self.step.state, "")}

    def _core(self, customs: str) -> dict[str, Any]:
        return {
            "out_order_no": self.out_order_no,
            "payment_no": self.payment_no,
            "customs": customs,
            self.rules.receipt: self.receipt,
            "state": self.step.state,
            "modify_time": self.modify_time,
        }

    def _identity(self) -> str | None:
        if "cert_id" not in self.content:
            return self.rules.unchecked
        return self.rules.different if self.scenario.different and not self.corrected else self.rules.same


# How a personal value is shown: enough to recognise, nothing to use.
MASKS: Mapping[str, Callable[[str], str]] = {
    "name": lambda value: f"{value[:1]}*",
    "cert_id": lambda value: f"{value[:4]}{'*' * (len(value) - 8)}{value[-4:]}",
}


def sealed(params: Mapping[str, str]) -> dict[str, str]:
    """The content to keep: of names and ID numbers only a mask and a digest, which suffices to compare."""
    return {
        name: f"{MASKS[name](value)}#{hashlib.sha256(value.encode()).hexdigest()[:16]}" if name in MASKS else value
        for name, value in params.items()
    }
