"""What sets the channels apart: a row each, and none that behaves as another one."""

from customs.declarations.channels import CHANNELS, ROWS
from customs.declarations.fields import Kind
from customs.declarations.offices import OFFICES
from customs.gateway import Channel
from customs.imports.rows import read_cell


def test_every_channel_has_a_row():
    assert set(CHANNELS) == set(ROWS) == set(Channel)


def test_no_word_of_a_spreadsheet_means_two_channels():
    spellings = [spelling for row in CHANNELS.values() for spelling in row.spellings]

    assert len(spellings) == len(set(spellings))


def test_a_channel_is_read_by_its_value_and_by_what_people_call_it():
    for channel, row in CHANNELS.items():
        for word in (channel.value, row.name, row.chinese):
            assert read_cell(word, Kind.CHANNEL) == (channel.value, None)


def test_offices_have_codes_of_known_channels_only():
    assert {channel for office in OFFICES.values() for channel in office.codes} <= set(CHANNELS)
