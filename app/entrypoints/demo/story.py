"""The whole demo, told in order: ``load`` writes the diary of the group and lives through it up to now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from app.entrypoints.cli.setup import install_defaults
from app.entrypoints.demo import activities, comings, content, courses, favours, habits, orders, people, shop, vouchers
from app.entrypoints.demo.diary import Diary
from app.entrypoints.demo.world import Living, World
from app.foundation import clock, jobs
from app.foundation.database import transaction
from app.foundation.points import Points
from app.foundation.security import hash_password
from app.identity.members.queries import anybody, member_by_id
from app.loyalty.ledger import checks
from app.loyalty.tiers.actions import give_tier
from app.support.desk.actions import adjust_balance

PASSWORD = "demo-jifen"  # noqa: S105 - it is printed for everybody to see
SEED = 20260615
FEWEST = 6
NIGHTLY_CHECKS = 7  # Days.
DAILY_JOBS = 40  # Days; before that, the regular jobs look once a week.


class Refused(Exception):
    """The demo does not belong into this installation; the message says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was told, for the person at the command line."""

    units: int
    products: int
    members: int


def load(
    *,
    locale: str,
    members: int,
    now: datetime,
    on_chapter: Callable[[str], object] = lambda _name: None,
    on_progress: Callable[[float], object] = lambda _share: None,
) -> Told:
    """Tell the demo up to ``now``. Raises ``Refused`` in production and where there are members already."""
    refuse_where_it_does_not_belong()
    settings = current_app.config["SETTINGS"]
    diary = Diary(end=now, zone=clock.programme_zone())
    world = World(diary=diary, random=Random(SEED), locale=locale, currency=settings.currency)  # noqa: S311
    # The sandbox gateway is told addresses of pages, and addresses are made for a request.
    with force_locale(locale), current_app.test_request_context(base_url=settings.public_url):
        on_chapter("pictures")
        designs = shop.draw_pictures(content.products())
        on_chapter("history")
        dawn = diary.at(shop.DAWN, 8)
        with clock.freeze(dawn):
            with transaction():
                install_defaults(now=dawn)
            shop.open_shops(world, password=PASSWORD, now=dawn)
        shop.note_products(world, designs)
        people.invite(world, max(members, FEWEST))
        people.note_joining(world, password_hash=hash_password(PASSWORD))
        habits.note_shopping(world)
        habits.note_checkins(world)
        activities.note_rules(world)
        activities.note_quizzes(world)
        courses.note_courses(world)
        activities.note_shares(world)
        orders.note_orders(world)
        vouchers.note_vouchers(world)
        comings.note_returns(world)
        note_corrections(world)
        note_given_tier(world)
        favours.note_favours(world)
        note_jobs(world)
        diary.tell(on_moment=lambda moment: on_progress((moment - dawn) / (now - dawn)))
    return Told(len(world.units), len(content.products()), len(world.members))


def refuse_where_it_does_not_belong() -> None:
    if current_app.config["SETTINGS"].production:
        raise Refused(_("The demo is not loaded in production: everybody knows its passwords. Nothing was changed."))
    if anybody():
        raise Refused(_("There are members already, and the demo needs an empty database. Nothing was changed."))


def note_jobs(world: World) -> None:
    """What time does: points mature and expire, parcels count as received, orders are completed."""
    days = [*range(shop.DAWN, DAILY_JOBS, -7), *range(DAILY_JOBS, 0, -1)]
    for days_ago in days:
        # Each check of the books reads all of them: the last nights' are enough to look at.
        without = [checks.JOB] if days_ago > NIGHTLY_CHECKS else []
        world.diary.note(world.diary.at(days_ago, 23, 45), partial(_run_jobs, without=without))
    world.diary.note(world.diary.end, _run_jobs)


def _run_jobs(now: datetime, *, without: Sequence[str] = ()) -> None:
    jobs.run_all(now=now, without=without)


def note_given_tier(world: World) -> None:
    """The owner makes somebody Diamond for a while."""
    sponsor = world.members[4]
    reason = {"en": "Sponsor of the spring fair", "zh_Hans": "春季集市赞助商"}[world.locale]

    def give(now: datetime) -> None:
        member = member_by_id(sponsor.id)
        assert member is not None
        last_day = clock.local_date(world.diary.end, world.diary.zone) + timedelta(days=75)
        with transaction():
            give_tier(
                member=member,
                tier_code="diamond",
                last_day=last_day,
                reason=reason,
                by=world.colleagues["owner"],
                now=now,
            )

    world.diary.note(world.diary.at(15, 11), give)


def note_corrections(world: World) -> None:
    """The agent puts two balances right."""
    alice, another = world.members[0], world.members[2]
    notes = {
        "en": ("Receipt shown at the desk; the till was offline that day.", "The cake arrived late."),
        "zh_Hans": ("会员出示了小票，当天收银机离线。", "蛋糕送晚了，向会员致歉。"),
    }[world.locale]
    _note_correction(world, alice, 47, amount=128, reason="missing", note=notes[0])
    _note_correction(world, another, 18, amount=200, reason="goodwill", note=notes[1])


def _note_correction(world: World, person: Living, days_ago: int, *, amount: int, reason: str, note: str) -> None:
    def correct(now: datetime) -> None:
        member = member_by_id(person.id)
        assert member is not None
        with transaction():
            adjust_balance(
                member=member,
                amount=Points(amount),
                reason=reason,
                note=note,
                form_key=f"demo-{person.number}",
                by=world.colleagues["agent"],
                now=now,
            )

    world.diary.note(world.diary.at(days_ago, 15, 10) + timedelta(minutes=person.number), correct)
