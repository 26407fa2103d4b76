"""``flask setup``: the first command of every installation, safe to give again."""

from __future__ import annotations

import sqlalchemy as sa

from app.entrypoints.cli.setup import CATEGORIES
from app.foundation.audit import AuditEntry
from app.foundation.database import db
from app.foundation.security import password_matches
from app.foundation.terms import TermsVersion
from app.identity.staff.models import Staff
from app.loyalty.tiers.models import Tier
from app.mall.catalog.models import Category

PASSWORD = "three green kettles"


def setup(app, *options: str, **more):
    return app.test_cli_runner().invoke(args=["setup", *options], **more)


def counts() -> tuple[int, ...]:
    tables = (TermsVersion, Tier, Category, Staff, AuditEntry)
    return tuple(db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables)


def test_it_installs_rules_tiers_and_categories_and_doing_it_again_changes_nothing(app):
    assert setup(app).exit_code == 0
    first = counts()
    assert first[1:4] == (4, len(CATEGORIES), 0)
    assert setup(app).exit_code == 0
    assert counts() == first


def test_a_renamed_category_stays_renamed(app):
    setup(app)
    category = db.session.scalars(sa.select(Category).limit(1)).one()
    category.name = {"en": "Our own"}
    db.session.commit()
    setup(app)
    assert db.session.scalar(sa.select(Category.name).where(Category.id == category.id)) == {"en": "Our own"}


def test_the_first_owner_is_made_once(app):
    answer = setup(app, "--owner-email", "Ada@Example.com", "--owner-password", PASSWORD)
    assert answer.exit_code == 0
    assert PASSWORD not in answer.output
    (owner,) = db.session.scalars(sa.select(Staff))
    assert (owner.email, owner.role, owner.name) == ("ada@example.com", "owner", "Ada")
    assert password_matches(owner.password_hash, PASSWORD)

    again = setup(app, "--owner-email", "eve@example.com", "--owner-password", PASSWORD)
    assert again.exit_code == 0
    assert "There are staff accounts already" in again.output
    assert db.session.scalars(sa.select(Staff.email)).all() == ["ada@example.com"]


def test_the_password_is_asked_for_and_not_shown(app):
    answer = setup(app, "--owner-email", "ada@example.com", input=f"{PASSWORD}\n{PASSWORD}\n")
    assert answer.exit_code == 0
    assert PASSWORD not in answer.output
    assert counts()[3] == 1


def test_the_password_can_come_from_the_environment(app):
    answer = setup(app, "--owner-email", "ada@example.com", env={"JIFEN_OWNER_PASSWORD": PASSWORD})
    assert answer.exit_code == 0
    assert counts()[3] == 1


def test_a_weak_password_or_a_broken_address_changes_nothing(app):
    for email, password in (("ada@example.com", "12345678"), ("ada", PASSWORD)):
        answer = setup(app, "--owner-email", email, "--owner-password", password)
        assert answer.exit_code == 2
        assert "Traceback" not in answer.output
    assert counts() == (0, 0, 0, 0, 0)
