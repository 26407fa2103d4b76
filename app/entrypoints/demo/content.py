"""What the demo is about, read from small files: the catalogue, the people, the quizzes and the courses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from app.foundation.money import Money, minor_units

FOLDER = Path(__file__).parent
Texts = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSheet:
    """One product. ``worth``, ``money`` and the cash of ``ways`` in major units; ``age`` is how many days ago it came.

    ``sale`` is in how many days it begins and ends, ``listed_in`` in how many members see it; ``limit`` is pieces and
    period.
    """

    sku: str
    unit: str
    category: str
    kind: str
    pictures: list[str]
    tone: str
    worth: str
    ways: list[tuple[int, str]]
    stock: int
    age: int
    name: Texts
    description: Texts
    status: str = "listed"
    brand: str = ""
    grants: str = ""
    money: str = ""
    tier: str = ""
    limit: tuple[int, str] | None = None
    sale: tuple[int | None, int | None] = (None, None)
    listed_in: int = 0
    variants: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PersonSheet:
    email: str
    name: str
    gender: str
    birth_date: date


@cache
def _read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def units() -> dict[str, Texts]:
    """Code → name by language."""
    return {unit["code"]: unit["name"] for unit in _read("catalogue.json")["units"]}


def brands() -> dict[str, Texts]:
    """Code → name by language."""
    return {brand["code"]: brand["name"] for brand in _read("catalogue.json")["brands"]}


def products() -> list[ProductSheet]:
    """The catalogue, the oldest product first."""
    return [ProductSheet(**sheet) for sheet in _read("catalogue.json")["products"]]


def member(name: str, locale: str) -> PersonSheet:
    return _person(_read("people.json")["members"][name], locale)


def crowd(count: int, locale: str) -> list[PersonSheet]:
    """``count`` more people; where the names run out they come again with a number."""
    sheets = _read("people.json")["crowd"]
    people = []
    for place in range(count):
        lap, index = divmod(place, len(sheets))
        person = _person(sheets[index], locale)
        if lap:
            name, _, domain = person.email.partition("@")
            person = PersonSheet(
                f"{name}{lap + 1}@{domain}", f"{person.name} {lap + 1}", person.gender, person.birth_date
            )
        people.append(person)
    return people


def _person(sheet: dict[str, Any], locale: str) -> PersonSheet:
    born = date.fromisoformat(sheet["birth_date"])
    return PersonSheet(sheet["email"], sheet["name"][locale], sheet["gender"], born)


def staff(locale: str) -> list[dict[str, Any]]:
    """Email, role, name and units of each colleague; the owner first."""
    return [{"units": [], **sheet, "name": sheet["name"][locale]} for sheet in _read("people.json")["staff"]]


def address(number: int, locale: str) -> Texts:
    addresses = _read("people.json")["addresses"]
    found: Texts = addresses[number % len(addresses)][locale]
    return found


def carriers(locale: str) -> list[str]:
    found: list[str] = _read("people.json")["carriers"][locale]
    return found


def money(major: str, currency: str) -> Money:
    """``"9.90"`` in the programme's currency; where it has no minor units, rounded to whole ones."""
    return Money(round(Decimal(major) * minor_units(currency)), currency)


def quizzes() -> list[dict[str, Any]]:
    """``opens`` and ``closes`` are days ago; texts by language."""
    return list(_read("quizzes.json"))


def courses() -> list[dict[str, Any]]:
    """``published`` is days ago; ``given`` and ``readers`` name members by their place, and how many days ago each
    was given access or read a lesson. Texts by language: longer ones are written as their paragraphs."""
    return [
        {
            "given": {},
            **sheet,
            "description": _paragraphs(sheet["description"]),
            "lessons": [{**lesson, "body": _paragraphs(lesson["body"])} for lesson in sheet["lessons"]],
        }
        for sheet in _read("courses.json")
    ]


def _paragraphs(texts: dict[str, list[str]]) -> Texts:
    return {locale: "\n\n".join(paragraphs) for locale, paragraphs in texts.items()}
