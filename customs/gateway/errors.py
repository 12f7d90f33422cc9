"""Errors of gateway calls, one class for each thing a caller has to know."""

from datetime import datetime

from customs.gateway.exchange import Exchange

MESSAGE_LIMIT = 500


class GatewayError(Exception):
    """A call without a usable success.

    `message` holds the gateway's or the network's words and may name a person; the text of the error itself
    never does, so it may be logged.
    """

    def __init__(self, message: str = "", *, exchange: Exchange | None = None) -> None:
        super().__init__()
        self.message = message[:MESSAGE_LIMIT]
        self.exchange = exchange

    def __str__(self) -> str:
        if self.exchange is None:
            return type(self).__name__
        return f"{type(self).__name__}: {self.exchange.method} {self.exchange.path}, {self.exchange.status}"


class NotSent(GatewayError):
    """No connection came about (refused, name, time, certificate): nothing was done, send the same again."""


class TooLate(NotSent):
    """We did not try: this process was held up until its turn was over. It says nothing of the gateway."""


class Busy(GatewayError):
    """503 or 429: nothing was done, later again. `retry_after` in seconds when the gateway named it."""

    def __init__(self, message: str, *, exchange: Exchange, retry_after: float | None) -> None:
        super().__init__(message, exchange=exchange)
        self.retry_after = retry_after


class Credentials(GatewayError):
    """401 or 403: nothing was done, nor will be for this agent until a person has mended keys or rights."""


class ClockSkew(GatewayError):
    """411: the timestamp was refused, nothing was done; compare with `server_time` (aware), sign again.

    `our_time` is what the clock that made the timestamp shows.
    """

    def __init__(self, message: str, *, exchange: Exchange, server_time: datetime | None) -> None:
        super().__init__(message, exchange=exchange)
        self.server_time = server_time
        self.our_time: datetime | None = None


class Refused(GatewayError):
    """The gateway understood and declined; the same again would be declined again.

    `status` is the one of section 3, `code` the wx_code that comes with a 555.
    """

    def __init__(self, message: str, *, exchange: Exchange | None, status: int, code: str | None = None) -> None:
        super().__init__(message, exchange=exchange)
        self.status = status
        self.code = code


class NotFound(Refused):
    """404 in the gateway's own words, or a query answered about another push: it does not know ours."""


class Unknown(GatewayError):
    """It was sent and the answer was not understood: it may be done or not; only a query can tell."""


class OtherRecord(Unknown):
    """The answer is about somebody else's record: of ours it says nothing. `message` names nothing of it."""


class Misuse(GatewayError, ValueError):
    """Our mistake: the parameters do not fit the document; nothing was sent. `message` names no value."""

    def __str__(self) -> str:
        return f"Misuse: {self.message}"


class UnreadableKey(ValueError):
    """A key is missing, protected by a password, broken, or not RSA."""


class RefusedNotification(ValueError):
    """A notification that must not be believed (10). Its text names no value."""


class ForgedNotification(RefusedNotification):
    """The signature is not the gateway's over this content."""


class MalformedNotification(RefusedNotification):
    """The signature is right, or could not be asked for, but the content is not what section 10 describes."""
