"""What the list of declarations was asked for, as its address says it: a tab, filters, and days in Shanghai."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_babel import LazyString, lazy_gettext
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.declarations.reading.dashboard import counts_of, under_way
from customs.declarations.reading.queries import Filters
from customs.declarations.states import State
from customs.declarations.statistics import CANCELLED, NEEDS_REVIEW
from customs.gateway import Channel
from customs.stats.tallies import begins
from customs.web.request import day_argument, text_argument

_ = lazy_gettext

ALL, REVIEW, UNDER_WAY, SUCCESS = "all", "review", "running", "success"
# What each tab narrows the list to, its name, and how many that are by what is tallied.
TABS: Mapping[str, tuple[LazyString, Mapping[str, Any], Callable[[Mapping[str, int]], int]]] = {
    ALL: (_("All"), {}, lambda counted: sum(counted.get(word, 0) for word in (*State, CANCELLED))),
    REVIEW: (_("Needs attention"), {"needs_review": True}, lambda counted: counted.get(NEEDS_REVIEW, 0)),
    UNDER_WAY: (_("Under way"), {"under_way": True}, lambda counted: sum(under_way(counted).values())),
    SUCCESS: (
        _("Accepted by customs"),
        {"states": (State.SUCCESS,), "cancelled": False},
        lambda counted: counted.get(State.SUCCESS, 0),
    ),
}
# A state by which one looks for those that were not cancelled, or for those that were.
STATES: Mapping[str, Mapping[str, Any]] = {
    **{state: {"state": state, "cancelled": False} for state in State},
    CANCELLED: {"cancelled": True},
}
CHOICES: Mapping[str, tuple[str, ...]] = {"channel": tuple(Channel), "state": tuple(STATES)}
WORDS = ("batch_id", "state", "channel", "office", "merchant_no")
DAYS = ("since", "until")
# Tallies are kept by these alone.
UNCOUNTED = ("batch_id", "state")


@dataclass(frozen=True)
class Asked:
    """A tab, the words it is narrowed by, and the first and last day."""

    tab: str
    words: Mapping[str, str]
    since: date | None
    until: date | None

    @property
    def is_narrowed(self) -> bool:
        """Whether an empty list may be the fault of a filter."""
        return bool(self.words or self.since or self.until)

    @property
    def filters(self) -> Filters:
        """The filters as queries know them."""
        words = {name: word for name, word in self.words.items() if name != "state"}
        narrowed = {**TABS[self.tab][1], **STATES.get(self.words.get("state", ""), {}), **words}
        since = None if self.since is None else begins(self.since)
        until = None if self.until is None else begins(self.until) + timedelta(days=1)
        return Filters(since=since, until=until, **narrowed)

    def counts(self, db: Session, caller: Caller) -> Mapping[str, int | None]:
        """How many there are behind each tab; None where that would have to be counted one by one."""
        if any(name in self.words for name in UNCOUNTED):
            return dict.fromkeys(TABS)
        narrowed = {name: self.words.get(name) for name in ("channel", "office")}
        counted = counts_of(db, _within(caller, self.words), since=self.since, until=self.until, **narrowed)
        return {tab: count(counted) for tab, (_name, _filters, count) in TABS.items()}


def asked() -> Asked:
    """What this request asks for; raises ValidationFailed for what there is not.

    `day` stands for a first and last day.
    """
    tab = text_argument("tab", ("", *TABS)) or ALL
    found = {name: text_argument(name, ("", *CHOICES[name]) if name in CHOICES else ()) for name in WORDS}
    words = {name: text.strip() for name, text in found.items() if text and text.strip()}
    since, until = (day_argument(name) or day_argument("day") for name in DAYS)
    return Asked(tab, words, since, until)


def query_of_filters() -> str:
    """What of this address is a filter, to be kept under a name."""
    kept = {name: text for name in ("tab", *WORDS, *DAYS, "day") if (text := request.args.get(name, "").strip())}
    return urlencode(kept)


def _within(caller: Caller, words: Mapping[str, str]) -> Caller:
    """The caller as they see one merchant."""
    merchant_no = words.get("merchant_no")
    if merchant_no is None:
        return caller
    return replace(caller, merchants=frozenset({merchant_no} if caller.may_touch(merchant_no) else ()))
