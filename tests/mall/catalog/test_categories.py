from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.database import db
from app.mall.catalog.models import Category
from app.mall.catalog.queries import category_by_code
from tests.cast import employ, sign_in
from tests.mall.catalog.shelf import audit_trail, make_category, put_on_shelf

OFFICE = "/backoffice/categories"


@pytest.fixture
def office(client, merchant):
    return sign_in(client, merchant)


def filled(**changes):
    return {"code": "tea", "name_en": "Tea", "name_zh_Hans": "茶", "name_zh_Hant": "", "rank": "2", **changes}


def test_a_category_is_made_and_renamed_and_keeps_its_code(app, office):
    assert office.post(OFFICE, data=filled()).status_code == 303
    tea = category_by_code("tea")
    assert (tea.name, tea.rank) == ({"en": "Tea", "zh_Hans": "茶"}, 2)
    office.post(f"{OFFICE}/{tea.id}", data=filled(code="other", name_en="Teas"))
    assert category_by_code("tea").name["en"] == "Teas"
    assert category_by_code("other") is None
    assert audit_trail()[-2:] == ["category.create", "category.update"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"code": "Tea & more"}, "small letters"),
        ({"code": ""}, "small letters"),
        ({"name_en": "", "name_zh_Hans": ""}, "at least one language"),
        ({"name_en": "<b>Tea</b>"}, "without &lt; and &gt;"),
        ({"rank": "first"}, "whole number"),
        ({"rank": "-1"}, "from 0 to"),
    ],
)
def test_nonsense_makes_no_category(app, office, changes, sentence):
    answer = office.post(OFFICE, data=filled(**changes))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Category)) == 0


def test_a_code_is_given_once(app, office):
    office.post(OFFICE, data=filled())
    answer = office.post(OFFICE, data=filled(name_en="Other"))
    assert answer.status_code == 422
    assert "already" in answer.text


def test_members_see_only_categories_with_something_in_them(app, client):
    make_category("empty", "Empty shelf", "空")
    put_on_shelf("Tea", category="tea")
    page = client.get("/mall").text
    assert "category=tea" in page
    assert "Empty shelf" not in page


def test_who_only_reads_makes_no_category(app, client):
    desk = sign_in(client, employ("auditor", "Aya Sun"))
    assert desk.get(OFFICE).status_code == 200
    assert desk.post(OFFICE, data=filled()).status_code == 403
    assert category_by_code("tea") is None
