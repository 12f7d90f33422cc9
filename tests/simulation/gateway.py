"""The gateway as it may be at its worst: no idempotency, lost and late effects, lagging copies, others' records.

It stands behind the product's own client, so that signing, sending and reading are real; its ledger says what was
asked, when it took effect, and what the caller learned of it.
"""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as Reset
from requests.exceptions import ReadTimeout
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from customs.gateway import Verifier
from customs.gateway.transport import NotConnectedError
from tests.simulation.plan import ENDS, OUTCOMES_OF_QUERIES, OUTCOMES_OF_SENDS, STAMPS, TIMEOUT_SECONDS, Plan
from tests.simulation.sales import Sales
from tests.simulation.scheduler import Scheduler
from tests.simulation.trace import Trace

SHANGHAI = timezone(timedelta(hours=8))
BEGINNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SPLIT = {
    "wechatpay": ("sub_order_no", "sub_order_amount", "transport_amount", "product_amount"),
    "alipay": ("sub_order_no", "sub_order_amount"),
}
# What customs holds of a filing: everything that a MODIFY or a corrected re-push may change.
CONTENT = (
    "mch_customs_no",
    "merchant_customs_name",
    "duty",
    "sub_order_amount",
    "transport_amount",
    "product_amount",
    "cert_id",
    "name",
)
REFUSALS = {
    "refused": (400, "the content is refused"),
    "refused by WeChat": (555, json.dumps({"wx_code": "PARAM_ERROR", "wx_message": "refused"})),
    "unsigned": (401, "the signature is wrong"),
    "busy": (503, "busy"),
    "500 before": (500, "internal"),
    "500 after": (500, "internal"),
}
WITHOUT_EFFECT = {"never arrived", "not sent", "busy", "500 before", "refused", "refused by WeChat", "unsigned"}

MONEY_CALLS = {
    ("POST", "/order/scanned_pay"): "CREATE",
    ("GET", "/order"): "QUERY ORDER",
    ("POST", "/refund"): "REFUND",
    ("GET", "/refund"): "QUERY REFUND",
}
MONEY = frozenset(MONEY_CALLS.values())

Key = tuple[int, str, str]


@dataclass(frozen=True)
class Shown:
    """A record as it is seen from a time on."""

    since: float
    state: str
    stamp: int
    content: Mapping[str, str]


@dataclass(eq=False)
class Record:
    """What the gateway holds of one filing, its past and the course it is on."""

    key: Key
    numbers: Mapping[str, str]
    kind: str
    views: list[Shown] = field(default_factory=list)
    past: list[Shown] = field(default_factory=list)
    epochs: int = 0
    pushed_at: float = 0.0

    def seen(self, moment: float) -> Shown | None:
        return next((view for view in reversed(self.views) if view.since <= moment), None)


@dataclass(eq=False)
class Asked:
    """One request in the ledger: `effect_at` when it changed something, `learned` what its caller was told."""

    number: int
    action: str
    key: Key
    by: str
    at: float
    scenario: str
    effect_at: float | None = None
    learned: str | None = None

    @property
    def changes(self) -> bool:
        return "QUERY" not in self.action


class GatewayModel:
    """Every filing of every order, and the ledger of all that was asked."""

    def __init__(self, plan: Plan, scheduler: Scheduler, trace: Trace, verifier: Verifier) -> None:
        self.records: dict[Key, Record] = {}
        self.ledger: list[Asked] = []
        self.sales = Sales()
        self.wrongs: list[str] = []
        self.away_until = 0.0
        self.open_transactions: set[object] = set()
        self._plan = plan
        self._scheduler = scheduler
        self._trace = trace
        self._verifier = verifier
        self._asked: dict[tuple[Key, str], int] = {}
        self._pushed: list[Key] = []

    def ask(self, by: str, request: PreparedRequest) -> Response:
        """One request on the wire, from its sending to the answer or the lack of one."""
        if self.open_transactions:
            self.wrongs.append(f"{by} asked with a transaction open")
        channel, action, params = self._read(request)
        key = self._key(action, params)
        nth = self._asked[key, action] = self._asked.get((key, action), 0) + 1
        name = f"{action} {nth} of {name_of(key)}"
        scenario = self._plan.scenario(name, OUTCOMES_OF_QUERIES if "QUERY" in action else OUTCOMES_OF_SENDS)
        if self._scheduler.now < self.away_until:
            scenario = "not sent"
        asked = Asked(len(self.ledger), action, key, by, self._scheduler.now, scenario)
        if asked.changes:
            self._complain_about_company(asked)
        self.ledger.append(asked)
        self._trace.add(by, f"asks {name}" + ("" if scenario == "good" else f" ({scenario})"))
        chance = self._plan.chance(name, "time")
        try:
            response = self._answer(asked, channel, params, chance)
        except (NotConnectedError, ReadTimeout, Reset):
            asked.learned = "nothing" if scenario == "not sent" else "unknown"
            raise
        asked.learned = scenario
        return response

    def _answer(self, asked: Asked, channel: str, params: dict[str, str], chance: Any) -> Response:
        scenario = asked.scenario
        self._scheduler.pause(chance.uniform(0.02, 0.4))
        if scenario == "not sent":
            raise NotConnectedError("refused")
        if scenario in ("never arrived", "late"):
            if scenario == "late" and asked.changes:
                late = chance.uniform(TIMEOUT_SECONDS, max(self._plan.late_seconds, TIMEOUT_SECONDS + 1))
                self._scheduler.at(asked.at + late, lambda: self._take(asked, channel, params))
            self._scheduler.pause(TIMEOUT_SECONDS)
            raise ReadTimeout("lost")
        answer = self._taken(asked, channel, params)
        self._scheduler.pause(chance.choice((chance.uniform(0.02, 0.5), chance.uniform(0.5, 9.0))))
        if scenario == "reply lost":
            self._scheduler.pause(TIMEOUT_SECONDS)
            raise ReadTimeout("lost")
        if scenario == "reset":
            raise Reset("reset")
        body = json.dumps(answer[1], ensure_ascii=False).encode()
        if scenario == "truncated":
            return _response(200, body[:-9])
        if scenario == "html":
            return _response(502, b"<html>bad gateway</html>", "text/html")
        return _response(answer[0], body)

    def _taken(self, asked: Asked, channel: str, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The request arrives: its effect, and the answer as it would come back."""
        if asked.scenario in REFUSALS and asked.scenario != "500 after":
            return refused(*REFUSALS[asked.scenario])
        if asked.action in MONEY:
            return self._money(asked, params)
        if not asked.changes:
            return self._found(asked, channel)
        took = self._take(asked, channel, params)
        if asked.scenario == "500 after":
            return refused(500, "internal")
        if asked.scenario == "another's":
            others = [record for record in self.records.values() if record.key[0] != asked.key[0]]
            if others:
                return self._shown(others[0], others[0].views[-1])
        record = self.records.get(asked.key)
        if record is None:
            return refused(404, "no such record")
        return took or self._shown(record, record.seen(self._scheduler.now))

    def _found(self, asked: Asked, channel: str) -> tuple[int, dict[str, Any]]:
        """What a query sees: the one filing at WeChat, whichever was pushed last at Alipay."""
        lag = self._plan.stale_seconds if asked.scenario == "stale" else 0.0
        moment = self._scheduler.now - lag
        keys = [key for key in reversed(self._pushed) if key[:2] == asked.key[:2]]
        if asked.scenario == "another's":
            keys = list(self.records)
        elif channel == "wechatpay":
            keys = [asked.key]
        for key in keys:
            record = self.records.get(key)
            view = record and record.seen(moment)
            if record and view:
                return self._shown(record, view)
        return refused(404, "no such record")

    def _take(self, asked: Asked, channel: str, params: dict[str, str]) -> tuple[int, dict[str, Any]] | None:
        """Do what was asked; an answer when that was nothing."""
        now, key = self._scheduler.now, asked.key
        if asked.action in MONEY:
            self._move_money(asked, params)
            return None
        record = self.records.get(key)
        if asked.action != "ADD" and record is None:
            return refused(404, "no such record")
        if asked.action == "REDECLARE" and channel == "alipay" and record and now - record.pushed_at < 300:
            return None
        content = {name: params[name] for name in CONTENT if name in params}
        if record is None:
            kind = self._plan.scenario(f"stamps of {name_of(key)}", STAMPS)
            numbers = {name: params.get(name, "") for name in ("out_order_no", "payment_no", "customs", "sub_order_no")}
            record = self.records[key] = Record(key, numbers, kind)
        elif asked.action == "REDECLARE":
            content = {**record.seen(now).content, **content}
        self._begin(record, content, again=asked.action == "MODIFY")
        record.pushed_at = now
        if key in self._pushed:
            self._pushed.remove(key)
        self._pushed.append(key)
        asked.effect_at = now
        self._trace.add("gateway", f"took {asked.action} of {name_of(key)} asked at {asked.at:.1f}")
        return None

    def _money(self, asked: Asked, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """An order or a refund: what was asked happens, and the answer shows it."""
        if asked.changes:
            self._move_money(asked, params)
            if asked.scenario == "500 after":
                return refused(500, "internal")
        moment = self._scheduler.now - (self._plan.stale_seconds if asked.scenario == "stale" else 0.0)
        number = asked.key[0]
        if asked.scenario == "another's" and self.sales.by_order:
            number = next(iter(self.sales.by_order))
        if "REFUND" in asked.action:
            data = self.sales.returned(params["outer_refund_no"], moment)
        else:
            data = self.sales.order(number, moment)
        return refused(404, "no such record") if data is None else _success(data)

    def _move_money(self, asked: Asked, params: dict[str, str]) -> None:
        now, chance = self._scheduler.now, self._plan.chance("money", name_of(asked.key))
        if asked.action == "CREATE":
            self.sales.create(asked.key[0], params, now, chance)
        else:
            self.sales.refund(asked.key[0], params, now, chance)
        asked.effect_at = now
        self._trace.add("gateway", f"took {asked.action} of {name_of(asked.key)} asked at {asked.at:.1f}")

    def _begin(self, record: Record, content: Mapping[str, str], *, again: bool) -> None:
        """Put a record on a new course."""
        now = self._scheduler.now
        record.epochs += 1
        name = f"end {record.epochs} of {name_of(record.key)}"
        chance, end = self._plan.chance(name, "course"), self._plan.scenario(name, ENDS)
        record.views = [view for view in record.views if view.since <= now]
        record.past = list(record.views)
        course = ["SUBMITTED" if again else "UNDECLARED"]
        course += ["PROCESSING"] if chance.random() < 0.7 else []
        course += [end] if end != "never" else []
        moment, stamp = now, record.views[-1].stamp if record.views else 0
        for state in course:
            # What has ended stands still: a newer time would be the effect of an action (domain, section 3).
            moves = record.kind == "restless" and state != end
            for _ in range(chance.randint(1, 3) if moves else 1):
                first = record.views[0].stamp if record.views else int(now)
                stamp = first if record.kind == "frozen" else max(int(moment), stamp + 1)
                record.views.append(Shown(moment, state, stamp, content))
                moment += chance.choice((chance.uniform(1, 60), chance.uniform(30, 900)))

    def _shown(self, record: Record, view: Shown | None) -> tuple[int, dict[str, Any]]:
        assert view is not None
        stamp = (BEGINNING + timedelta(seconds=view.stamp)).astimezone(SHANGHAI)
        shown = {name: value for name, value in record.numbers.items() if value}
        shown |= {name: view.content[name] for name in SPLIT["wechatpay"][1:] if name in view.content}
        shown |= {"state": view.state, "modify_time": stamp.strftime("%Y-%m-%d %H:%M:%S")}
        return _success({"info": shown})

    def _complain_about_company(self, asked: Asked) -> None:
        """Invariant 2: a push never has two state-changing calls in the air."""
        for other in self.ledger:
            flying = other.learned is None and asked.at < other.at + TIMEOUT_SECONDS
            # A refund and a declaration of one payment do not race either (R18).
            with_refund = other.key[0] == asked.key[0] and (asked.action == "REFUND") is not (other.action == "REFUND")
            if other.changes and flying and (other.key == asked.key or with_refund):
                self.wrongs.append(
                    f"{name_of(asked.key)}: {asked.action} by {asked.by} at {asked.at:.1f} while {other.action} by "
                    f"{other.by} of {other.at:.1f} was in the air"
                )

    def _key(self, action: str, params: Mapping[str, str]) -> Key:
        """Which filing, order or refund is meant; of Alipay's query only the order, for it names no customs code."""
        if action == "QUERY REFUND":
            return 0, params["outer_refund_no"], "refund"
        part = params.get("sub_order_no", "")
        numbers = (params.get(name) for name in ("out_order_no", "agent_order_id", "payment_no", "order_no"))
        found = re.search(r"A(\d+)", part or next(filter(None, numbers)))
        assert found
        if action == "REFUND":
            return int(found[1]), params["outer_refund_no"], "refund"
        return int(found[1]), part, "payment" if action in MONEY else params.get("customs", "")

    def _read(self, request: PreparedRequest) -> tuple[str, str, dict[str, str]]:
        split = urlsplit(str(request.url))
        pairs = split.query if request.method == "GET" else bytes(request.body or b"").decode()
        signed = f"{pairs},{request.headers['Timestamp']}".encode()
        if not self._verifier.verify(signed, request.headers["Signature"]):
            self.wrongs.append("a request's signature is wrong")
        params = dict(parse_qsl(pairs))
        if action := MONEY_CALLS.get((str(request.method), split.path)):
            return "wechatpay", action, params
        channel = split.path.split("/")[1]
        action = "QUERY" if request.method == "GET" else params.get("action_type", "ADD")
        return channel, "REDECLARE" if split.path.endswith("redeclaration") else action, params


class ModelAdapter(BaseAdapter):
    """Carries one process's requests to the model."""

    def __init__(self, model: GatewayModel, by: str) -> None:
        super().__init__()
        self._model = model
        self._by = by

    def send(self, request: PreparedRequest, **_: Any) -> Response:
        return self._model.ask(self._by, request)

    def close(self) -> None:
        """Nothing is open."""


def _success(data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, {"meta": {"status_code": 200, "success": True, "message": "OK"}, "data": data}


def refused(status: int, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"meta": {"status_code": status, "success": False, "message": message}, "data": {}}


def name_of(key: Key) -> str:
    """How a filing is called in a trace."""
    order, part, customs = key
    if customs == "refund":
        # Its number is made by chance, so that two runs would differ; and a query names no other.
        return f"O{order or '?'}@refund"
    return f"O{order}{'/' + part if part else ''}@{customs or '?'}"


def _response(status: int, body: bytes, kind: str = "application/json") -> Response:
    response = Response()
    response.status_code = status
    response.headers = CaseInsensitiveDict({"Content-Type": kind, "Content-Length": str(len(body))})
    if status == 503:
        response.headers["Retry-After"] = "5"
    response.raw = HTTPResponse(io.BytesIO(body), preload_content=False, status=status)
    return response
