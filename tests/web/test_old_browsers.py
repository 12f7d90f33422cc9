"""The desk works in Chrome 109, the last for Windows 7: nothing newer in what we wrote, nothing its pages forbid."""

import re
from pathlib import Path

import pytest

from customs.web.rendering import STATIC

OLDEST = 109
CUSTOMS = Path(__file__).parents[2] / "customs"
TEMPLATES = sorted((CUSTOMS / "web" / "templates").rglob("*.html"))
SCRIPTS, STYLESHEETS = sorted(STATIC.glob("*.js")), sorted(STATIC.glob("*.css"))

# What is newer, and the Chrome that was the first to know it.
NEWER_IN_SCRIPTS = {
    r"\.toSorted\(|\.toReversed\(|\.toSpliced\(|\.with\(": 110,
    r"isWellFormed|toWellFormed": 111,
    r"startViewTransition": 111,
    r"/[a-z]*v[a-z]*\.(?:test|exec)\(|RegExp\([^)]*, \"[a-z]*v": 112,
    r"showPopover|hidePopover|togglePopover|\.popover\b": 114,
    r"\bscrollend\b": 114,
    r"AbortSignal\.any": 116,
    r"Object\.groupBy|Map\.groupBy": 117,
    r"Promise\.withResolvers": 119,
    r"URL\.canParse": 120,
    r"Array\.fromAsync": 121,
    r"\.(?:union|intersection|difference|symmetricDifference|isSubsetOf|isSupersetOf|isDisjointFrom)\(": 122,
    r"\.(?:values|keys|entries)\(\)\.\w+|Iterator\.from": 122,
    r"\bimport\b.*\bwith\b": 123,
    r"parseHTMLUnsafe|setHTMLUnsafe|getHTML\b": 124,
    r"URL\.parse\b": 126,
    r"Promise\.try": 128,
    r"scheduler\.yield|Intl\.DurationFormat": 129,
    r"moveBefore": 133,
    r"\busing \w+ =|requestClose": 134,
    r"RegExp\.escape": 136,
    r"\bTemporal\.": 144,
}
NEWER_IN_STYLESHEETS = {
    r"color-mix\(|oklch\(|oklab\(|\blab\(|\blch\(": 111,
    r"view-transition": 111,
    r"\blinear\(": 113,
    r"text-wrap": 114,
    r":popover-open": 114,
    r"animation-timeline|view-timeline": 115,
    r"\bsubgrid\b|transition-behavior|@starting-style": 117,
    r"@scope": 118,
    r":user-valid|:user-invalid": 119,
    r"(?<!-)\bmask(?:-\w+)?:": 120,
    r"scrollbar-color|scrollbar-width": 121,
    r"light-dark\(|field-sizing": 123,
    r"\b(?:round|rem|mod)\(|anchor-name|position-anchor|@position-try": 125,
    r"interpolate-size|calc-size\(|::details-content": 131,
    r"text-box|\battr\([^)]+,|\bif\(": 137,
}
NEWER_IN_TEMPLATES = {
    r"\bpopover(?:target)?\b": 114,
    r"<details[^>]*\sname=": 120,
    r"\bclosedby=": 134,
    r"\bcommand(?:for)?=": 135,
}
# What the pages' policy stops, and htmx's ways of running text as a script, which it stops as well.
AGAINST_THE_POLICY = {
    "an inline style": r"<style|\sstyle=",
    "an inline script": r"<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:",
    "hx-on": r"hx-on\b",
    "a filter of a trigger": r"hx-trigger=[\"'][^\"']*\[",
    "a value that is worked out": r"hx-(?:vals|headers|confirm)\S*=[\"'](?:js|javascript):",
    "something from elsewhere": r"(?:src|href|action)=[\"'](?:https?:)?//",
}


def newer_features(files: list[Path], newer: dict[str, int]) -> set[tuple[str, str, int]]:
    return {
        (file.name, found[0], version)
        for file in files
        for pattern, version in newer.items()
        for found in re.finditer(pattern, without_comments(file.read_text()))
        if version > OLDEST
    }


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*|\{#.*?#\}", "", text, flags=re.DOTALL)


def test_our_scripts_use_nothing_newer():
    assert SCRIPTS
    assert newer_features(SCRIPTS, NEWER_IN_SCRIPTS) == set()


def test_our_stylesheets_use_nothing_newer():
    assert STYLESHEETS
    assert newer_features(STYLESHEETS, NEWER_IN_STYLESHEETS) == set()


def test_our_templates_use_nothing_newer():
    assert newer_features(TEMPLATES, NEWER_IN_TEMPLATES) == set()


@pytest.mark.parametrize("file", STYLESHEETS, ids=lambda file: file.name)
def test_no_rule_stands_within_another(file: Path):
    """Chrome reads nested rules from 112 on."""
    around: list[str] = []
    for before, mark in re.findall(r"([^{}]*)([{}])", without_comments(file.read_text())):
        if mark == "}":
            around.pop()
            continue
        assert all(rule.startswith("@") for rule in around), before
        around.append(before.rpartition(";")[2].strip())


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.relative_to(CUSTOMS / "web" / "templates").as_posix())
def test_a_template_asks_for_nothing_that_the_policy_stops(file: Path):
    text = without_comments(file.read_text())

    assert [action for action, pattern in AGAINST_THE_POLICY.items() if re.search(pattern, text)] == []
