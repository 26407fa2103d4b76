"""Colleagues: their door, their accounts, and that nobody locks the house from inside."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.identity.staff.actions import LastOwner, NotYourself, create_staff, deactivate, update_staff
from app.identity.staff.queries import staff_by_email, unit_scope
from tests.cast import PASSWORD, make_unit, sign_in, timeless
from tests.conftest import NOON


def enter(client, email="owner@example.com", password=PASSWORD, **more):
    return client.post("/backoffice/session", data={"email": email, "password": password, **more})


def form(**changes):
    return {
        "name": "New Face",
        "email": "new@example.com",
        "role": "agent",
        "active": "y",
        "password": PASSWORD,
    } | changes


def log(action: str) -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def test_colleagues_come_in_by_their_own_door(app, owner):
    client = app.test_client()
    assert client.get("/backoffice/").location == "/backoffice/session?next=/backoffice/"
    assert enter(client, next="/backoffice/audit").location == "/backoffice/audit"
    assert client.get("/backoffice/").status_code == 200
    client.post("/backoffice/session/end")
    assert client.get("/backoffice/").status_code == 302


def test_no_hint_at_the_staff_door_either(client, owner, agent):
    with transaction():
        deactivate(agent, by=owner.actor, now=NOON)
    pages = set()
    for email, password in (
        ("owner@example.com", "wrong"),
        ("agent@example.com", PASSWORD),
        ("nobody@example.com", "x"),
        ("nonsense", "x"),
    ):
        answer = enter(client, email, password)
        pages.add((answer.status_code, timeless(answer.data).replace(email.encode(), b"")))
    assert len(pages) == 1


def test_a_member_is_no_colleague(client, alice):
    assert enter(client, "alice@example.com").status_code == 422


def test_an_owner_adds_a_merchant_of_one_unit(app, owner):
    make_unit("dining", "Dining")
    client = sign_in(app.test_client(), owner)
    assert (
        client.post("/backoffice/staff", data=form(role="merchant", units=["dining"])).location == "/backoffice/staff"
    )
    staff = staff_by_email("new@example.com")
    assert [unit.code for unit in staff.units] == ["dining"]
    assert unit_scope(staff) == {staff.units[0].id}
    entry = log("staff.create")[-1]
    assert (entry.actor_label, entry.after["units"]) == ("Olivia Tan", ["dining"])
    assert "password" not in str(entry.after)
    assert enter(app.test_client(), "new@example.com").location == "/backoffice/"


def test_only_merchants_are_limited_to_units(app, owner, merchant):
    client = sign_in(app.test_client(), owner)
    client.post(f"/backoffice/staff/{merchant.id}", data=form(email=merchant.email, units=["mall"], password=""))
    db.session.expire_all()
    assert (merchant.role, merchant.units, unit_scope(merchant)) == ("agent", [], None)


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "owner@example.com"},
        {"email": "nonsense"},
        {"name": " "},
        {"role": "emperor"},
        {"role": ""},
        {"units": ["nowhere"]},
        {"password": ""},
        {"password": "password1"},
        {"name": "x" * 10_000},
    ],
)
def test_nonsense_adds_nobody(app, owner, changes):
    client = sign_in(app.test_client(), owner)
    assert client.post("/backoffice/staff", data=form(**changes)).status_code == 422
    assert staff_by_email("new@example.com") is None


def test_losing_the_account_or_a_role_ends_the_sessions(app, owner, agent):
    at_work = sign_in(app.test_client(), agent)
    client = sign_in(app.test_client(), owner)
    client.post(
        f"/backoffice/staff/{agent.id}", data=form(name=agent.name, email=agent.email, role="auditor", password="")
    )
    assert at_work.get("/backoffice/").status_code == 302
    db.session.expire_all()
    at_work = sign_in(app.test_client(), agent)
    off = form(name=agent.name, email=agent.email, role="auditor", password="")
    del off["active"]
    client.post(f"/backoffice/staff/{agent.id}", data=off)
    assert at_work.get("/backoffice/").status_code == 302
    assert enter(app.test_client(), agent.email).status_code == 422
    assert [entry.after for entry in log("staff.update")] == [{"role": "auditor"}, {"active": False}]


def test_a_new_password_from_the_owner_ends_the_sessions(app, owner, agent):
    at_work = sign_in(app.test_client(), agent)
    data = form(name=agent.name, email=agent.email, password="seven paper lanterns")
    sign_in(app.test_client(), owner).post(f"/backoffice/staff/{agent.id}", data=data)
    assert at_work.get("/backoffice/").status_code == 302
    assert enter(app.test_client(), agent.email, "seven paper lanterns").status_code == 303
    assert "lanterns" not in str([(entry.before, entry.after) for entry in log("staff.password")])


@pytest.mark.parametrize("changes", [{"role": "agent"}, {"active": ""}])
def test_owners_cannot_take_their_own_rights_away(app, owner, changes):
    client = sign_in(app.test_client(), owner)
    data = form(name=owner.name, email=owner.email, role="owner", password="") | changes
    answer = client.post(f"/backoffice/staff/{owner.id}", data={key: value for key, value in data.items() if value})
    assert answer.status_code == 422
    assert "your own role" in answer.text
    db.session.expire_all()
    assert (owner.role, owner.active) == ("owner", True)
    with pytest.raises(NotYourself), transaction():
        deactivate(owner, by=owner.actor, now=NOON)


def test_the_last_owner_stays(app, owner):
    with pytest.raises(LastOwner), transaction():
        deactivate(owner, by=SYSTEM, now=NOON)
    with transaction():
        create_staff(email="two@example.com", password=PASSWORD, name="Two", role="owner", by=SYSTEM, now=NOON)
    with transaction():
        deactivate(owner, by=SYSTEM, now=NOON)
    two = staff_by_email("two@example.com")
    with pytest.raises(LastOwner), transaction():
        update_staff(two, email=two.email, name="Two", role="agent", units=[], active=True, by=SYSTEM, now=NOON)


def test_only_owners_write_and_auditors_read(app, owner, auditor, agent):
    assert sign_in(app.test_client(), auditor).get("/backoffice/staff").status_code == 200
    assert sign_in(app.test_client(), agent).get("/backoffice/staff").status_code == 403
    client = sign_in(app.test_client(), auditor)
    assert client.post("/backoffice/staff", data=form()).status_code == 403
    assert client.get(f"/backoffice/staff/{owner.id}").status_code == 403
    assert "New colleague" not in client.get("/backoffice/staff").text
    assert staff_by_email("new@example.com") is None


def test_colleagues_change_their_own_password(app, agent):
    client, elsewhere = sign_in(app.test_client(), agent), sign_in(app.test_client(), agent)
    data = {"present": PASSWORD, "password": "seven paper lanterns", "again": "seven paper lanterns"}
    assert client.post("/backoffice/password", data=data | {"present": "wrong"}).status_code == 422
    assert client.post("/backoffice/password", data=data).location == "/backoffice/"
    assert client.get("/backoffice/").status_code == 200
    assert elsewhere.get("/backoffice/").status_code == 302


@pytest.mark.parametrize("row_id", ["0", "999999", "9223372036854775807", "9223372036854775808", "-1", "abc"])
def test_a_colleague_who_is_not_there(app, owner, row_id):
    assert sign_in(app.test_client(), owner).get(f"/backoffice/staff/{row_id}").status_code == 404


def test_units_are_opened_renamed_and_closed(app, owner):
    client = sign_in(app.test_client(), owner)
    new = {"code": "cinema", "name_en": "Cinema", "name_zh_Hans": "影院", "active": "y"}
    assert client.post("/backoffice/units", data=new).location == "/backoffice/units"
    assert client.post("/backoffice/units", data=new).status_code == 422
    assert "Cinema" in client.get("/backoffice/units?active=yes").text
    unit = make_unit("cinema")
    client.post(f"/backoffice/units/{unit.id}", data={"code": "other", "name_en": "Film"})
    db.session.expire_all()
    assert (unit.code, unit.name, unit.active) == ("cinema", {"en": "Film"}, False)
    assert log("unit.update")[-1].before["active"] is True


@pytest.mark.parametrize(
    ("code", "name"), [("", "X"), ("A", "X"), ("a b", "X"), ("ümlaut", "X"), ("x" * 99, "X"), ("ok", ""), ("1st", "X")]
)
def test_units_need_a_code_for_files_and_a_name_for_people(app, owner, code, name):
    assert (
        sign_in(app.test_client(), owner).post("/backoffice/units", data={"code": code, "name_en": name}).status_code
        == 422
    )


def test_a_merchant_without_a_unit_is_refused(client, owner, unit):
    sign_in(client, owner)
    refused = client.post("/backoffice/staff", data=form(role="merchant", units=[]))
    assert refused.status_code == 422
    assert "at least one business unit" in refused.text


def test_a_command_lets_the_only_owner_back_in(app, client, owner):
    sign_in(client, owner)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["staff", "password", "nobody@example.com", "--password", "x"]).exit_code == 1
    assert runner.invoke(args=["staff", "password", owner.email, "--password", "short"]).exit_code == 1
    assert runner.invoke(args=["staff", "password", owner.email, "--password", "a fresh green tea"]).exit_code == 0
    assert client.get("/backoffice/").status_code == 302  # The old session has ended.
    assert enter(client, owner.email, "a fresh green tea").location == "/backoffice/"


def test_a_colleague_on_the_front_pages_finds_the_way_back(client, owner):
    sign_in(client, owner)
    assert "Back office" in client.get("/mall").text
    refused = client.get("/points")
    assert (refused.status_code, "Go to the back office" in refused.text) == (403, True)
