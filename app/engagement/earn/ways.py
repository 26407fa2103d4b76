"""The ways to earn of this floor and those below it. What pays nothing is not mentioned."""

from __future__ import annotations

from datetime import date

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app.engagement.checkin import queries as checkin
from app.engagement.checkin.statements import cycle_sentence
from app.engagement.earn.queries import Purchases, purchases_of
from app.engagement.earn.rules import next_time
from app.engagement.earn.statements import Bar, Reader, Way, capped_state, way
from app.engagement.referrals import queries as referrals
from app.engagement.referrals.statements import promise as promise_of_referral
from app.foundation import clock
from app.foundation.formats import day, points, short_money
from app.foundation.languages import translated
from app.identity.members.queries import has_address
from app.identity.members.statements import completeness
from app.loyalty.earning.explanations import number
from app.loyalty.earning.queries import milestone_ways
from app.loyalty.earning.statements import (
    bonus_condition,
    bonus_sentence,
    campaigns_in_words,
    cap_sentence,
    milestone_sentence,
    place,
    promise,
    rate_text,
)


def today(reader: Reader) -> date:
    return clock.local_date(reader.now, clock.programme_zone())


# --- every day ------------------------------------------------------------------------------


@way
def check_in(reader: Reader) -> list[Way]:
    standing = checkin.today(reader.member.id, today=today(reader))
    streak = ngettext("%(num)s day in a row", "%(num)s days in a row", standing.streak)
    return [
        Way(
            group="daily",
            title=_("Check in every day"),
            rule=cycle_sentence([each.points for each in standing.cycle]),
            worth=points(standing.reward, sign=True),
            cap=_("Once a day."),
            state=_("Done today: %(streak)s", streak=streak) if standing.done else _("Open today"),
            tone="brand" if standing.done else "gold",
            action=_("Calendar") if standing.done else _("Check in"),
            url=url_for("portal.checkin.show"),
            picture="calendar",
            colour="gold",
        )
    ]


@way
def sharing(reader: Reader) -> list[Way]:
    rule, had = reader.rule("sharing"), reader.had_of("sharing")
    if rule is None:
        return []
    state, tone = capped_state(rule, had)
    return [
        Way(
            group="daily",
            title=_("Share what you like"),
            rule=_(
                "Send somebody the link to a product or the programme: when they follow it, you get %(points)s points.",
                points=points(rule.points),
            ),
            worth=points(rule.points, sign=True),
            cap=cap_sentence(rule.caps),
            state=state or _("Open today"),
            tone=tone if state else "gold",
            action=_("Share"),
            url=url_for("portal.sharing.new"),
            picture="heart",
            colour="info",
        )
    ]


# --- shopping -------------------------------------------------------------------------------


@way
def shopping(reader: Reader) -> list[Way]:
    rule = purchases_of(reader.member.id, now=reader.now)
    return [_purchases(rule), *_rates(rule), *_campaigns(rule), *_bonuses(rule)]


def _purchases(found: Purchases) -> Way:
    mine = found.multiplier
    state = _("%(times)s times as %(reason)s", times=number(mine.times), reason=translated(mine.name)) if mine else ""
    caps = found.rule.caps
    if caps.day is not None and found.points_today:
        state = _("%(had)s of %(most)s today", had=points(found.points_today), most=points(caps.day))
    return Way(
        group="shopping",
        title=_("Shop and dine"),
        rule=promise(found.rule),
        worth=f"×{number(mine.times)}" if mine else "",
        cap=cap_sentence(caps),
        state=state or _("In every shop of the group"),
        tone="brand" if mine else "neutral",
        action=_("To the mall"),
        url=url_for("portal.mall.index"),
        picture="shopping-bags",
    )


def _rates(found: Purchases) -> list[Way]:
    return [
        Way(
            group="shopping",
            title=place(rate.scope, found.units),
            rule=_("%(what)s: %(rate)s.", what=place(rate.scope, found.units), rate=rate_text(rate.points)),
            picture="sparkles",
            colour="info",
        )
        for rate in found.rule.rates[:-1]
    ]


def _campaigns(found: Purchases) -> list[Way]:
    return [
        Way(
            group="shopping",
            title=each.name,
            rule=each.rule,
            worth=each.badge,
            state=each.time,
            tone="brand" if each.now else "neutral",
            picture="party-popper" if each.now else "hourglass",
            colour="violet",
        )
        for each in campaigns_in_words(found.rule, found.local, found.units)
    ]


def _bonuses(found: Purchases) -> list[Way]:
    ways = []
    for bonus in found.rule.bonuses:
        done = found.counts[bonus.code]
        if bonus.period == "ever" and done >= bonus.nth:
            continue  # It will not come again.
        bar = Bar(
            min(done, bonus.nth),
            bonus.nth,
            _("Purchases that count"),
            _("%(done)s of %(most)s", done=min(done, bonus.nth), most=bonus.nth),
        )
        ways.append(
            Way(
                group="shopping",
                title=translated(bonus.name),
                rule=bonus_sentence(bonus),
                worth=points(bonus.points, sign=True),
                cap=bonus_condition(bonus),
                state=_("Done") if done >= bonus.nth else "",
                tone="brand",
                picture="trophy",
                colour="gold",
                bar=bar,
            )
        )
    return ways


# --- friends, oneself -----------------------------------------------------------------------


@way
def friends(reader: Reader) -> list[Way]:
    offer = referrals.offer()
    if not offer.inviter_points:
        return []
    totals = referrals.totals_of(reader.member.id, now=reader.now)
    return [
        Way(
            group="once",
            title=_("Invite friends"),
            rule=_(
                "When a friend joins by your invitation and spends %(amount)s: %(promise)s",
                amount=short_money(offer.least_spend),
                promise=promise_of_referral(offer),
            ),
            worth=points(offer.inviter_points, sign=True),
            cap=ngettext("%(num)s friend a month.", "Up to %(num)s friends a month.", offer.monthly_cap),
            state=_("%(done)s of %(most)s this month", done=totals.this_month, most=offer.monthly_cap)
            if totals.this_month
            else "",
            tone="brand",
            action=_("Invite"),
            url=url_for("portal.referrals.index"),
            picture="handshake",
            colour="info",
        )
    ]


@way
def profile(reader: Reader) -> list[Way]:
    rule, had = reader.rule("profile"), reader.had_of("profile")
    if not (rule or had.times):
        return []
    worth = had.total if rule is None or had.times else rule.points
    told = completeness(reader.member, has_address=has_address(reader.member.id))
    done = bool(had.times)
    return [
        Way(
            group="once",
            title=_("Complete your profile"),
            rule=_(
                "Tell us all that we ask for, and get %(points)s points at once.",
                points=points(worth),
            ),
            worth=points(worth, sign=True),
            cap=_("Once."),
            state=_("Done") if done else "",
            tone="brand",
            action="" if done else _("Go on"),
            url=told.missing[0].url if told.missing else url_for("portal.profile.edit"),
            picture="pencil",
            colour="gold",
            bar=None
            if done
            else Bar(
                told.done,
                len(told.parts),
                _("Complete so far"),
                _("%(done)s of %(most)s", done=told.done, most=len(told.parts)),
            ),
        )
    ]


# --- special days ---------------------------------------------------------------------------


@way
def birthday(reader: Reader) -> list[Way]:
    rule, member = reader.rule("birthday"), reader.member
    if rule is None:
        return []
    born = member.birth_date
    coming = next_time(born, after=today(reader)) if born else None
    return [
        Way(
            group="days",
            title=_("Your birthday"),
            rule=_("On your birthday you get %(points)s points.", points=points(rule.points)),
            worth=points(rule.points, sign=True),
            cap=_("Once a year."),
            state=_("On %(day)s", day=day(coming)) if coming else _("We do not know it yet"),
            tone="neutral" if coming else "gold",
            action="" if coming else _("Tell us"),
            url=url_for("portal.profile.edit"),
            picture="birthday-cake",
            colour="violet",
        )
    ]


@way
def anniversary(reader: Reader) -> list[Way]:
    rule, joined = reader.rule("anniversary"), reader.member.claimed_at
    if rule is None or joined is None:
        return []
    first = clock.local_date(joined, clock.programme_zone())
    return [
        Way(
            group="days",
            title=_("The day you joined"),
            rule=_("Each year on the day on which you joined you get %(points)s points.", points=points(rule.points)),
            worth=points(rule.points, sign=True),
            cap=_("Once a year."),
            state=_("On %(day)s", day=day(next_time(first, after=today(reader)))),
            picture="balloon",
            colour="brand",
        )
    ]


@way
def milestones(reader: Reader) -> list[Way]:
    return [
        Way(
            group="days",
            title=translated(each.milestone.name),
            rule=milestone_sentence(each.milestone),
            worth=points(each.milestone.points, sign=True) if each.milestone.points else "",
            cap={"month": _("Once a month."), "year": _("Once a year.")}.get(each.milestone.period, _("Once.")),
            state=_("Reached") if each.reached else "",
            tone="brand",
            picture="rocket",
            colour="violet",
            bar=None
            if each.reached
            else Bar(
                min(each.earned, each.milestone.earn),
                each.milestone.earn,
                _("Earned so far"),
                _("%(done)s of %(most)s", done=points(max(each.earned, 0)), most=points(each.milestone.earn)),
            ),
        )
        for each in milestone_ways(reader.member.id, now=reader.now)
    ]


# --- what colleagues write down -------------------------------------------------------------


@way
def taking_part(reader: Reader) -> list[Way]:
    """What a colleague records at the desk."""
    words = {
        "event": (_("Come to an event"), _("For coming to one of our events you get %(points)s points."), "ticket"),
        "course": (_("Finish a course"), _("For finishing a course you get %(points)s points."), "graduation-cap"),
        "survey": (_("Answer a survey"), _("For answering a survey you get %(points)s points."), "clipboard"),
        "review": (_("Write a review"), _("For a review you get %(points)s points."), "pencil"),
    }
    ways = []
    for kind, (title, sentence, picture) in words.items():
        rule, had = reader.rule(kind), reader.had_of(kind)
        if rule:
            state, tone = capped_state(rule, had)
            ways.append(
                Way(
                    group="desk",
                    title=title,
                    rule=sentence % {"points": points(rule.points)},
                    worth=points(rule.points, sign=True),
                    cap=cap_sentence(rule.caps),
                    state=state,
                    tone=tone,
                    picture=picture,
                    colour="info",
                )
            )
    return ways
