"""Take the balances of a file into the books, a batch at a time: what members bring from an old system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.events import publish
from app.foundation.points import Growth, Points
from app.foundation.sheets import LineError, Sheet
from app.foundation.terms import current
from app.identity.resolving import Resolved, resolve, why_not_there
from app.identity.units.queries import units_by_code
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.queries import Booked, booked
from app.loyalty.openings.events import GrowthBrought
from app.loyalty.openings.explanations import same_facts, why_opening
from app.loyalty.openings.rows import Limits, Row, parse_row
from app.loyalty.openings.terms import OpeningTerms

if TYPE_CHECKING:
    from app.identity.units.models import Unit


@dataclass(slots=True)
class Taken:
    """What became of a batch, or of many added up. ``empty`` are lines with 0 points: they bring nothing.

    ``created`` are the refs of members who did not exist before.
    """

    new: int = 0
    known: int = 0
    empty: int = 0
    points: int = 0
    growth: int = 0
    created: set[str] = field(default_factory=set)
    errors: list[LineError] = field(default_factory=list)

    def add(self, other: Taken) -> None:
        self.new += other.new
        self.known += other.known
        self.empty += other.empty
        self.points += other.points
        self.growth += other.growth
        self.created |= other.created
        self.errors += other.errors


def limits(*, now: datetime) -> Limits:
    """What the programme believes of a row, by its terms."""
    return Limits(clock.local_date(now, clock.programme_zone()), current(OpeningTerms).largest)


def read(sheet: Sheet, limits: Limits, *, on_row: Callable[[], object] = lambda: None) -> Iterator[Row | LineError]:
    """Every row, and every reason why one was not taken."""
    for line in sheet.lines():
        part = parse_row(line, limits)
        if isinstance(part, Row):
            yield part
        else:
            yield from part
        on_row()


class Opening:
    """One import of one file. It remembers which line told of which balance first.

    Two lines about one balance cannot be told from a line that slipped in twice, so the second one is refused.
    """

    def __init__(self, *, create_members: bool, now: datetime) -> None:
        self.create_members, self.now = create_members, now
        self._first: dict[tuple[str, str], int] = {}

    def take_in(self, batch: Sequence[Row]) -> Taken:
        """Book a batch. What is wrong with a row is reported for its line, and does not stop the others.

        Members whom nobody knows are made, to be claimed later, if ``create_members``. Publishes ``GrowthBrought``
        if anybody brought some.
        """
        taken = Taken()
        units = units_by_code()
        sound = [row for row in batch if _unit_is_open(row, units, taken)]
        members = resolve({row.member for row in sound}, create=self.create_members, now=self.now)
        taken.created |= members.created
        first_told = self._first_told(sound, members, taken)
        awards = [(row, self._award(row, units, members.ids[row.member])) for row in first_told]
        fresh = _not_booked(awards, taken)
        for posting in ledger.award_many(fresh, now=self.now) if fresh else ():
            _count(posting, taken)
        grown = sorted({award.member_id for award in fresh if award.amount.ledger == Growth.ledger})
        if grown:
            publish(GrowthBrought(tuple(grown), self.now))
        return taken

    def _first_told(self, rows: Sequence[Row], members: Resolved, taken: Taken) -> Iterator[Row]:
        for row in rows:
            if reason := members.unknown.get(row.member):
                taken.errors.append(LineError(row.line, reason))
            elif not row.amount:
                taken.empty += 1
            elif first := self._told_before(row, members):
                sentence = _(
                    "Line %(line)s tells of this balance already. Where both count, give each a reference of its own.",
                    line=first,
                )
                taken.errors.append(LineError(row.line, sentence))
            else:
                yield row

    def _told_before(self, row: Row, members: Resolved) -> int | None:
        """The line that told of the same balance. Notes this one if there is none."""
        contact = members.refs[row.member].value
        if row.reference:
            names = [f"reference:{row.reference}"]
        elif contact in members.created:
            names = [f"contact:{contact}"]  # A dry run takes the member back, and the id may go to somebody else.
        else:
            names = [f"contact:{contact}", f"member:{members.ids[row.member]}"]
        keys = [(name, row.amount.ledger) for name in names]
        first = next((self._first[key] for key in keys if key in self._first), None)
        if first is None:
            self._first.update(dict.fromkeys(keys, row.line))
        return first

    def _award(self, row: Row, units: Mapping[str, Unit], member_id: int) -> ledger.Award:
        zone = clock.programme_zone()
        whose = f"ref:{row.reference}" if row.reference else f"member:{member_id}"
        expires_at = clock.end_of(row.last_day, zone) if row.last_day else None
        return ledger.Award(
            member_id=member_id,
            amount=row.amount,
            key=f"opening:{whose}:{row.amount.ledger}",
            kind="opening",
            account="opening",
            unit_id=units[row.unit].id if row.unit else None,
            explanation=why_opening(row, brought_on=clock.local_date(self.now, zone)),
            occurred_at=clock.start_of(row.earned_on, zone) if row.earned_on else self.now,
            lives_from=self.now,
            expires_at=expires_at if row.last_day or row.lasting else ledger.BY_POLICY,
        )


def _unit_is_open(row: Row, units: Mapping[str, Unit], taken: Taken) -> bool:
    reason = why_not_there(row.unit, units) if row.unit else None
    if reason:
        taken.errors.append(LineError(row.line, reason))
    return reason is None


def _not_booked(awards: Sequence[tuple[Row, ledger.Award]], taken: Taken) -> list[ledger.Award]:
    """Those awards whose key is new. A key that is booked already with the same content changes nothing."""
    before = booked([award.key for _row, award in awards])
    fresh = []
    for row, award in awards:
        if (there := before.get(award.key)) is None:
            fresh.append(award)
        elif difference := _difference(award, there):
            sentence = _(
                "This balance is booked already, but %(difference)s. It was left as it is.", difference=difference
            )
            taken.errors.append(LineError(row.line, sentence))
        else:
            taken.known += 1
    return fresh


def _difference(award: ledger.Award, there: Booked) -> str:
    """What the row tells differently from the books; empty when it tells the same."""
    if there.member_id != award.member_id:
        return _("it belongs to another member")
    if there.amount != award.amount:
        return _("with %(amount)s", amount=str(there.amount))
    if there.unit_id != award.unit_id:
        return _("for another business unit")
    # Of somebody who was erased, the reason is no longer kept.
    if there.explanation["code"] == "opening" and not same_facts(award.explanation, there.explanation):
        return _("with other days")
    return ""


def _count(posting: ledger.Posting, taken: Taken) -> None:
    if not posting.created:
        taken.known += 1
        return
    taken.new += 1
    if isinstance(posting.amount, Points):
        taken.points += posting.amount.value
    else:
        taken.growth += posting.amount.value
