"""Every page stands in a layout and keeps the strict Content-Security-Policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.config import ROOT

FOLDER = ROOT / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
SAFE: dict[str, str] = {}  # template → why |safe is right there
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=", re.I),
    "an inline handler": re.compile(r"\son[a-z]+\s*=", re.I),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)[^>]*>", re.I),
    "an inline stylesheet": re.compile(r"<style\b", re.I),
    "a javascript: address": re.compile(r"javascript:", re.I),
    "an address elsewhere": re.compile(r"(src|href|action)=[\"']?(https?:)?//", re.I),
}
FORM = re.compile(r"<form\b[^>]*method=[\"']?post.*?</form>", re.I | re.S)


def name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def is_part(path: Path) -> bool:
    """Macros and parts of pages start with an underscore or live among the components; mails have no layout."""
    return path.name.startswith("_") or path.parent.name in ("components", "layouts", "emails", "email")


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_nothing_that_the_policy_would_block(path):
    text = path.read_text()
    found = [what for what, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert not found


@pytest.mark.parametrize("path", [path for path in TEMPLATES if not is_part(path)], ids=name)
def test_every_page_stands_in_a_layout(path):
    seen = [path]
    while parent := re.search(r"{%-?\s*extends\s+[\"']([^\"']+)[\"']", seen[-1].read_text()):
        seen.append(FOLDER / parent[1])
    assert seen[-1] == FOLDER / "layouts" / "base.html"


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_what_people_wrote_is_escaped(path):
    text = path.read_text()
    if name(path) not in SAFE:
        literals_apart = re.sub(r"(\"[^\"]*\"|'[^']*')\s*\|\s*safe\b", "", text)
        assert not re.search(r"\|\s*safe\b", literals_apart)
        assert not re.search(r"autoescape\s+false", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_form_that_posts_carries_its_token(path):
    for form in FORM.findall(path.read_text()):
        assert "csrf_token" in form or "hidden_tag" in form or "caller()" in form, form[:120]


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_words_for_people_can_be_translated(path):
    """No English sentence stands bare between tags."""
    text = re.sub(
        r"{#.*?#}|{%.*?%}|{{.*?}}|<(script|style|svg)\b.*?</\1>|<!--.*?-->", "¶", path.read_text(), flags=re.S
    )
    bare = [words for words in re.findall(r">([^<>¶]*)<", text) if re.search(r"[A-Za-z]{3,}", words)]
    assert not bare
