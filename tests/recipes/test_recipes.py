"""Each recipe of the development guide, carried out on one copy of the product: it holds, and needs no further file."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.recipe import Recipe
from tests.recipes.recipes import RECIPES

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "development.md"
LEADS_ON, ASKS_MORE = (302, 303), (422,)


@dataclass(frozen=True)
class Shown:
    """What the copy showed: by page and language its text, its status, and what was done with the new things."""

    texts: Mapping[str, str]
    statuses: Mapping[str, Any]

    def page(self, rule: str, language: str = "en") -> str:
        return self.texts[f"{rule} {language}"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """One copy with everything added, and all that it shows."""
    copy, folder = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("shown")
    for part in ("customs", "workers", "migrations"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests").symlink_to(ROOT / "tests")
    for recipe in RECIPES:
        for edit in recipe.edits:
            edit.apply(copy)
    done = subprocess.run(
        [sys.executable, "-m", "tests.recipes.probe", str(folder)],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    statuses = json.loads((folder / "statuses.json").read_text(encoding="utf-8"))
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.txt"))]
    return Shown(dict(zip(statuses, texts, strict=False)), statuses)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_needs_no_more_files_than_it_may(recipe: Recipe):
    assert len(recipe.files) <= recipe.most_files


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_guide_names_every_file_of_a_recipe(recipe: Recipe):
    row = next(line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {recipe.name} |"))
    named = re.findall(r"`([\w./]+)`", row.replace("<language>", "de"))

    assert {file for file in recipe.files if not file.startswith(tuple(named))} == set()


def test_every_page_is_shown_with_all_of_it(shown: Shown):
    wrong = {
        name: status
        for name, status in shown.statuses.items()
        if name.startswith("/") and status not in (200, *LEADS_ON, *ASKS_MORE)
    }

    assert wrong == {}


def test_an_office_is_picked_pushed_and_exported(shown: Shown):
    assert shown.statuses["a_declaration_at_the_new_office"] == ["QINGDAO_ZS", "ZONGSHU"]
    for rule in ("/admin/offices", "/import/template.xlsx", "/declarations"):
        assert "青岛" in shown.page(rule, "zh_CN")
        assert "Qingdao" in shown.page(rule) or "QINGDAO" in shown.page(rule)


def test_a_column_goes_from_the_spreadsheet_to_the_gateway_and_back(shown: Shown):
    places = ["page", "draft", "wechatpay", "alipay", "result", "event"]
    assert shown.statuses["a_declaration_with_the_new_column"] == places
    schemas = json.loads(shown.page("/api/v1/openapi.json"))["components"]["schemas"].values()
    assert all("logistics_no" in one["properties"] for one in schemas if "duty" in one.get("properties", {}))
    for words in ("物流单号", "运单号。"):
        assert words in shown.page("/import/template.xlsx", "zh_CN")
    for rule in ("/import/template.xlsx", "/import", "/api/v1/openapi.json"):
        assert "logistics_no" in shown.page(rule)


def test_a_channel_declares_to_the_end_and_is_shown_everywhere(shown: Shown):
    found = shown.statuses["a_declaration_through_the_new_channel"]
    assert found["calls"][0][0] == "SUBMIT"
    assert found["calls"][-1] == ["QUERY", "SUCCESS", True]
    assert (found["state"], found["draft"], found["page"]) == ("SUCCESS", True, True)
    assert ["UnionPay" in cells for cells in found["result"]] == [True]
    assert "银联" in shown.page("/import/template.xlsx", "zh_CN")
    for rule in ("/declarations", "/admin/offices"):
        assert "UnionPay" in shown.page(rule)
        assert "银联" in shown.page(rule, "zh_CN")
    assert "unionpay" in shown.page("/api/v1/openapi.json")


def test_a_rule_is_held_against_what_comes_in(shown: Shown):
    assert shown.statuses["what_the_new_rule_finds"] == ["duty_unlucky"]
    assert "duty_unlucky" in shown.page("/errors")


def test_an_error_has_its_page(shown: Shown):
    assert 'href="/errors/tide_too_low"' in shown.page("/errors")
    assert "No ship comes in at this hour." in shown.page("/errors")


def test_a_role_opens_the_pages_of_its_scopes(shown: Shown):
    assert shown.statuses["somebody_of_the_new_role"] == [200, 200, 403]
    assert "Auditor" in shown.page("/admin/people/new")


def test_an_event_may_be_waited_for(shown: Shown):
    assert shown.statuses["the_new_event_reaches_its_endpoint"] == 1
    for rule in ("/developers/webhooks/new", "/api/v1/openapi.json"):
        assert "declaration.archived" in shown.page(rule)


def test_a_payment_method_is_offered_and_described(shown: Shown):
    assert "wechatpay.face_pay" in shown.page("/payments/new")
    assert "The payer looks into a camera." in shown.page("/payments/new")
    assert "`face_pay` | auth_code" in shown.page("/api/v1/openapi.json")


def test_a_currency_is_collected_in(shown: Shown):
    for rule in ("/payments/new", "/rates", "/api/v1/openapi.json"):
        assert "SGD" in shown.page(rule)


def test_a_scenario_of_the_sandbox_is_in_the_guide(shown: Shown):
    for rule in ("/docs/guide", "/developers/sandbox"):
        assert "ARCHIVED-LATE" in shown.page(rule)


def test_a_language_is_one_file_of_translations_and_a_guide(shown: Shown):
    assert "Importieren" in shown.page("/import", "de")
    for words in ("Zollamt wählen.", "Hinweise"):
        assert words in shown.page("/import/template.xlsx", "de")
    assert "Fehlerhafte Zeilen" in shown.page("/import/<draft_id>/faulty.xlsx", "de")
    assert "Anleitung" in shown.page("/docs/guide", "de")
    assert 'lang="de"' in shown.page("/", "de")
    assert "Dieser Zoll bringt kein Glück." in shown.page("/errors")
