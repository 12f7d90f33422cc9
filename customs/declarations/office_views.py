"""The page of offices: what a clerk picks, which customs codes that means for each channel, and in which order."""

from dataclasses import dataclass

from flask import Blueprint, Response
from flask_babel import lazy_gettext

from customs.auth.principal import Scope
from customs.declarations.offices import OFFICES, CustomsCode, Office, codes_for, waits_for_the_one_before
from customs.gateway import Channel
from customs.web.labels import Label
from customs.web.rendering import render_page
from customs.web.request import allow_only_arguments
from customs.web.session_auth import login_required

pages = Blueprint("office_pages", __name__, url_prefix="/admin/offices")

_ = lazy_gettext
NO_REPUSH = Label(_("no re-push"), "slash-circle", "except")


@dataclass(frozen=True)
class Row:
    """An office with its name in both languages, and its codes by channel; `waiting`: where one waits for another."""

    office: str
    chinese: str
    english: str
    codes: dict[Channel, tuple[CustomsCode, ...]]
    waiting: frozenset[Channel]


@pages.get("")
@login_required(Scope.DECLARATIONS_READ)
def show_offices() -> Response:
    allow_only_arguments()
    rows = [_row(office) for office in OFFICES.values() if office.enabled]
    return render_page("admin/offices.html", rows=rows, channels=list(Channel), no_repush=NO_REPUSH)


def _row(office: Office) -> Row:
    codes = {channel: codes_for(channel, office.office) for channel in Channel}
    waiting = frozenset(channel for channel in Channel if waits_for_the_one_before(channel, office.office))
    return Row(office.office, office.name, office.english, codes, waiting)
