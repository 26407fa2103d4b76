"""Transactions are opened at the door, happen wholly or not at all, and lock in one order."""

import contextlib
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry, record
from app.foundation.database import (
    LockOrder,
    after_commit,
    any_of,
    db,
    fetch,
    insert_all,
    insert_new,
    lock,
    transaction,
)
from app.foundation.terms import TermsVersion
from app.identity.units.models import Unit
from tests.conftest import NOON


def units():
    return db.session.scalars(sa.select(Unit.code).order_by(Unit.code)).all()


def add_unit(code):
    db.session.add(Unit(code=code, name={"en": code}, created_at=NOON))


def test_what_a_transaction_wrote_is_there_afterwards(app):
    with transaction():
        add_unit("mall")
    assert units() == ["mall"]


def test_nothing_remains_of_a_transaction_that_failed(app):
    with contextlib.suppress(LookupError), transaction():
        add_unit("mall")
        db.session.flush()
        raise LookupError
    assert units() == []


def test_after_a_failed_transaction_the_next_one_works(app):
    with contextlib.suppress(sa.exc.IntegrityError), transaction():
        add_unit("mall")
        add_unit("mall")
    with transaction():
        add_unit("mall")
    assert units() == ["mall"]


def test_a_transaction_inside_another_is_refused(app):
    with pytest.raises(RuntimeError, match="already open"), transaction(), transaction():
        pass


def test_changes_made_before_a_transaction_are_refused(app):
    add_unit("mall")
    with pytest.raises(RuntimeError, match="before the transaction"), transaction():
        pass
    db.session.rollback()
    assert units() == []


def test_a_transaction_sees_what_others_wrote_since_the_last_look(app):
    with transaction():
        add_unit("mall")
    unit = db.session.scalar(sa.select(Unit))
    elsewhere(app, sa.update(Unit).values(active=False))
    with transaction():
        assert unit.active is False


def elsewhere(app, statement):
    """Run a statement on a connection of its own, committed."""

    def run():
        with app.app_context(), transaction() as session:
            session.execute(statement)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_what_comes_after_a_commit_comes_after_it(app):
    seen = []
    with transaction():
        add_unit("mall")
        after_commit(lambda: seen.append(units()))
        assert seen == []
    assert seen == [["mall"]]


def test_what_comes_after_a_commit_never_comes_after_a_rollback(app):
    seen = []
    with contextlib.suppress(LookupError), transaction():
        after_commit(lambda: seen.append("called"))
        raise LookupError
    assert seen == []


def test_trouble_after_a_commit_does_not_say_that_nothing_happened(app, caplog):
    seen = []
    with transaction():
        add_unit("mall")
        after_commit(lambda: 1 / 0)
        after_commit(lambda: seen.append("the next one"))
    assert units() == ["mall"]
    assert seen == ["the next one"]
    assert "committed" in caplog.text


def test_there_is_nothing_to_come_after_outside_a_transaction(app):
    with pytest.raises(RuntimeError):
        after_commit(list)


def test_locks_are_taken_in_the_written_order(app):
    with transaction():
        lock(LockOrder.ORDER, sa.select(Unit))
        lock(LockOrder.STOCK, sa.select(Unit))
        lock(LockOrder.STOCK, sa.select(Unit))
        with pytest.raises(RuntimeError, match="PAYMENT must be locked before STOCK"):
            lock(LockOrder.PAYMENT, sa.select(Unit))


def test_each_transaction_begins_the_lock_order_anew(app):
    for _ in range(2):
        with transaction():
            lock(LockOrder.ORDER, sa.select(Unit))
            lock(LockOrder.MEMBERSHIP, sa.select(Unit))


def test_a_lock_outside_a_transaction_is_refused(app):
    with pytest.raises(RuntimeError, match="needs a transaction"):
        lock(LockOrder.WALLET, sa.select(Unit))


def test_a_lock_reads_the_row_afresh(app):
    with transaction():
        add_unit("mall")
    with transaction() as session:
        unit = session.scalar(sa.select(Unit))
        session.execute(sa.update(Unit).values(code="cinema").execution_options(synchronize_session=False))
        assert unit.code == "mall"
        session.scalar(lock(LockOrder.ORDER, sa.select(Unit)))
        assert unit.code == "cinema"


@pytest.mark.parametrize("locked", [False, True])
def test_two_writers_of_one_row_queue_up_only_behind_a_lock(app, locked):
    """Reading, thinking and writing without a lock loses one of two changes on PostgreSQL; SQLite has one writer."""
    with transaction():
        db.session.add(Unit(id=1, code="u0", name={}, created_at=NOON))
    barrier = threading.Barrier(2)

    def count_up():
        with app.app_context():
            barrier.wait()
            with transaction() as session:
                query = sa.select(Unit).where(Unit.id == 1)
                unit = session.scalar(lock(LockOrder.ORDER, query) if locked else query)
                number = int(unit.code[1:])
                time.sleep(0.2)
                unit.code = f"u{number + 1}"

    threads = [threading.Thread(target=count_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = db.engine.dialect.name == "postgresql" and not locked
    assert units() == (["u1"] if lost else ["u2"])


def test_insert_new_skips_what_is_there_and_tells_what_is_new(app):
    with transaction():
        add_unit("mall")
    rows = [{"code": code, "name": {}, "created_at": NOON} for code in ("cinema", "mall", "hotel")]
    with transaction():
        added = insert_new(Unit, rows, unless=["code"], returning=[Unit.code])
    assert sorted(row.code for row in added) == ["cinema", "hotel"]
    assert units() == ["cinema", "hotel", "mall"]


def test_insert_new_of_nothing_and_of_what_is_all_there_adds_nothing(app):
    with transaction():
        add_unit("mall")
        assert insert_new(Unit, [], unless=["code"], returning=[Unit.id]) == []
    with transaction():
        row = {"code": "mall", "name": {"en": "other"}, "created_at": NOON}
        assert insert_new(Unit, [row], unless=["code"], returning=[Unit.id]) == []
    assert db.session.scalar(sa.select(Unit)).name == {"en": "mall"}


def test_insert_new_takes_thousands_and_twins_among_them(app):
    rows = [{"code": f"u{number % 2500}", "name": {}, "created_at": NOON} for number in range(5000)]
    with transaction():
        assert len(insert_new(Unit, rows, unless=["code"], returning=[Unit.id])) == 2500


def test_a_statement_made_once_sees_what_this_transaction_has_added(app):
    statement = sa.select(Unit.code).where(Unit.code == sa.bindparam("code"))
    with transaction():
        assert fetch(statement, {"code": "mall"}) == []
        add_unit("mall")
        assert [tuple(row) for row in fetch(statement, {"code": "mall"})] == [("mall",)]


def test_several_values_are_looked_up_by_the_index(app):
    with transaction():
        for code in ("mall", "hotel", "spa"):
            add_unit(code)
    statement = sa.select(Unit.code).where(any_of(Unit.code, ["mall", "spa", "airport"])).order_by(Unit.code)
    assert db.session.scalars(statement).all() == ["mall", "spa"]
    if db.engine.dialect.name == "sqlite":
        explain = f"EXPLAIN QUERY PLAN {statement.compile(db.engine)}"
        plan = db.session.connection().exec_driver_sql(explain, ('["mall"]',)).all()
        assert plan[0].detail.startswith("SEARCH unit USING COVERING INDEX")


def test_a_moment_comes_back_as_the_same_moment_in_utc(app):
    summer_in_new_york = datetime(2026, 7, 1, 9, 30, tzinfo=timezone(timedelta(hours=-4)))
    with transaction():
        db.session.add(Unit(code="mall", name={}, created_at=summer_in_new_york))
    db.session.expire_all()
    stored = db.session.scalar(sa.select(Unit)).created_at
    assert stored == summer_in_new_york
    assert stored.utcoffset() == timedelta(0)


def test_a_moment_without_timezone_is_never_stored(app):
    with pytest.raises(sa.exc.StatementError, match="timezone"), transaction():
        db.session.add(Unit(code="mall", name={}, created_at=datetime(2026, 7, 1)))  # noqa: DTZ001 - on purpose
    assert units() == []


def test_foreign_keys_are_kept(app):
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(sa.text("INSERT INTO staff_unit (staff_id, unit_id) VALUES (7, 7)"))


def test_the_audit_log_keeps_only_what_differs(app):
    with transaction():
        record(
            "product.update",
            subject=("product", "tea", "Green tea"),
            by=SYSTEM,
            now=NOON,
            before={"stock": 1, "name": "Tea"},
            after={"stock": 2, "name": "Tea"},
        )
    entry = db.session.scalar(sa.select(AuditEntry))
    assert (entry.before, entry.after, entry.at) == ({"stock": 1}, {"stock": 2}, NOON)


def test_an_edit_that_changed_nothing_leaves_no_entry(app):
    with transaction():
        record("x", subject=("a", 1, "b"), by=SYSTEM, now=NOON, before={"a": 1}, after={"a": 1})
    assert db.session.scalar(sa.select(sa.func.count(AuditEntry.id))) == 0


@pytest.mark.parametrize("count", [1, 60])
def test_many_rows_go_in_as_few_do(app, count):
    """One JSON parameter from some rows on: the same values, defaults and refusals."""
    rows = [
        {
            "domain": f"d{n}",
            "version": 1,
            "values": {"n": n, "text": "“茶” \\ ' %"},
            "starts_at": NOON,
            "published_at": NOON,
        }
        | {"published_by": "Olivia"}
        for n in range(count)
    ]
    columns = [TermsVersion.domain, TermsVersion.starts_at]
    with transaction():
        first = insert_new(TermsVersion, rows, unless=["domain", "version"], returning=columns)
        again = insert_new(TermsVersion, rows, unless=["domain", "version"], returning=columns)
    assert (len(first), len(again)) == (count, 0)
    assert all(row.starts_at == NOON for row in first)
    [last] = db.session.scalars(sa.select(TermsVersion).where(TermsVersion.domain == f"d{count - 1}"))
    assert (last.values, last.note) == (rows[-1]["values"], "")
    with pytest.raises(sa.exc.IntegrityError), transaction():
        insert_all(TermsVersion, [row | {"note": "twice"} for row in rows])
