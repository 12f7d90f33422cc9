"""Who the history sees: whoever does something, and whoever looks at what was done, as far as it has to know them."""

from typing import Protocol


class Actor(Protocol):
    """Somebody who does something: a person, a key, the operator of the host."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


class Onlooker(Actor, Protocol):
    """Somebody who may see what concerns their merchants, or, with None, everything."""

    @property
    def merchants(self) -> frozenset[str] | None: ...
