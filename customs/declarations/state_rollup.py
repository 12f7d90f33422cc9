"""A declaration's state, identity and case, folded over its pushes in the transaction that changed one of them."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from customs.declarations.identity import fold_identities
from customs.declarations.states import fold_states


def roll_up(pushes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The folded columns over pushes' state, identity and case: the oldest open case speaks."""
    cases = sorted((push for push in pushes if push["case_kind"]), key=itemgetter("case_since"))
    return {
        "state": fold_states(push["state"] for push in pushes),
        "identity": fold_identities(push["identity"] for push in pushes if push["identity"]),
        "needs_review": bool(cases),
        "case_kind": cases[0]["case_kind"] if cases else None,
        "case_detail": cases[0]["case_detail"] if cases else None,
        "case_since": cases[0]["case_since"] if cases else None,
    }
