"""What members do besides shopping: they answer quizzes and pass links on; the owner runs a campaign."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from app.community.quizzes import actions as quizzes
from app.community.quizzes.queries import questions_of, quiz_by_code
from app.engagement.sharing.actions import follow
from app.entrypoints.demo import content
from app.entrypoints.demo.world import Living, World
from app.foundation import clock, drafts, terms
from app.foundation.database import transaction
from app.loyalty.earning.terms import EarningTerms

CAMPAIGN = {"en": "Bakery week", "zh_Hans": "面包周", "zh_Hant": "麵包週"}
BONUS = {"en": "Third time lucky", "zh_Hans": "三次有礼", "zh_Hant": "三次有禮"}
MILESTONE = {"en": "Busy month", "zh_Hans": "活跃之月", "zh_Hant": "活躍之月"}
YEAR_END = {"en": "Year's end for families", "zh_Hans": "岁末亲子季", "zh_Hant": "歲末親子季"}
RULES_SINCE = 10  # Days.
SEED = 20261122
SHARED = {0: (2, 6, 9), 3: (3,), 5: (1, 8)}  # Who passed a link on that somebody followed, so many days ago.
TAKERS = 0.6  # How likely somebody answers a quiz, Alice not: hers is still to come.
KNOWS = 0.75


def note_rules(world: World) -> None:
    """A week of double points in one shop that is on now, a bonus and a milestone."""
    today = world.diary.today

    def publish(now: datetime) -> None:
        with transaction():
            values = terms.values_of(terms.current(EarningTerms))
            starts, ends = today - timedelta(days=3), today + timedelta(days=4)
            window = {"starts": f"{starts}T00:00", "ends": f"{ends}T00:00"}
            values["campaigns"] = [{"code": "bakery-week", "name": CAMPAIGN, "times": "2", "unit": "bakery", **window}]
            values["bonuses"] = [
                {"code": "third", "name": BONUS, "nth": 3, "period": "month", "points": 50, "at_least": 1000}
            ]
            values["milestones"] = [
                {"code": "busy-month", "name": MILESTONE, "earn": 1500, "period": "month", "points": 100}
            ]
            terms.change(EarningTerms, values, by=world.colleagues["owner"], now=now)

    def prepare(now: datetime) -> None:
        """What the owner thinks about and has not published: a draft to compare, to try and to simulate."""
        with transaction():
            values = terms.values_of(terms.current(EarningTerms))
            begins = today + timedelta(days=20)
            window = {"starts": f"{begins}T00:00", "ends": f"{begins + timedelta(days=12)}T00:00", "budget": 20_000}
            values["campaigns"] = [
                *values["campaigns"],
                {"code": "year-end", "name": YEAR_END, "times": "3", "category": "family", **window},
            ]
            values["caps"] = {"day": 3_000}
            drafts.save_draft(EarningTerms, values, by=world.colleagues["owner"], now=now)

    world.diary.note(world.diary.at(RULES_SINCE, 9), publish)
    world.diary.note(world.diary.at(1, 15), prepare)


def note_quizzes(world: World) -> None:
    random = Random(SEED)  # noqa: S311 - of its own, so that the rest of the story stays as it is
    for sheet in content.quizzes():
        opens, closes = (world.diary.at(sheet[name], 8) for name in ("opens", "closes"))
        world.diary.note(opens - timedelta(days=1), partial(_publish, world, sheet, opens, closes))
        for place, person in enumerate(world.members[1:], start=1):
            at = opens + timedelta(hours=5 + place * 3, minutes=place * 7)
            if person.joins < at < min(closes, world.diary.end) and random.random() < TAKERS:
                choices = [_guess(random, question) for question in sheet["questions"]]
                world.diary.note(at, partial(_answer, sheet["code"], person, choices))


def _publish(world: World, sheet: dict[str, Any], opens: datetime, closes: datetime, now: datetime) -> None:
    by = world.colleagues["merchant"]
    with transaction():
        quiz = quizzes.create_quiz(
            code=sheet["code"],
            title=sheet["title"],
            intro=sheet["intro"],
            opens_at=opens,
            closes_at=closes,
            needed=sheet["needed"],
            by=by,
            now=now,
        )
        for question in sheet["questions"]:
            quizzes.write_question(quiz_id=quiz.id, question_id=None, **question, by=by, now=now)
        quizzes.publish_quiz(quiz_id=quiz.id, by=by, now=now)


def _guess(random: Random, question: dict[str, Any]) -> int:
    if random.random() < KNOWS:
        return int(question["right"])
    return random.randrange(len(question["choices"]))


def _answer(code: str, person: Living, choices: list[int], now: datetime) -> None:
    with transaction():
        quiz = quiz_by_code(code)
        assert quiz is not None
        asked = zip([question.id for question in questions_of(quiz.id)], choices, strict=True)
        quizzes.answer_quiz(quiz_id=quiz.id, member_id=person.id, choices=dict(asked), revision=quiz.revision, now=now)


def note_shares(world: World) -> None:
    """Somebody followed a link to the programme; which browser it was stays with us."""
    for place, days in SHARED.items():
        for days_ago in days:
            if place < len(world.members):
                world.diary.note(world.diary.at(days_ago, 19, 20), partial(_follow, world.members[place], place))


def _follow(person: Living, place: int, now: datetime) -> None:
    day = clock.local_date(now, clock.programme_zone())
    if person.joins < now:
        with transaction():
            follow(
                member_id=person.id,
                thing="programme",
                about="",
                device=f"demo-{place}-{day}",
                visitor_id=None,
                now=now,
            )
