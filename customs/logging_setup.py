"""Logs: one line of JSON per event to stderr; libraries that would print addresses or statements stay quiet.

Nothing fails because it cannot be told: a disk that is full, a pipe that nobody reads, letters a console has not.
"""

import io
import logging
import os
import sys
from contextlib import suppress
from typing import Any

import structlog

QUIET = ("urllib3", "sqlalchemy", "rq", "alembic", "waitress")
# Letters that a console does not have are written by their number: nothing is lost, and JSON reads them.
UNWRITABLE = "backslashreplace"


class SteadyStream(io.TextIOWrapper):
    """A stream of text that drops what cannot be written."""

    def write(self, text: str) -> int:
        # ValueError: somebody closed it.
        with suppress(OSError, ValueError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            super().flush()

    def close(self) -> None:
        """The stream below is somebody else's."""
        self.flush()


def steady_streams() -> None:
    """Let this process survive its own words: what stderr cannot take is dropped, and no letter is too rare."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # Whoever started us closed it; what opens next must not get its number.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the whole process
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=UNWRITABLE)
    sys.stderr = _steady(sys.stderr)


def silence_output() -> None:
    """Let what stdout still holds go nowhere: at the end of the process it would fail once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def configure(level: str) -> None:
    """Set up this process's logs; `level` as in CUSTOMS_LOG_LEVEL."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    stream = _steady(sys.stderr)
    logging.basicConfig(level=threshold, stream=stream, format="%(levelname)s %(name)s %(message)s")
    for name in QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Tracebacks without the values of variables: those may be names and ID numbers.
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=not _writes_everything(stream)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )


def _steady(stream: Any) -> Any:
    """The same stream, which fails no more; one that has no bytes below, as tests have them, as it is."""
    buffer = getattr(stream, "buffer", None)
    if buffer is None or isinstance(stream, SteadyStream):
        return stream
    return SteadyStream(buffer, encoding=stream.encoding, errors=UNWRITABLE, line_buffering=True)


def _writes_everything(stream: Any) -> bool:
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")
