"""The stories of the sample batch: one row an order, what the sandbox does to it and how it ends all the same."""

from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Literal

from customs.declarations.identity import Identity
from customs.declarations.offices import OFFICES, codes_for
from customs.declarations.states import State
from customs.gateway import Channel

WECHAT, ALIPAY = Channel.WECHATPAY, Channel.ALIPAY

Remedy = Literal["none", "modify", "redeclare"]
Corrects = Literal["registration", "buyer", "parts"]


@dataclass(frozen=True)
class Story:
    """Course of an order and its end, after a clerk's remedy where it needs one."""

    note: str
    remedy: Remedy = "none"
    state: State = State.SUCCESS
    identity: Identity = Identity.MATCH
    needs_review: bool = False
    corrects: Corrects = "registration"


@dataclass(frozen=True)
class Plot:
    """One order of the batch: `parts` is 0 when it is not split, `word` is the sandbox's, in the order number.

    With `in_part` the word stands in the number of that part alone (from 1).
    """

    channel: Channel
    office: str
    story: Story
    word: str = ""
    parts: int = 0
    in_part: int = 0
    buyer: bool = True


STRAIGHT = Story("declared")
NO_REPLY = Story("the reply is lost")
NO_REQUEST = Story("the request is lost")
FALSE_ALARM = Story("an error is answered, yet it was done")
BUSY = Story("the gateway is busy")
LATE = Story("it takes long")
OLD_ANSWER = Story("queries are answered from old copies")
WRONG_NUMBER = Story("customs rejects the registration number", "modify")
WRONG_AMOUNT = Story("customs rejects one part", "modify", corrects="parts")
WRONG_BUYER = Story("the buyer is not the payer, and is corrected", "modify", corrects="buyer")
STRANGER = Story("the buyer is not the payer", identity=Identity.MISMATCH, needs_review=True)
LOST = Story("customs did not get it", "redeclare")
STRANGE = Story("a state that the document does not know", "redeclare")
BACKWARDS = Story("the state goes back before it ends", needs_review=True)
REFUSED = Story("the gateway refuses it", state=State.UNDECLARED, identity=Identity.UNCHECKED, needs_review=True)

STORIED = (
    Plot(WECHAT, "GUANGZHOU", WRONG_NUMBER, "FAIL"),
    Plot(ALIPAY, "SHENZHEN", LOST, "EXCEPT"),
    Plot(WECHAT, "HANGZHOU", NO_REPLY, "DROP-REPLY"),
    Plot(WECHAT, "NINGBO", WRONG_AMOUNT, "FAIL", parts=3, in_part=2),
    Plot(ALIPAY, "ZHENGZHOU_AIRPORT", FALSE_ALARM, "ERROR-AFTER"),
    Plot(WECHAT, "SHANGHAI", STRANGER, "DIFFERENT"),
    Plot(ALIPAY, "HANGZHOU", WRONG_NUMBER, "FAIL"),
    Plot(WECHAT, "CHONGQING", LATE, "SLOW"),
    Plot(WECHAT, "GUANGZHOU_NANSHA", LOST, "LATE-EXCEPT"),
    Plot(WECHAT, "GUANGZHOU_HUANGPU", WRONG_NUMBER, "FAIL"),
    Plot(ALIPAY, "NINGBO", WRONG_BUYER, "DIFFERENT"),
    Plot(WECHAT, "SHENZHEN", NO_REQUEST, "PROXY502"),
    Plot(WECHAT, "TIANJIN", LOST, "EXCEPT"),
    Plot(ALIPAY, "TIANJIN", NO_REPLY, "DROP-REPLY"),
    Plot(WECHAT, "BEIJING", WRONG_BUYER, "DIFFERENT"),
    Plot(WECHAT, "XIAN", OLD_ANSWER, "BACK-OLD"),
    Plot(WECHAT, "SHENZHEN", BACKWARDS, "BACK-NEW"),
    Plot(ALIPAY, "SHANGHAI", LOST, "EXCEPT", parts=3, in_part=3),
    Plot(WECHAT, "ZHENGZHOU_BONDED", STRANGE, "UNKNOWN"),
    Plot(WECHAT, "GUANGZHOU_HUANGPU", OLD_ANSWER, "STALE", parts=2),
    Plot(WECHAT, "NINGBO", OLD_ANSWER, "OTHER"),
    Plot(WECHAT, "SHANGHAI", OLD_ANSWER, "FROZEN"),
    Plot(WECHAT, "HANGZHOU", REFUSED, "BIZ555"),
    Plot(ALIPAY, "XIAN", REFUSED, "REFUSE"),
    Plot(WECHAT, "BEIJING", NO_REQUEST, "DROP-REQUEST"),
    Plot(WECHAT, "ZHENGZHOU_AIRPORT", NO_REQUEST, "ERROR-BEFORE"),
    Plot(ALIPAY, "HEFEI", NO_REQUEST, "PROXY502"),
    Plot(WECHAT, "GUANGZHOU_NANSHA", NO_REPLY, "TRUNCATED", parts=3),
    Plot(ALIPAY, "ZHENGZHOU_BONDED", WRONG_AMOUNT, "FAIL", parts=2, in_part=1),
    Plot(WECHAT, "XIAN", FALSE_ALARM, "META500"),
    Plot(WECHAT, "TIANJIN", NO_REPLY, "RESET"),
    Plot(ALIPAY, "SUZHOU", BUSY, "BUSY503"),
    Plot(WECHAT, "CHONGQING", NO_REPLY, "QUERY-PROXY502"),
    Plot(WECHAT, "GUANGZHOU", BUSY, "SYS555"),
    Plot(ALIPAY, "GUANGZHOU_NANSHA", LATE, "DELAY-REPLY"),
)
SERVED = tuple((channel, office) for office in OFFICES for channel in Channel if codes_for(channel, office))
EVERY_OFFICE = (
    *(
        # Real files hold a few orders without a buyer, and a few in three parts.
        Plot(channel, office, STRAIGHT, parts=3 if number % 7 == 5 else 0, buyer=number % 4 != 3)
        for number, (channel, office) in enumerate(SERVED)
    ),
    *(Plot(*served, STRAIGHT, parts=2) for served in SERVED if len(codes_for(*served)) > 1),
)
PLOTS = tuple(plot for plot in chain.from_iterable(zip_longest(STORIED, EVERY_OFFICE)) if plot)
