"""The catalogues of translations: ``python -m tools.catalogues update | check | compile | draft``.

``update`` brings the .po files in step with the sources; ``check`` says what is still missing in them;
``compile`` writes the .mo files that the server reads; ``draft`` proposes zh_Hant texts from zh_Hans, marked
fuzzy until somebody has read them. English needs no catalogue: it is what the sources say.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "app" / "translations"
LOCALES = ("zh_Hans", "zh_Hant")
PAGES = ("**.html", "**.txt", "**.sms")
SOURCES = {"app": [("**.py", "python")], "templates": [(pattern, "jinja2") for pattern in PAGES]}
OPTIONS = {pattern: {"silent": "false"} for pattern in PAGES}
KEYWORDS = DEFAULT_KEYWORDS | {"_l": None, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
NOISE = re.compile(
    r"^(\"(POT-Creation|PO-Revision|Last-Tr|Language-T|Generated|Project-Id|Report)|#($| ))[^\n]*\n", re.M
)
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def extract() -> Catalog:
    """Every string of the sources that a person may read."""
    found = Catalog()
    for folder, methods in SOURCES.items():
        for entry in extract_from_dir(ROOT / folder, methods, OPTIONS, KEYWORDS, comment_tags=("Translators:",)):
            _file, _line, texts, comments, context = entry
            found.add(texts, auto_comments=comments, context=context)
    return found


def path(locale: str, ending: str = "po") -> Path:
    return FOLDER / locale / "LC_MESSAGES" / f"messages.{ending}"


def load(locale: str) -> Catalog:
    if not path(locale).exists():
        return Catalog(locale=locale, domain="messages", project="Jifen", fuzzy=False)
    with path(locale).open("rb") as file:
        return read_po(file, locale=locale, domain="messages")


def save(locale: str, catalog: Catalog) -> None:
    catalog.fuzzy = False
    file = path(locale)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        write_po(out, catalog, no_location=True, sort_output=True, ignore_obsolete=True, width=110)
    # Dates of extraction and revision would change every time and say nothing.
    file.write_text(NOISE.sub("", file.read_text()))


def update() -> None:
    found = extract()
    for locale in LOCALES:
        catalog = load(locale)
        # A guess by likeness would be wrong as often as right: a new string begins empty.
        catalog.update(found, no_fuzzy_matching=True)
        save(locale, catalog)
        print(f"{locale}: {len(catalog)} texts, {len(list(faults(catalog, found)))} to do")


def compile_all() -> None:
    for locale in LOCALES:
        source, target = path(locale), path(locale, "mo")
        if source.exists() and not (target.exists() and target.stat().st_mtime >= source.stat().st_mtime):
            with target.open("wb") as out:
                write_mo(out, load(locale))


def faults(catalog: Catalog, found: Catalog) -> Iterator[str]:
    """What keeps this catalogue from being complete, one sentence each."""
    for wanted in messages(found):
        name = repr(wanted.id)
        entry = catalog.get(wanted.id, wanted.context)
        texts = translations(entry) if entry else []
        if not texts or not all(texts):
            yield f"not translated: {name}"
        elif entry and entry.fuzzy:
            yield f"fuzzy, not yet read by anybody: {name}"
        elif any(placeholders(text) != placeholders(translations_source(wanted)) for text in texts):
            yield f"other placeholders than its source: {name}"
    for entry in messages(catalog):
        if found.get(entry.id, entry.context) is None:
            yield f"no longer in the sources: {entry.id!r}"


def messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def translations(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def translations_source(message: Message) -> str:
    """Chinese has one form for any number: it must say what the plural says."""
    return message.id if isinstance(message.id, str) else message.id[-1]


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def check() -> None:
    found = extract()
    problems = [f"{locale}: {fault}" for locale in LOCALES for fault in faults(load(locale), found)]
    for problem in problems[:40]:
        print(problem)
    if problems:
        sys.exit(f"{len(problems)} texts are not in order. `make catalogues` adds what is new; then translate it.")
    print(f"Catalogues: {len(found)} texts in each of {', '.join(LOCALES)}.")


def draft() -> None:
    from opencc import OpenCC  # noqa: PLC0415 - a developer's tool; the server does not have it.

    convert = OpenCC("s2twp").convert
    source, target = load("zh_Hans"), load("zh_Hant")
    for message in messages(source):
        theirs = target.get(message.id, message.context)
        if theirs is None or all(translations(theirs)) or not all(translations(message)):
            continue
        texts = [convert(text) for text in translations(message)]
        theirs.string = texts[0] if isinstance(message.id, str) else tuple(texts)
        theirs.flags.add("fuzzy")
    save("zh_Hant", target)


if __name__ == "__main__":
    {"update": update, "check": check, "compile": compile_all, "draft": draft}[sys.argv[1]]()
