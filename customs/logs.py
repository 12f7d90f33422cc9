"""Logs: one line of JSON per event to stderr; libraries that would print addresses or statements stay quiet."""

import logging
import sys

import structlog

QUIET = ("urllib3", "sqlalchemy", "rq", "alembic", "waitress")


def configure(level: str) -> None:
    """Set up this process's logs; `level` as in CUSTOMS_LOG_LEVEL."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=threshold, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for name in QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Tracebacks without the values of variables: those may be names and ID numbers.
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
