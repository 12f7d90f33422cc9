"""What goes out about events, webhook endpoints and deliveries."""

from customs.site.openapi.json_schema import (
    Json,
    choice,
    id_of,
    instant,
    list_of,
    nullable,
    page_of,
    ref,
    text,
    thing,
    whole,
)
from customs.webhooks.models import DeliveryState
from customs.webhooks.queries import EVENT_TYPES

DATA: Json = {"type": "object", "description": "Ids and states; read the thing by its id. No personal data."}
ENDPOINT: dict[str, Json] = {
    "id": id_of("whe"),
    "created_at": instant(),
    "url": text(),
    "types": nullable(list_of(choice(EVENT_TYPES), "Null: all of them.")),
    "description": nullable(text()),
    "merchants": nullable(list_of(text(), "Null: every merchant.")),
    "state": choice(("active", "paused")),
    "paused_at": nullable(instant()),
    "paused_why": nullable(text()),
    "failures": whole("Failures in a row."),
    "failing_since": nullable(instant()),
    "held_until": nullable(instant("Nothing goes there before this.")),
    "previous_secret_until": nullable(instant("Until then deliveries carry both signatures.")),
}
ATTEMPT = thing(
    {
        "at": instant(),
        "url": text(),
        "status": nullable(whole()),
        "duration_ms": whole(),
        "response": nullable(text()),
        "error": nullable(text()),
    }
)
DELIVERY = thing(
    {
        "id": id_of("whd"),
        "created_at": instant(),
        "endpoint_id": id_of("whe"),
        "event_id": id_of("evt"),
        "state": choice(DeliveryState),
        "due_at": nullable(instant()),
        "ended_at": nullable(instant()),
        "request": thing({"type": text(), "timestamp": instant(), "data": DATA}),
        "attempts": list_of(ref("DeliveryAttempt")),
    }
)
LOGGED: dict[str, Json] = {
    "request_id": text(),
    "at": instant(),
    "key_id": nullable(text()),
    "method": text(),
    "path": text(),
    "query": nullable(text()),
    "status": whole(),
    "duration_ms": whole(),
}
SIDE = thing({"size": nullable(whole()), "sha256": nullable(text()), "body": nullable(text("Masked."))})
WEBHOOK_ANSWERS: dict[str, Json] = {
    "LoggedRequest": thing(LOGGED),
    "LoggedRequestDetail": thing(LOGGED | {"request": SIDE, "response": SIDE}),
    "LoggedRequestPage": page_of("LoggedRequest"),
    "Event": thing(
        {
            "id": id_of("evt"),
            "type": text(),
            "created_at": instant(),
            "merchant_no": nullable(text()),
            "data": DATA,
        }
    ),
    "EventPage": page_of("Event"),
    "Endpoint": thing(ENDPOINT),
    "EndpointWithSecret": thing(ENDPOINT | {"secret": text("Shown in this answer only.", examples=["whsec_..."])}),
    "EndpointPage": page_of("Endpoint"),
    "Resent": thing({"event_id": id_of("evt"), "deliveries": list_of(id_of("whd"))}),
    "TestSent": thing({"event_id": id_of("evt"), "type": text(), "endpoint_id": id_of("whe")}),
    "Delivery": DELIVERY,
    "DeliveryAttempt": ATTEMPT,
    "DeliveryPage": page_of("Delivery"),
}
