"""Every page of the desk as somebody opens it, and the pages that answer a form: whoever adds one says here how."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LANGUAGES = ("en", "zh_CN")
# Both languages beside one another, for whom we do not know; and which of the two the page is marked with.
BILINGUAL = dict.fromkeys(("/docs", "/docs/guide", "/errors", "/errors/<code>"), "en") | {
    "/payments/<payment_id>/return": "zh_CN"
}


@dataclass(frozen=True)
class Opened:
    """A page as somebody opens it: `of` says which of several, `query` what is asked of it."""

    rule: str
    role: str
    of: str = ""
    query: str = ""
    status: int = 200

    def path(self, ids: Mapping[str, str]) -> str:
        return re.sub(r"<(\w+)>", lambda one: ids[f"{one[1]}:{self.of}" if self.of else one[1]], self.rule) + (
            f"?{self.query.format(**ids)}" if self.query else ""
        )

    @property
    def languages(self) -> Sequence[str]:
        """The languages to look at it in: one of several like it is looked at in Chinese alone."""
        if self.rule in BILINGUAL:
            return (BILINGUAL[self.rule],)
        return LANGUAGES[-1:] if self.of or self.query else LANGUAGES

    @property
    def picture(self) -> str:
        """A name for how it looks."""
        words = re.findall(r"\w+", f"{self.rule} {self.of or self.query.partition('=')[0]}")
        return "-".join(words) or "workbench"


PAGES = (
    Opened("/sign-in", "stranger"),
    Opened("/docs", "stranger"),
    Opened("/docs/guide", "stranger"),
    Opened("/errors", "stranger"),
    Opened("/errors/<code>", "stranger"),
    Opened("/payments/<payment_id>/return", "stranger"),
    Opened("/payments/<payment_id>/return", "stranger", of="refunded"),
    Opened("/nowhere", "stranger", status=404),
    Opened("/sign-in/code", "unfinished"),
    Opened("/", "clerk"),
    Opened("/account", "clerk"),
    Opened("/sign-in/code/set-up", "clerk"),
    Opened("/statistics", "clerk"),
    Opened("/search", "clerk"),
    Opened("/search", "clerk", query="q=nothing-at-all"),
    Opened("/import", "clerk"),
    Opened("/import/<draft_id>", "clerk"),
    Opened("/import/<draft_id>", "clerk", query="show=rest"),
    Opened("/batches", "clerk"),
    Opened("/batches", "clerk", query="whose=all"),
    Opened("/batches/<batch_id>", "clerk"),
    Opened("/declarations", "clerk"),
    Opened("/declarations", "clerk", query="tab=running"),
    Opened("/declarations/<declaration_id>", "clerk"),
    Opened("/declarations/<declaration_id>", "clerk", of="split"),
    Opened("/declarations/redeclare", "clerk", query="ids={declaration_id}"),
    Opened("/payments", "clerk"),
    Opened("/payments", "clerk", query="number=nothing-at-all"),
    Opened("/payments/new", "clerk"),
    Opened("/payments/<payment_id>", "clerk"),
    Opened("/payments/<payment_id>", "clerk", of="expired"),
    Opened("/rates", "clerk"),
    Opened("/rates", "clerk", query="channel=wechatpay&currency=USD&merchant_no=M100"),
    Opened("/reconciliation", "clerk"),
    Opened("/reconciliation", "clerk", query="start={today}&end={today}"),
    Opened("/admin/lanes", "clerk"),
    Opened("/admin/offices", "clerk"),
    Opened("/admin/people", "clerk", status=403),
    Opened("/nowhere", "clerk", status=404),
    Opened("/review", "reviewer"),
    Opened("/review/causes/<cause_id>", "reviewer"),
    Opened("/review/cases/<declaration_id>", "reviewer"),
    Opened("/review/cases/<declaration_id>", "reviewer", of="identity"),
    Opened("/review/cases/<declaration_id>", "reviewer", of="split"),
    Opened("/payments/<payment_id>", "reviewer", of="refunded"),
    Opened("/audit", "reviewer"),
    Opened("/audit/check", "reviewer"),
    Opened("/developers", "developer"),
    Opened("/developers/keys", "developer"),
    Opened("/developers/keys/new", "developer"),
    Opened("/developers/webhooks", "developer"),
    Opened("/developers/webhooks/new", "developer"),
    Opened("/developers/webhooks/<endpoint_id>", "developer"),
    Opened("/developers/events", "developer"),
    Opened("/developers/requests", "developer"),
    Opened("/developers/sandbox", "developer"),
    Opened("/admin/people", "admin"),
    Opened("/admin/people/<person_id>", "admin"),
    Opened("/admin/people/new", "admin"),
    Opened("/admin/registrations", "admin"),
    Opened("/admin/registrations/put", "admin"),
    Opened("/admin/queue", "admin"),
    Opened("/developers/keys/<key_id>", "admin"),
    Opened("/developers/requests/<log_id>", "admin"),
)


@dataclass(frozen=True)
class Sent:
    """A form as somebody sends it: on which page, and what is typed, by the names of the fields; True is ticked.

    `button`: where the form has several. The page that answers has no address of its own.
    """

    name: str
    on: Opened
    form: str
    typed: Mapping[str, str | bool] = field(default_factory=dict)
    button: str = "button"


BULK = "form[action='/declarations/redeclare']"
ANSWERS = (
    Sent(
        "sign-in-refused",
        Opened("/sign-in", "stranger"),
        "form[action='/sign-in']",
        {"login": "no", "password": "body"},
    ),
    Sent("pasted-without-header", Opened("/import", "clerk"), "form.paste", {"pasted": "no header\tof ours"}),
    Sent(
        "correction-refused",
        Opened("/declarations/<declaration_id>", "clerk"),
        "form[action$='/modify']",
        {"cert_id": "11010519491231002Y", "buyer_name": "李雷", "reason": "a merchant called"},
    ),
    Sent(
        "payment-refused",
        Opened("/payments/new", "clerk"),
        "#order",
        {"amount": "0", "merchant_no": "M100", "subject": "茶"},
    ),
    Sent("repush-looked-at", Opened("/declarations", "reviewer"), BULK, {"ids": True}),
    Sent("correct-group", Opened("/review/causes/<cause_id>", "reviewer"), BULK, button="[formaction$='/correct']"),
    Sent(
        "revealed",
        Opened("/review/cases/<declaration_id>", "reviewer"),
        "form[action$='/reveal']",
        {"reason": "a merchant called"},
    ),
    Sent("own-key-made", Opened("/developers", "developer"), "form[action='/developers/key']"),
    Sent(
        "key-made",
        Opened("/developers/keys/new", "developer"),
        "form[action='/developers/keys']",
        {"name": "ERP", "scopes": True},
    ),
    Sent(
        "endpoint-refused",
        Opened("/developers/webhooks/new", "developer"),
        "form[action='/developers/webhooks']",
        {"url": "http://10.0.0.1/"},
    ),
    Sent(
        "endpoint-made",
        Opened("/developers/webhooks/new", "developer"),
        "form[action='/developers/webhooks']",
        {"url": "http://127.0.0.1:9/"},
    ),
    Sent(
        "person-made",
        Opened("/admin/people/new", "admin"),
        "form[action='/admin/people']",
        {"login": "li.lei", "name": "李雷", "role": True},
    ),
)
NO_PAGES = {
    "parts that a page asks for by itself": {
        "/_partials/today",
        "/batches/<batch_id>/progress",
        "/declarations/<declaration_id>/live",
        "/review/recent",
        "/payments/<payment_id>/live",
        "/payments/<payment_id>/refunds",
        "/developers/keys/<key_id>/activity",
        "/developers/webhooks/<endpoint_id>/deliveries",
        "/admin/queue/numbers",
        "/admin/queue/findings",
    },
    "files": {
        "/import/template.xlsx",
        "/import/sample.csv",
        "/import/<draft_id>/faulty.xlsx",
        "/batches/<batch_id>/result.xlsx",
        "/reconciliation/export.csv",
        "/admin/registrations/sample.csv",
        "/static/<path:name>",
    },
    "for machines": {"/healthz", "/readyz", "/metrics"},
    "on the way to another page": {"/admin"},
}
# Answered by no route.
NOWHERE = "/nowhere"
