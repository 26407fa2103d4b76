"""What may be kept of a page, and what may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import g

from app.foundation import clock
from app.foundation.database import UTCDateTime, db, fetch
from app.foundation.kept import Page, Shelf
from app.foundation.reading import Reading
from app.identity.members.models import Member
from tests.conftest import NOON
from tests.factories import make_member

SINCE = sa.select(sa.func.count()).where(Member.created_at <= sa.bindparam("since", type_=UTCDateTime()))
ODD = timedelta(seconds=7, microseconds=3)


@pytest.fixture
def reading(app):
    """Notes what is read inside, as while a page is made that is asked for now."""

    def noted(read):
        db.session.rollback()
        g.reading = Reading(clock.now())
        read()
        found = g.pop("reading")
        found.finish()
        return found

    return noted


def test_rows_are_noted_and_whoever_asked_still_gets_them(reading):
    make_member(name="Lin")
    seen = []
    noted = reading(lambda: seen.extend(db.session.execute(sa.select(Member.name, Member.created_at))))
    assert seen == [("Lin", NOON)]
    assert [row[0] for row in noted.reads[0].rows] == ["Lin"]
    assert noted.sound


def test_the_same_question_is_noted_once(reading):
    def twice():
        for _ in range(2):
            fetch(SINCE, {"since": NOON})

    assert len(reading(twice).reads) == 1


def test_the_present_moment_moves_on_and_others_stay(reading):
    then = NOON - timedelta(hours=1)
    noted = reading(lambda: [fetch(SINCE, {"since": moment}) for moment in (NOON, then)])
    later = NOON + ODD
    now, past = (list(_values(each.parameters_at(later))) for each in noted.reads)
    assert any(_is(value, later) for value in now)
    assert any(_is(value, then) for value in past)
    assert not any(_is(value, later) for value in past)


def test_a_moment_that_may_move_with_the_clock_is_not_kept(reading):
    assert not reading(lambda: fetch(SINCE, {"since": NOON + ODD})).sound


def test_a_moment_that_was_read_before_is_kept(reading):
    make_member(at=NOON - ODD)

    def look():
        [(since,)] = fetch(sa.select(Member.created_at), {})
        fetch(SINCE, {"since": since})

    assert reading(look).sound


def test_whatever_writes_is_not_kept(reading):
    member = make_member()
    assert not reading(lambda: db.session.execute(sa.update(Member).values(name="Wu"))).sound
    db.session.rollback()
    assert reading(lambda: db.session.get(Member, member)).sound


def test_whatever_locks_is_not_kept(reading):
    looked = reading(lambda: db.session.execute(sa.select(Member.id).with_for_update()))
    assert looked.sound is (db.engine.dialect.name == "sqlite")  # Which knows no such words.


def _values(parameters):
    return parameters.values() if isinstance(parameters, dict) else parameters


def _is(value, moment):
    if isinstance(value, str):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value == moment


def test_the_shelf_holds_the_pages_asked_for_last(monkeypatch):
    monkeypatch.setattr("app.foundation.kept.MOST", 2)
    shelf, page = Shelf(), Page(0, [], b"", [])
    shelf.put("one", page)
    shelf.put("two", page)
    assert shelf.find("one") is page
    shelf.put("three", page)
    assert shelf.find("two") is None
    assert shelf.find("one") is page
