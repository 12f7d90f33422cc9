"""The fields of a declaration, one row each: what people, spreadsheets, the API and the gateway call them, and hold."""

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import LazyString, lazy_gettext

from customs.text_rules.rules import Holds
from customs.validation import LONGEST_TEXT

_ = lazy_gettext


class Kind(StrEnum):
    """What a field holds. NUMBER is an order's or a merchant's, CERT_ID a person's: text that must keep each digit."""

    CHANNEL = "channel"
    OFFICE = "office"
    NUMBER = "number"
    CERT_ID = "cert_id"
    NAME = "name"
    AMOUNT = "amount"
    DUTY = "duty"


class Part(StrEnum):
    """Which part of a declaration a field belongs to; the value begins its JSON pointers."""

    ORDER = ""
    BUYER = "/buyer"
    SUB_ORDER = "/sub_orders"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field. `header` and `chinese` name its column in a spreadsheet; `label` is what pages call it.

    `inner`: its name inside its part, where that is not the header.
    `hint` says in the template what it wants; `examples` are an order in two parts.
    `holds`: what its text is checked to be (R6b).
    `registered`: a registration on file fills it in where an order leaves it blank.
    `changeable`: a correction may change it (9.1).
    `published`: events of a declaration carry it.
    `same_within`: the columns that decide its right value, where several rows may well share one; else None.
    """

    header: str
    chinese: str
    kind: Kind
    label: LazyString
    hint: LazyString
    examples: tuple[str, str] = ("", "")
    part: Part = Part.ORDER
    inner: str = ""
    longest: int = LONGEST_TEXT
    holds: Holds | None = None
    required: bool = False
    registered: bool = False
    changeable: bool = False
    published: bool = False
    same_within: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Its name inside its part of an order, in the API and in the database."""
        return self.inner or self.header

    @property
    def wire(self) -> str:
        """What the gateway calls it."""
        return self.name if self.part is Part.BUYER else self.header

    @property
    def path(self) -> str:
        """Where it stands in a declaration, as a JSON pointer without the numbers of lists."""
        return f"{self.part.value}/{self.name}"

    @property
    def spellings(self) -> str:
        return f"{self.header} or {self.chinese}"


# A registration is one merchant's own with one office for one channel.
REGISTRATION = ("merchant_no", "channel", "office")

FIELDS = (
    Field(
        header="channel",
        chinese="支付渠道",
        kind=Kind.CHANNEL,
        label=_("Channel"),
        hint=_("Pick WeChat or Alipay."),
        required=True,
        published=True,
        same_within=("merchant_no",),
    ),
    Field(
        header="office",
        chinese="海关",
        kind=Kind.OFFICE,
        label=_("Office"),
        hint=_("Pick the customs office."),
        required=True,
        published=True,
        same_within=("merchant_no",),
    ),
    Field(
        header="merchant_no",
        chinese="商户号",
        kind=Kind.NUMBER,
        label=_("Merchant"),
        hint=_("The merchant's number at the gateway."),
        examples=("M100218", ""),
        longest=64,
        holds=Holds.NUMBER,
        required=True,
        same_within=(),
    ),
    Field(
        header="out_order_no",
        chinese="商户订单号",
        kind=Kind.NUMBER,
        label=_("Order number"),
        hint=_("The shop's order number: 1 to 32 letters, digits, _ or -."),
        examples=("D20261123001", "D20261123001"),
        required=True,
        published=True,
    ),
    Field(
        header="payment_no",
        chinese="支付单号",
        kind=Kind.NUMBER,
        label=_("Payment number"),
        hint=_("The payment company's number, every digit of it."),
        examples=("4200002611230900000000016138", ""),
        required=True,
        published=True,
    ),
    Field(
        header="mch_customs_no",
        chinese="商户海关备案号",
        kind=Kind.NUMBER,
        label=_("Registration number"),
        hint=_("The merchant's number with customs; blank where it is on file."),
        examples=("4401986Y3T", ""),
        longest=100,
        holds=Holds.REGISTRATION,
        registered=True,
        changeable=True,
        same_within=REGISTRATION,
    ),
    Field(
        header="merchant_customs_name",
        chinese="商户海关备案名称",
        kind=Kind.NAME,
        label=_("Registered name"),
        hint=_("For Alipay: the merchant's name with customs; blank where it is on file."),
        longest=200,
        holds=Holds.COMPANY,
        registered=True,
        changeable=True,
        same_within=REGISTRATION,
    ),
    Field(
        header="duty",
        chinese="关税",
        kind=Kind.DUTY,
        label=_("Duty"),
        hint=_("WeChat only: a whole number; blank when there is none."),
        examples=("88", ""),
        longest=10,
        changeable=True,
        same_within=REGISTRATION,
    ),
    Field(
        header="buyer_name",
        chinese="订购人姓名",
        kind=Kind.NAME,
        label=_("Buyer's name"),
        hint=_("The buyer as on the ID card; together with the ID number or not at all."),
        examples=("李雷", ""),
        part=Part.BUYER,
        inner="name",
        changeable=True,
    ),
    Field(
        header="cert_id",
        chinese="订购人身份证号",
        kind=Kind.CERT_ID,
        label=_("ID number"),
        hint=_("18 characters; a last x is written X."),
        examples=("11010519491231002X", ""),
        part=Part.BUYER,
        changeable=True,
    ),
    Field(
        header="sub_order_no",
        chinese="子订单号",
        kind=Kind.NUMBER,
        label=_("Sub-order number"),
        hint=_("Only for an order in parts: the number of this part."),
        examples=("D20261123001S1", "D20261123001S2"),
        part=Part.SUB_ORDER,
    ),
    Field(
        header="sub_order_amount",
        chinese="子订单金额",
        kind=Kind.AMOUNT,
        label=_("Amount of the sub-order"),
        hint=_("Only for an order in parts: what this part costs, in yuan with two places."),
        examples=("46.44", "30.00"),
        part=Part.SUB_ORDER,
        inner="amount",
        changeable=True,
    ),
    Field(
        header="transport_amount",
        chinese="物流费",
        kind=Kind.AMOUNT,
        label=_("Freight"),
        hint=_("Only for an order in parts, by WeChat: its freight, 0.00 when there is none."),
        examples=("23.22", "0.00"),
        part=Part.SUB_ORDER,
        changeable=True,
    ),
    Field(
        header="product_amount",
        chinese="商品价格",
        kind=Kind.AMOUNT,
        label=_("Goods"),
        hint=_("Only for an order in parts, by WeChat: its goods."),
        examples=("23.22", "30.00"),
        part=Part.SUB_ORDER,
        changeable=True,
    ),
)
REQUIRED = tuple(field.header for field in FIELDS if field.required)
# What stands beside the parts and the buyer; what of it a push declares beside its numbers; its part's amounts.
ORDER = tuple(field for field in FIELDS if field.part is Part.ORDER)
CONTENT = tuple(field for field in ORDER if field.changeable)
AMOUNTS = tuple(field for field in FIELDS if field.part is Part.SUB_ORDER and field.changeable)
ORDER_NAMES = tuple(field.name for field in ORDER)
CONTENT_NAMES = tuple(field.name for field in CONTENT)
AMOUNT_NAMES = tuple(field.name for field in AMOUNTS)
PUBLISHED_NAMES = tuple(field.name for field in ORDER if field.published)
