"""Labels of enums: the application does not start while a member of one has none."""

from enum import Enum, StrEnum

import pytest
from flask import Flask

from customs.app import create_bare_app
from customs.imports.preview_model import RowStatus
from customs.lanes.queries import Light
from customs.web import labels
from customs.web.labels import Label
from customs.webhooks.models import DeliveryState


class Tide(StrEnum):
    HIGH = "high"
    LOW = "low"


def test_a_member_without_a_label_is_refused_at_the_start():
    with pytest.raises(ValueError, match=r"low.* of Tide"):
        labels.init_app(Flask(__name__), {Tide: {Tide.HIGH: Label("High", "water", "plain")}})


@pytest.mark.parametrize("enum", [RowStatus, Light, DeliveryState])
def test_the_application_knows_every_label_of(enum: type[Enum]):
    assert create_bare_app().extensions["labels"][enum].keys() == set(enum)
