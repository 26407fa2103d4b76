"""A shop moves in: ``flask ledger import-balances`` brings what members had in the old system."""

from __future__ import annotations

import json
from datetime import date

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.identity.members.models import Member
from app.identity.members.queries import find_by_ref
from app.identity.units.models import Unit
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.models import Lot, Transfer, Wallet
from app.loyalty.ledger.queries import house_balances, open_lots, standing
from app.loyalty.ledger.verify import verify
from app.loyalty.tiers.models import Tier
from app.loyalty.tiers.queries import tiers_of
from tests.cast import make_unit
from tests.conftest import NOON

HEADER = "member,points,ledger,unit,earned_on,expires_on,reference"
GIFT = 20  # For joining.


@pytest.fixture
def bring(app, tmp_path):
    """Run the import over rows; answers the exit code and the JSON document."""

    def run(*rows, options=(), header=HEADER):
        file = tmp_path / "balances.csv"
        file.write_text("\n".join([header, *rows]), encoding="utf-8")
        result = app.test_cli_runner().invoke(args=["ledger", "import-balances", str(file), "--json", *options])
        assert result.exit_code in (0, 1, 2), result.exception
        db.session.rollback()
        return result.exit_code, json.loads(result.stdout)

    return run


def row(member="alice@example.com", points="1000", **cells):
    names = HEADER.split(",")
    return ",".join({**dict.fromkeys(names, ""), "member": member, "points": points, **cells}[name] for name in names)


def available(member):
    return standing(member.id, now=NOON).available.value


def transfers():
    return list(db.session.scalars(sa.select(Transfer).where(Transfer.kind == "opening").order_by(Transfer.id)))


def reasons(told):
    return {error["line"]: error["reason"] for error in told["errors"]}


def test_a_balance_comes_over_and_its_member_reads_where_from(bring, alice):
    code, told = bring(row(earned_on="2024-05-03", expires_on="2026-12-31", reference="CARD-17"))
    assert (code, told["balances"], told["points"]) == (0, {"new": 1, "already_there": 0, "empty": 0}, 1000)
    assert available(alice) == GIFT + 1000
    (brought,) = transfers()
    assert (brought.key, brought.account, brought.unit_id) == ("opening:ref:CARD-17:points", "opening", None)
    assert explain(brought.explanation) == [
        "Your balance when this programme began.",
        "Brought over on Jun 15, 2026 from our earlier books, reference CARD-17.",
        "Earned on May 3, 2024.",
        "Valid to the end of Dec 31, 2026.",
    ]
    assert date(2026, 12, 31) in [lot.last_day for lot in open_lots(alice.id)]
    assert verify().clean


def test_without_days_the_policy_counts_from_the_import(bring, alice):
    bring(row(earned_on="2020-01-31"), row(expires_on="never", reference="for ever"))
    assert {lot.last_day for lot in open_lots(alice.id) if lot.amount.value == 1000} == {date(2027, 6, 30), None}
    assert [explain(each.explanation)[1:] for each in transfers()] == [
        ["Brought over on Jun 15, 2026 from our earlier books.", "Earned on Jan 31, 2020."],
        ["Brought over on Jun 15, 2026 from our earlier books, reference for ever.", "They do not expire."],
    ]


def test_growth_comes_into_its_own_ledger_and_is_no_points(bring, alice):
    code, told = bring(row(), row(points="300", ledger="growth"))
    assert (code, told["points"], told["growth"]) == (0, 1000, 300)
    assert available(alice) == GIFT + 1000
    wallet = sa.select(Wallet.balance).where(Wallet.member_id == alice.id, Wallet.ledger == "growth")
    assert db.session.scalar(wallet) == 300
    assert verify().clean


def test_a_unit_stands_on_the_other_side_where_one_is_named(bring, alice):
    mall = make_unit()
    bring(row(unit="mall"))
    assert (transfers()[0].unit_id, db.session.scalar(sa.select(Lot.unit_id).where(Lot.amount == 1000))) == (
        mall.id,
    ) * 2
    assert (mall.id, "opening", -1000) in [(each.unit_id, each.account, each.balance) for each in house_balances()]


def test_an_opening_balance_is_no_earning(bring, alice):
    bring(row(points="100000"))
    assert tiers_of([alice.id])[alice.id].code == "regular"


def test_growth_counts_for_the_tier_from_the_day_it_was_earned(bring, alice, bob):
    with transaction() as session:
        asked = {"match": "all", "window_months": 12, "conditions": [{"metric": "growth", "at_least": 100}]}
        session.execute(sa.update(Tier).where(Tier.code == "gold").values(conditions=asked))
    bring(
        row(points="150", ledger="growth", earned_on="2026-01-31"),
        row("bob@example.com", "150", ledger="growth", earned_on="2024-01-31"),
    )
    assert tiers_of([alice.id])[alice.id].code == "gold"
    assert tiers_of([bob.id])[bob.id].code == "regular"  # That was too long ago.
    assert verify().clean


# --- again ------------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(bring, alice, bob):
    rows = [row(earned_on="2024-05-03"), row(reference="K-1"), row("bob@example.com", "7")]
    bring(*rows)
    code, told = bring(*rows)
    assert (code, told["balances"]["new"], told["balances"]["already_there"], told["points"]) == (0, 0, 3, 0)
    assert (available(alice), available(bob), len(transfers())) == (GIFT + 2000, GIFT + 7, 3)


def test_the_same_member_by_another_name_is_the_same_balance(bring, alice):
    bring(row())
    for name in ("ALICE@example.com", "138 0013 8000", alice.code.lower()):
        code, told = bring(row(name))
        assert (code, told["balances"]["already_there"]) == (0, 1)
    assert available(alice) == GIFT + 1000


@pytest.mark.parametrize(
    ("again", "difference"),
    [
        ({"points": "999"}, "with 1000"),
        ({"unit": "mall"}, "for another business unit"),
        ({"earned_on": "2024-01-01"}, "with other days"),
        ({"expires_on": "2030-01-01"}, "with other days"),
        ({"member": "bob@example.com"}, "it belongs to another member"),
    ],
)
def test_a_known_balance_with_other_content_is_reported_and_the_first_stays(bring, alice, bob, again, difference):
    make_unit()
    bring(row(reference="K-1", earned_on="2024-05-03"))
    code, told = bring(row(**{"reference": "K-1", "earned_on": "2024-05-03", **again}))
    assert code == 1
    assert reasons(told) == {2: f"This balance is booked already, but {difference}. It was left as it is."}
    assert (available(alice), available(bob)) == (GIFT + 1000, GIFT)


@pytest.mark.parametrize("batch", ["1", "500"])
@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_a_second_line_about_one_balance_is_reported_and_not_counted_twice(bring, alice, batch, dry_run):
    code, told = bring(
        row(),
        row("138 0013 8000"),
        row(reference="K-1"),
        row(reference="K-1"),
        row(ledger="growth"),
        row("new@example.com"),
        row("other@example.com"),
        row("New@example.com", "5"),
        options=["--batch", batch, "--create-members", *dry_run],
    )
    sentence = "Line {} tells of this balance already. Where both count, give each a reference of its own."
    assert reasons(told) == {3: sentence.format(2), 5: sentence.format(4), 9: sentence.format(7)}
    assert (code, told["balances"]["new"], told["points"], told["growth"]) == (1, 5, 4000, 1000)
    assert available(alice) == GIFT + (0 if dry_run else 2000)


# --- who, and what is wrong -------------------------------------------------------------


def test_a_dry_run_tells_the_effect_and_changes_nothing(bring, alice):
    rows = [row(), row("new@example.com"), row(points="-5", reference="debt")]
    options = ["--create-members"]
    code, told = bring(*rows, options=[*options, "--dry-run"])
    assert (code, told["dry_run"], told["points"], told["members_created"]) == (1, True, 2000, 1)
    assert (transfers(), find_by_ref("new@example.com")) == ([], None)
    _, real = bring(*rows, options=options)
    assert {**real, "dry_run": True, "seconds": 0} == {**told, "seconds": 0}


def test_unknown_people_become_members_where_that_is_asked_for(bring, alice):
    rows = [row("new@example.com"), row("139 1234 5678", "0"), row("M7K29QXW"), row("1.38E+10")]
    code, told = bring(*rows)
    assert (code, told["lines_with_errors"], db.session.scalar(sa.select(sa.func.count()).select_from(Member))) == (
        1,
        4,
        1,
    )
    code, told = bring(*rows, options=["--create-members"])
    assert (code, told["members_created"], told["balances"]) == (1, 2, {"new": 1, "already_there": 0, "empty": 1})
    assert "no email or phone from which to make one" in reasons(told)[4]
    assert "a spreadsheet has shortened" in reasons(told)[5]
    new = find_by_ref("new@example.com")
    assert (available(new), new.claimed_at) == (1000, None)
    assert available(find_by_ref("139 1234 5678")) == 0


def test_errors_are_told_by_line_and_the_good_rows_are_taken(bring, alice):
    closed = make_unit("closed")
    with transaction() as session:
        session.execute(sa.update(Unit).where(Unit.id == closed.id).values(active=False))
    code, told = bring(row(), row(unit="nowhere"), row(unit="closed"), row(points="-120"), row(expires_on="2026-06-14"))
    assert code == 1
    assert reasons(told) == {
        3: "There is no business unit “nowhere”.",
        4: "The business unit “closed” is closed.",
        5: "-120 is a debt, and nobody starts with one. Leave the line out, or bring 0 points.",
        6: "These points would be expired on arrival: their last day was Jun 14, 2026.",
    }
    assert available(alice) == GIFT + 1000


@pytest.mark.parametrize("text", ["", "member,points", "PK\x03\x04"])
def test_a_file_that_is_none_of_ours_is_refused_with_a_sentence(app, tmp_path, text):
    file = tmp_path / "bad.csv"
    file.write_text(text)
    result = app.test_cli_runner().invoke(args=["ledger", "import-balances", str(file), "--json"])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["unusable"].endswith(".")


def test_a_batch_takes_as_many_statements_as_a_single_line(bring):
    statements = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    bring(row("one@example.com"), options=["--create-members"])
    alone, statements[:] = len(statements), []
    bring(*(row(f"m{n}@example.com") for n in range(200)), options=["--create-members"])
    assert len(statements) <= alone


def test_the_summary_and_the_progress_are_for_people(app, alice, tmp_path):
    file = tmp_path / "balances.csv"
    rows = [row(reference=str(n), points="1") for n in range(1000)]
    file.write_text("\n".join([HEADER, *rows, row(points="x")]))
    result = app.test_cli_runner().invoke(args=["ledger", "import-balances", str(file)])
    assert result.exit_code == 1
    assert "New balances                    1,000" in result.stdout
    assert "50 %" in result.stderr
    assert "Line 1002: “x” is not a whole number." in result.stderr
