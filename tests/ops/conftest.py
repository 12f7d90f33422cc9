"""What operations look after: an audit trail, and an endpoint that is told of events."""

from tests.audit.conftest import trail  # noqa: F401
from tests.webhooks.conftest import courier  # noqa: F401
