"""A shop brings its purchases: ``flask purchases import``, from the first file to thousands of CDNOW's rows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.config import ROOT
from app.foundation.database import db, transaction
from app.foundation.security import hash_password
from app.identity.members.actions import claim
from app.identity.members.models import Member
from app.identity.members.queries import find_by_ref
from app.loyalty.ledger.models import Transfer, Wallet
from app.loyalty.ledger.queries import standing
from app.loyalty.ledger.verify import verify
from app.loyalty.purchases.models import Purchase
from app.loyalty.tiers.queries import tiers_of
from bench.cdnow import source, write
from tests.cast import PASSWORD, make_unit
from tests.conftest import NOON

HEADER = "order_no,occurred_at,member,unit,category,sku,quantity,amount,currency"


@pytest.fixture
def mall(app):
    return make_unit()


@pytest.fixture
def shop(app, tmp_path, mall):
    """Run the import over rows or a file; answers the exit code and the JSON document."""

    def run(*rows, file=None, options=()):
        if file is None:
            file = tmp_path / "purchases.csv"
            file.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
        result = app.test_cli_runner().invoke(args=["purchases", "import", str(file), "--json", *options])
        assert result.exit_code in (0, 1, 2), result.exception
        return result.exit_code, json.loads(result.stdout)

    return run


def row(order_no="A1", *, member="alice@example.com", amount="238.50", sku="T1", day="2026-06-01", unit="mall"):
    return f"{order_no},{day},{member},{unit},tea,{sku},1,{amount},CNY"


def available(member):
    db.session.rollback()
    return standing(member.id, now=NOON).available.value


def count(model):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


# --- a small file -----------------------------------------------------------------------


def test_a_file_earns_points_and_a_tier(shop, alice):
    code, told = shop(row(), row("A2", amount="400", sku="T2"), row("A2", amount="0.99", sku="T3"))
    assert (code, told["purchases"], told["points"]) == (0, {"new": 2, "already_there": 0}, 238 + 400)
    assert available(alice) == 20 + 638  # 20 for joining
    assert tiers_of([alice.id])[alice.id].code == "silver"
    assert verify().clean


def test_the_second_import_changes_nothing(shop, alice):
    shop(row(), row("A2"))
    code, told = shop(row(), row("A2"))
    assert (code, told["points"], told["purchases"]) == (0, 0, {"new": 0, "already_there": 2})
    assert available(alice) == 20 + 2 * 238


def test_a_dry_run_tells_the_effect_and_changes_nothing(shop, alice):
    rows = [row(), row("N1", member="new@example.com"), row("B1", amount="-1")]
    options = ["--create-members", "--batch", "1"]
    code, told = shop(*rows, options=[*options, "--dry-run"])
    assert (code, told["dry_run"]) == (1, True)
    assert (told["points"], told["members_created"], told["lines_with_errors"]) == (476, 1, 1)
    assert (count(Purchase), available(alice)) == (0, 20)
    assert find_by_ref("new@example.com") is None
    _, real = shop(*rows, options=options)
    assert {**real, "dry_run": True, "seconds": 0} == {**told, "seconds": 0}


def test_errors_are_told_by_line_and_the_good_rows_are_taken(shop, alice):
    code, told = shop(
        row("A1"),
        row("A2", member="nobody@example.com"),
        row("A3", unit="cinema"),
        row("A4", amount="-5"),
        row("A5", member="M7K29QXW"),
        row("A6"),
    )
    assert code == 1
    assert {error["line"]: error["reason"] for error in told["errors"]} == {
        3: "“nobody@example.com” is no member's code, email or phone.",
        4: "There is no business unit “cinema”.",
        5: "The amount -5 is negative. Returns cannot be imported as purchases.",
        6: "“M7K29QXW” is no member's code, email or phone.",
    }
    assert available(alice) == 20 + 2 * 238


def test_a_known_number_with_another_amount_is_an_error_and_the_first_stays(shop, alice):
    shop(row())
    code, told = shop(row(amount="9999"))
    assert code == 1
    assert "is on record already, but its lines or amounts differ" in told["errors"][0]["reason"]
    assert available(alice) == 20 + 238


def test_a_unit_that_is_closed_takes_no_purchases(shop, alice, mall):
    with transaction() as session:
        session.execute(sa.update(type(mall)).values(active=False))
    code, told = shop(row())
    assert (code, told["errors"][0]["reason"]) == (1, "The business unit “mall” is closed.")


def test_members_are_known_by_code_phone_and_email_however_typed(shop, alice):
    code, told = shop(
        row("1", member=alice.code.lower()), row("2", member="138 0013 8000"), row("3", member="ALICE@example.com")
    )
    assert (code, told["purchases"]["new"]) == (0, 3)
    assert available(alice) == 20 + 3 * 238


def test_new_members_are_made_once_without_the_gift_for_joining_and_can_be_claimed(shop):
    shop(row("1", member="new@example.com"), row("2", member="NEW@example.com"), options=["--create-members"])
    new = find_by_ref("new@example.com")
    assert new.claimed_at is None
    assert available(new) == 2 * 238  # and no 20 for joining
    assert tiers_of([new.id])[new.id].code == "regular"
    assert count(Member) == 1


def test_who_claims_an_imported_membership_keeps_its_points_and_gets_the_gift_then(shop):
    shop(row(member="new@example.com"), options=["--create-members"])
    with transaction():
        claim(find_by_ref("new@example.com"), password_hash=hash_password(PASSWORD), now=NOON)
    assert available(find_by_ref("new@example.com")) == 238 + 20


def test_a_code_that_nobody_has_makes_no_member(shop):
    code, told = shop(row(member="M7K29QXW"), options=["--create-members"])
    assert (code, told["members_created"], count(Member)) == (1, 0, 0)
    assert "no email or phone from which to make one" in told["errors"][0]["reason"]


@pytest.mark.parametrize("text", ["", "order_no,member\n1,2", "PK\x03\x04"])
def test_a_file_that_is_none_of_ours_is_refused_with_a_sentence(shop, tmp_path, text):
    file = tmp_path / "bad.csv"
    file.write_text(text)
    code, told = shop(file=file)
    assert code == 2
    assert told["unusable"].endswith(".")


def test_the_summary_and_the_progress_are_for_people(app, alice, mall, tmp_path):
    file = tmp_path / "purchases.csv"
    file.write_text("\n".join([HEADER, *(row(str(n), amount="1") for n in range(1000)), row("bad", amount="x")]))
    result = app.test_cli_runner().invoke(args=["purchases", "import", str(file)])
    assert result.exit_code == 1
    assert "New purchases                   1,000" in result.stdout
    assert "50 %" in result.stderr
    assert "Line 1002: The amount “x” is no number" in result.stderr


# --- flask members show -----------------------------------------------------------------


def test_a_members_points_are_shown_with_their_reasons(app, shop, alice):
    shop(row())
    result = app.test_cli_runner().invoke(args=["members", "show", "alice@example.com"])
    assert result.exit_code == 0
    for words in ("Available", "258", "Regular", "Next: Silver", "rounded down to 238", "valid to the end of"):
        assert words in result.stdout


def test_a_members_points_are_there_for_programs_too(app, shop, alice):
    shop(row())
    result = app.test_cli_runner().invoke(args=["members", "show", alice.code, "--json"])
    told = json.loads(result.stdout)
    assert told["balance"]["available"] == 258
    assert told["tier"]["conditions"][0] == {"metric": "spend", "reached": 238_50, "needed": 500_00}
    assert [transfer["amount"] for transfer in told["transfers"]] == [238, 20]
    assert sum(lot["remaining"] for lot in told["lots"]) == 258


def test_an_unknown_member_is_a_clear_error(app):
    result = app.test_cli_runner().invoke(args=["members", "show", "nobody@example.com"])
    assert result.exit_code == 1
    assert "no member's code, email or phone" in result.stderr


def test_a_unit_is_opened_at_the_command_line_once(app):
    runner = app.test_cli_runner()
    command = ["units", "open", "cinema", "--name", "Cinema", "--zh-hans", "影院"]
    assert runner.invoke(args=command).exit_code == 0
    again = runner.invoke(args=command)
    assert (again.exit_code, "already" in again.stderr) == (1, True)
    assert "Cinema" in runner.invoke(args=["units", "list"]).stdout


# --- the CDNOW file ---------------------------------------------------------------------


def expected(rows: int | None) -> Counter[str]:
    """Points per customer, and growth, which is as much; from the original file without any code of ours."""
    points: Counter[str] = Counter()
    lines = source().read_text().splitlines()[1:]
    for line in lines[:rows]:
        customer, _date, _discs, dollars = line.split()
        points[f"customer-{customer}@cdnow.example"] += int(Decimal(dollars))
    return points


def balances(ledger: str = "points") -> dict[str, int]:
    db.session.rollback()
    query = sa.select(Member.email, Wallet.balance).join(Wallet, Wallet.member_id == Member.id)
    return dict(db.session.execute(query.where(Wallet.ledger == ledger)).all())


def test_the_readme_counts_right():
    """All rows would take the suite half a minute, so what they come to is only added up."""
    points = expected(None)
    told = f"{points.total():,} points, and as much growth, to {len(points):,} new members"
    assert told in (ROOT / "README.md").read_text()


def test_every_cdnow_customer_gets_the_floor_of_each_purchase(shop, backend, tmp_path):
    """The first 6,000 rows on SQLite, 2,000 on PostgreSQL, and some once more, for they bring nothing twice."""
    make_unit("cdnow", "CDNOW")
    rows = 6_000 if backend.url.startswith("sqlite") else 2_000
    file = tmp_path / "cdnow.csv"
    written = write(file, rows)
    code, told = shop(file=file, options=["--create-members"])
    assert (code, told["purchases"]["new"], told["errors"]) == (0, written, [])
    wanted = expected(rows)
    assert balances() == balances("growth") == wanted
    assert told["points"] == told["growth"] == wanted.total()
    assert told["members_created"] == len(wanted)

    transfers = count(Transfer)
    again = write(file, 2_000)
    code, told = shop(file=file, options=["--create-members"])
    assert (code, told["purchases"], told["points"]) == (0, {"new": 0, "already_there": again}, 0)
    assert (balances(), count(Transfer)) == (wanted, transfers)
    assert verify().clean


def test_killed_in_the_middle_and_run_again_the_result_is_the_same(shop, backend, tmp_path):
    make_unit("cdnow", "CDNOW")
    file = tmp_path / "cdnow.csv"
    write(file, 1_000)
    db.session.rollback()
    begun = import_elsewhere(file, backend.url, tmp_path)
    try:
        patience = time.monotonic() + 60
        while count(Purchase) < 100:
            assert begun.poll() is None, "the import ended before it could be killed"
            assert time.monotonic() < patience
            time.sleep(0.01)
    finally:
        begun.send_signal(signal.SIGKILL)
        begun.wait()
    assert 0 < count(Purchase) < 1_000  # It really was in the middle.
    assert verify().clean
    _, told = shop(file=file, options=["--create-members"])
    assert told["purchases"]["new"] + told["purchases"]["already_there"] == 1_000
    assert told["purchases"]["already_there"] > 0
    assert balances() == balances("growth") == expected(1_000)
    assert verify().clean


def import_elsewhere(file: Path, database_url: str, instance: Path) -> subprocess.Popen[bytes]:
    """The same command in a process of its own, on the same database, in small batches."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "purchases", "import", str(file)]
    return subprocess.Popen(
        [*command, "--create-members", "--batch", "10"],
        cwd=ROOT,
        env={**os.environ, "JIFEN_DATABASE_URL": database_url, "JIFEN_INSTANCE_PATH": str(instance)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_two_imports_of_one_file_at_once_award_each_purchase_once(shop, backend, tmp_path):
    make_unit("cdnow", "CDNOW")
    file = tmp_path / "cdnow.csv"
    write(file, 500)
    db.session.rollback()
    both = [import_elsewhere(file, backend.url, tmp_path) for _ in range(2)]
    assert [each.wait(timeout=120) for each in both] == [0, 0]
    assert balances() == expected(500)
    assert (count(Purchase), verify().clean) == (500, True)
