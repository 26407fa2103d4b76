"""Declared screens, keyset pages, terms, the audit log, the start page."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_wtf import FlaskForm
from wtforms import StringField

from app.config import ROOT
from app.foundation import audit
from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry, action_label
from app.foundation.database import db, transaction
from app.foundation.listing import part_of
from app.foundation.permissions import Permission
from app.foundation.screens import Column, Screen
from app.foundation.screens.screen import BOOKS
from app.identity.members.models import Member
from app.identity.units.models import Unit
from app.loyalty.ledger.models import Transfer
from tests.cast import make_unit, sign_in
from tests.conftest import NOON


def entries(**facts) -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AuditEntry).filter_by(**facts).order_by(AuditEntry.id)))


# --- pages by the last row seen -------------------------------------------------------------


@pytest.fixture
def crowd(app) -> list[int]:
    """Twenty-five entries, several of one moment."""
    with transaction():
        for n in range(25):
            audit.record("x.create", subject=("x", n, f"x{n}"), by=SYSTEM, now=NOON + timedelta(minutes=n // 4))
    return [entry.id for entry in entries()]


def walk(newest_first: bool, limit: int) -> Iterator[int]:
    after = None
    for _ in range(30):
        part = part_of(
            sa.select(AuditEntry),
            keys=[AuditEntry.at, AuditEntry.id],
            after=after,
            limit=limit,
            newest_first=newest_first,
        )
        yield from (entry.id for entry in part.items)
        if (after := part.after) is None:
            return


@pytest.mark.parametrize("limit", [1, 4, 5, 24, 25, 26])
def test_pages_show_every_row_once_in_order(crowd, limit):
    assert list(walk(True, limit)) == crowd[::-1]
    assert list(walk(False, limit)) == crowd


@pytest.mark.parametrize(
    "after", ["x", "W10", "WzEsMl0", "bnVsbA", "💥", "WyIyMDI2LTA2LTE1VDA0OjAwOjAwIiwxXQ", "e30", "a" * 9999]
)
def test_an_edited_address_begins_at_the_beginning(crowd, after):
    part = part_of(sa.select(AuditEntry), keys=[AuditEntry.at, AuditEntry.id], after=after, limit=5)
    assert [entry.id for entry in part.items] == crowd[:-6:-1]


# --- declared tables ------------------------------------------------------------------------


class PlainForm(FlaskForm):
    code = StringField()


def plain(model: type, **more) -> Screen:
    return Screen(
        name="plain",
        title="Plain",
        one="One",
        new="New",
        model=model,
        read=Permission.UNIT_READ,
        columns=[Column(label="Id", value=lambda row: row.id, head=True)],
        **more,
    )


@pytest.mark.parametrize("room", BOOKS)
def test_books_are_never_written_by_a_screen(app, room):
    kept = [mapper.class_ for mapper in db.Model.registry.mappers if f"{mapper.class_.__module__}.".startswith(room)]
    assert kept
    for model in kept:
        with pytest.raises(TypeError, match="keeps books"):
            plain(model, write=Permission.UNIT_WRITE, form=PlainForm)
    assert plain(Transfer).write is None


def test_a_screen_that_is_only_read_has_no_way_to_write():
    made = Flask("reader")
    made.register_blueprint(plain(Member).blueprint())
    assert {rule.endpoint for rule in made.url_map.iter_rules()} == {"static", "plain.index"}


def test_writing_without_a_form_is_a_mistake():
    with pytest.raises(TypeError, match="no form"):
        plain(Member, write=Permission.UNIT_WRITE)


def test_the_generic_writer_audits_before_and_after(app, owner):
    unit = make_unit("cinema", "Cinema")
    screen = plain(Unit, write=Permission.UNIT_WRITE, form=PlainForm, label=lambda row: row.code)
    with transaction():
        screen._update(unit, by=owner.actor, now=NOON, code="film")
    with transaction():
        screen._update(unit, by=owner.actor, now=NOON, code="film")
    [entry] = entries(action="unit.update")
    assert (entry.before, entry.after, entry.subject_label) == ({"code": "cinema"}, {"code": "film"}, "film")
    with transaction():
        screen._create(by=owner.actor, now=NOON, code="tea", name={"en": "Tea"}, created_at=NOON)
    assert entries(action="unit.create")[-1].after["code"] == "tea"


def test_lists_search_filter_and_survive_nonsense(client, owner):
    make_unit("cinema", "Cinema")
    make_unit("dining", "Dining")
    sign_in(client, owner)
    assert "Dining" not in client.get("/backoffice/units?q=cine").text
    assert "Nothing found" in client.get("/backoffice/units?q=%25%25&active=yes").text
    for query in (
        "after=xx",
        "active=perhaps",
        "q=" + "x" * 5000,
        "q=%F0%9F%92%A5",
        "_external=1",
        "endpoint=x",
        "after=%FF",
    ):
        assert client.get(f"/backoffice/units?{query}").status_code == 200


def test_htmx_gets_the_rows_alone(client, owner):
    make_unit()
    part = sign_in(client, owner).get("/backoffice/units", headers={"HX-Request": "true", "HX-Target": "rows"}).text
    assert part.strip().startswith('<div id="rows">')
    assert "<html" not in part


def test_long_lists_lead_on(client, owner):
    for n in range(60):
        make_unit(f"unit-{n:02}", f"Unit {n:02}")
    page = sign_in(client, owner).get("/backoffice/units?active=yes").text
    assert "Unit 49" in page
    assert "Unit 50" not in page
    following = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    page = client.get(following).text
    assert "Unit 59" in page
    assert "Unit 49" not in page
    assert "active=yes" in following


# --- the audit log ------------------------------------------------------------------------------


def test_the_log_shows_before_and_after_and_filters(client, owner, auditor):
    unit = make_unit("cinema", "Cinema")
    sign_in(client, owner).post(
        f"/backoffice/units/{unit.id}", data={"code": "cinema", "name_en": "Film", "active": "y"}
    )
    sign_in(client, auditor)
    page = client.get("/backoffice/audit?action=unit.update").text
    assert "<del>en: Cinema</del>" in page
    assert "<ins>en: Film</ins>" in page
    assert "Olivia Tan" in page
    for query, found in {
        "actor=olivia": True,
        "actor=arthur": False,
        "subject=unit:cinema": True,
        "subject=film": True,
        "subject=%25": False,
        "from=2026-06-15&to=2026-06-15": True,
        "from=2026-06-16": False,
        "to=2026-06-14": False,
    }.items():
        assert ("<ins>en: Film</ins>" in client.get(f"/backoffice/audit?{query}").text) is found


@pytest.mark.parametrize(
    "query", ["from=9999-12-31", "to=0001-01-01", "from=yesterday", "after=zzz", "action=x", "actor=" + "x" * 9999]
)
def test_the_log_survives_nonsense(client, owner, query):
    assert sign_in(client, owner).get(f"/backoffice/audit?{query}").status_code == 200


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-06-15T04:00:00"])
def test_a_made_up_place_beyond_the_calendar_begins_at_the_start(client, owner, moment):
    place = base64.urlsafe_b64encode(json.dumps([moment, 1]).encode()).decode().rstrip("=")
    make_unit("cinema", "Cinema")
    answer = sign_in(client, owner).get(f"/backoffice/audit?after={place}")
    assert answer.status_code == 200
    assert "Cinema" in answer.text or "cinema" in answer.text


def test_what_people_typed_is_shown_as_text(client, owner):
    make_unit("cinema", "<script>alert(1)</script>")
    page = sign_in(client, owner).get("/backoffice/audit").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# --- the start page -----------------------------------------------------------------------------


PLACES = ("Products", "Members", "Colleagues", "Terms", "Audit log")


def test_the_start_page_shows_each_role_what_it_may_open(app, merchant, agent, auditor, owner):
    shown = {}
    for person in (merchant, agent, auditor, owner):
        page = sign_in(app.test_client(), person).get("/backoffice/").text
        side = page.partition("<aside")[2].partition("</aside>")[0]
        shown[person.role] = {
            word for word in ("Products", "Members", "Colleagues", "Terms", "Audit log") if word in side
        }
    assert shown["merchant"] == {"Products"}
    assert shown["agent"] == {"Products", "Members"}
    assert shown["auditor"] == shown["owner"] == {"Products", "Members", "Colleagues", "Terms", "Audit log"}


def test_figures_are_real(app, owner, alice, bob):
    page = sign_in(app.test_client(), owner).get("/backoffice/").text
    assert "2 new in 30 days · 2 use the portal" in page


def test_every_change_that_a_domain_writes_down_has_words(app):
    """An entry that nobody described would show its code to an auditor."""
    spoken = {
        code
        for path in (ROOT / "app").rglob("*.py")
        for code in re.findall(r'audit\.record\(\s*"([a-z]+\.[a-z]+)"', path.read_text())
    }
    assert {"unit.create", "balance.adjust", "category.update"} <= spoken
    assert [code for code in sorted(spoken) if action_label(code) == code] == []
