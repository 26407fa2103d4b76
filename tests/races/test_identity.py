"""Two at once: one member per contact, one claim per import, and always an owner."""

from __future__ import annotations

import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.identity.members.actions import claim, create_unclaimed, register
from app.identity.members.models import Member
from app.identity.members.queries import find_by_ref
from app.identity.staff import actions as staff_actions
from app.identity.staff.actions import create_staff, deactivate
from app.identity.staff.models import Staff
from app.identity.staff.queries import staff_by_id
from tests.cast import PASSWORD
from tests.conftest import NOON
from tests.identity.mailbox import code_for
from tests.racing import ON_POSTGRESQL, at_once, refusals


def count(model: type, *where) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model).where(*where))


def test_eight_who_register_the_same_email_at_once_become_one_member(app):
    def join():
        with transaction():
            return register(email="carol@example.com", password=PASSWORD, now=NOON).id

    answers = at_once(app, [join] * 8)
    assert refusals(answers) == 7
    assert count(Member) == 1


def test_a_code_sent_by_four_clicks_at_once_makes_one_member_and_no_mistake_of_ours(app):
    begun = app.test_client()
    begun.post("/registration", data={"contact": "carol@example.com", "name": "Carol", "password": PASSWORD})
    code, cookie = code_for("carol@example.com"), begun.get_cookie("session").value

    def click():
        client = app.test_client()
        client.set_cookie("session", cookie)
        return client.post("/registration/confirmation", data={"code": code}).location

    answers = at_once(app, [click] * 4)
    assert answers.count("/") == 1
    assert answers.count("/registration") == 3
    assert count(Member) == 1


def test_imports_of_the_same_people_at_once_make_them_once(app):
    refs = [f"guest{n}@example.com" for n in range(300)]

    def bring_in(order):
        with transaction():
            return create_unclaimed(order, now=NOON)

    answers = at_once(app, [lambda: bring_in(refs), lambda: bring_in(refs[::-1])])
    assert answers[0] == answers[1]
    assert count(Member) == 300


def test_an_imported_member_is_claimed_once(app):
    with transaction():
        create_unclaimed(["dave@example.com"], now=NOON)

    def take(name):
        with transaction():
            claim(find_by_ref("dave@example.com"), password_hash=name, name=name, now=NOON)

    answers = at_once(app, [lambda name=name: take(name) for name in ("Dave", "Eve", "Fay")])
    assert refusals(answers) == 2
    assert count(Member, Member.password_hash == find_by_ref("dave@example.com").name) == 1


def two_owners() -> list[int]:
    with transaction():
        made = [
            create_staff(email=f"{name}@example.com", password=PASSWORD, name=name, role="owner", by=SYSTEM, now=NOON)
            for name in ("ann", "ben")
        ]
        db.session.flush()
        return [owner.id for owner in made]


def switch_each_other_off(app, owners) -> list[object]:
    def switch_off(one, other):
        with transaction():
            deactivate(staff_by_id(other), by=staff_by_id(one).actor, now=NOON)

    return at_once(app, [lambda: switch_off(*owners), lambda: switch_off(*owners[::-1])])


@ON_POSTGRESQL
def test_without_the_lock_two_owners_lock_everybody_out(app, monkeypatch):
    """What the lock is for: both see two owners, both switch the other one off."""
    owners = two_owners()
    seen = lambda: list(owners)  # noqa: E731 - both looked before either had written
    monkeypatch.setattr(staff_actions, "_locked_owners", seen)
    assert refusals(switch_each_other_off(app, owners)) == 0
    assert count(Staff, Staff.active) == 0


def test_two_owners_who_switch_each_other_off_leave_one(app):
    assert refusals(switch_each_other_off(app, two_owners())) == 1
    assert count(Staff, Staff.active, Staff.role == "owner") == 1
