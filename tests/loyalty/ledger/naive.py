"""The ledger again, written as naively as possible: one object per point, no books, no database.

It shares no code with the real one. What the two disagree about is a mistake in one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

GRACE = timedelta(days=30)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class Refused(Exception):
    pass


def day_after(moment: datetime, months: int, zone: ZoneInfo, *, month_end: bool) -> datetime:
    """When points die: counted forward day by day, to the first moment of the day after the last one."""
    day = moment.astimezone(zone).date()
    wanted = (day.year * 12 + day.month + months) if month_end else (day.year * 12 + day.month - 1 + months)
    last, one = day, timedelta(days=1)
    while last.year * 12 + last.month - 1 < wanted:
        last += one
    if not month_end:
        while last.day < day.day and (last + one).month == last.month:
            last += one
        last += one
    return datetime(last.year, last.month, last.day, tzinfo=zone).astimezone(UTC)


@dataclass(eq=False)
class Token:
    """One point."""

    expires: datetime | None
    earned: datetime
    lot: int
    award: str
    idle: int | None = None
    state: str = "free"

    @property
    def turn(self) -> tuple[datetime, datetime, int]:
        return (self.expires or NEVER, self.earned, self.lot)

    def dead(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


@dataclass
class Waiting:
    amount: int
    expires: datetime | None
    earned: datetime
    deadline: datetime | None
    idle: int | None = None

    def dead(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


@dataclass
class Account:
    zone: ZoneInfo
    tokens: list[Token] = field(default_factory=list)
    holds: dict[str, tuple[list[Token], datetime | None]] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    spent: dict[str, list[Token]] = field(default_factory=dict)
    given_back: dict[str, int] = field(default_factory=dict)
    awarded: dict[str, int] = field(default_factory=dict)
    clawed: dict[str, int] = field(default_factory=dict)
    debt: int = 0
    frozen: bool = False
    growth: int = 0
    lots: int = 0

    # --- figures

    def free(self, now: datetime) -> list[Token]:
        alive = [token for token in self.tokens if token.state == "free" and not token.dead(now)]
        return sorted(alive, key=lambda token: token.turn)

    def available(self, now: datetime) -> int:
        return len(self.free(now)) - self.debt

    def held(self) -> int:
        return sum(len(tokens) for tokens, _ in self.holds.values())

    def on_the_way(self) -> int:
        return sum(each.amount for each in self.waiting.values())

    # --- what happens

    def _pay_off(self, tokens: list[Token]) -> None:
        for token in tokens[: self.debt]:
            token.state = "paid a debt"
        self.debt -= min(self.debt, len(tokens))

    def active(self, now: datetime) -> None:
        """The member did something: what lives as long as that, and is not dead, lives on."""
        for each in [*self.tokens, *self.waiting.values()]:
            if each.idle and not each.dead(now):
                each.expires = max(each.expires or now, day_after(now, each.idle, self.zone, month_end=False))

    def award(
        self,
        key: str,
        amount: int,
        *,
        expires: datetime | None,
        earned: datetime,
        idle: int | None = None,
        counts: bool = True,
    ) -> None:
        if counts:
            self.active(earned)
        self.lots += 1
        new = [Token(expires, earned, self.lots, key, idle) for _ in range(amount)]
        self.tokens += new
        self._pay_off(new)
        if counts:
            self.awarded[key] = amount

    def promise(
        self,
        key: str,
        amount: int,
        *,
        expires: datetime | None,
        earned: datetime,
        deadline: datetime | None,
        idle: int | None = None,
    ) -> None:
        self.active(earned)
        self.waiting[key] = Waiting(amount, expires, earned, deadline, idle)
        self.awarded[key] = amount

    def _take(self, amount: int, now: datetime) -> list[Token]:
        if amount > self.available(now):
            raise Refused
        return self.free(now)[:amount]

    def spend(self, key: str, amount: int, *, now: datetime, correction: bool = False) -> None:
        if self.frozen and not correction:
            raise Refused
        self.spent[key] = self._take(amount, now)
        if not correction:
            self.active(now)
        for token in self.spent[key]:
            token.state = "spent"

    def hold(self, key: str, amount: int, *, now: datetime, deadline: datetime | None) -> None:
        if self.frozen:
            raise Refused
        taken = self._take(amount, now)
        self.active(now)
        for token in taken:
            token.state = "held"
        self.holds[key] = (taken, deadline)

    def post(self, key: str, as_key: str) -> None:
        if key in self.holds:
            tokens, _ = self.holds.pop(key)
            for token in tokens:
                token.state = "spent"
            self.spent[as_key] = tokens
        else:
            each = self.waiting.pop(key)
            self.award(key, each.amount, expires=each.expires, earned=each.earned, idle=each.idle, counts=False)

    def void(self, key: str) -> None:
        if key in self.waiting:
            del self.waiting[key]
            return
        tokens, _ = self.holds.pop(key)
        for token in tokens:
            token.state = "free"
        self._pay_off(tokens)

    def give_back(self, key: str, amount: int, *, now: datetime, shop_caused: bool) -> None:
        returned = self.given_back.get(key, 0)
        if returned + amount > len(self.spent[key]):
            raise Refused
        self.given_back[key] = returned + amount
        backwards = self.spent[key][::-1][returned : returned + amount]
        coming = backwards[::-1]
        graced = [token for token in coming if shop_caused and token.dead(now)]
        home = [token for token in coming if token not in graced]
        for origin in dict.fromkeys(token.lot for token in graced):
            self.lots += 1
            for token in graced:
                if token.lot == origin:
                    token.expires, token.lot, token.idle = now + GRACE, self.lots, None
        for token in coming:
            token.state = "free"
        self._pay_off(home + graced)

    def claw_back(self, key: str, amount: int, *, now: datetime) -> None:
        if self.clawed.get(key, 0) + amount > self.awarded[key]:
            raise Refused
        self.clawed[key] = self.clawed.get(key, 0) + amount
        if key in self.waiting:
            self.waiting[key].amount -= amount
            if self.waiting[key].amount == 0:
                del self.waiting[key]
            return
        alive = sorted(self.free(now), key=lambda token: token.award != key)
        for token in alive[:amount]:
            token.state = "clawed back"
        self.debt += max(amount - len(alive), 0)

    def deadlines(self, now: datetime) -> None:
        due = [key for key, (_, deadline) in self.holds.items() if deadline and deadline <= now]
        due += [key for key, each in self.waiting.items() if each.deadline and each.deadline <= now]
        for key in sorted(due, key=lambda key: int(key.split(":")[-1])):
            if key in self.holds:
                self.void(key)
            else:
                self.post(key, key)
