"""Filters with a name: one's own, by page, replaced under the same name, and not too many."""

import pytest

from customs.auth.saved_filters import MOST_SAVED, remove_filter, save_filter, saved_filters_of
from customs.container import Services
from customs.errors import NotFound, ValidationFailed
from tests.make import NOON


def kept(services: Services, name: str, query: str = "office=NINGBO", person: str = "me", page: str = "list") -> str:
    with services.transaction() as db:
        return save_filter(db, person, page, name, query, NOON).id


def names(services: Services, person: str = "me", page: str = "list") -> list[tuple[str, str]]:
    with services.reading() as db:
        return [(one.name, one.query) for one in saved_filters_of(db, person, page)]


def test_filters_are_a_persons_own_and_belong_to_a_page(services: Services):
    kept(services, "mine")
    kept(services, "another's", person="somebody")
    kept(services, "of another page", page="review")

    assert names(services) == [("mine", "office=NINGBO")]


def test_the_same_name_again_replaces_the_filter(services: Services):
    assert kept(services, "mine", "?office=XIAN") == kept(services, " mine ", "office=NINGBO")
    assert names(services) == [("mine", "office=NINGBO")]


@pytest.mark.parametrize(
    ("name", "query"),
    [("", "a=b"), ("x" * 41, "a=b"), ("a\x00b", "a=b"), ("mine", ""), ("mine", "a=\n"), ("mine", "a" * 1001)],
)
def test_what_is_no_name_or_no_filter_is_refused(services: Services, name: str, query: str):
    with pytest.raises(ValidationFailed):
        kept(services, name, query)


def test_there_are_not_too_many(services: Services):
    for number in range(MOST_SAVED):
        kept(services, f"filter {number}")

    with pytest.raises(ValidationFailed):
        kept(services, "one too many")
    assert len(names(services)) == MOST_SAVED


def test_only_its_person_forgets_it(services: Services):
    filter_id = kept(services, "mine")

    with pytest.raises(NotFound), services.transaction() as db:
        remove_filter(db, "somebody", filter_id)
    with services.transaction() as db:
        remove_filter(db, "me", filter_id)

    assert names(services) == []
