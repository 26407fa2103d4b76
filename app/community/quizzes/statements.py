"""Quizzes ready to be read, and as a way to earn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.community.quizzes.queries import Offered, offered, state
from app.community.quizzes.rules import State, enough
from app.engagement.earn.statements import Reader, Way, capped_state, way
from app.foundation.formats import day, moment, points
from app.foundation.languages import translated
from app.loyalty.earning.statements import cap_sentence

STATE_LABELS = {"draft": _l("Draft"), "soon": _l("Coming"), "open": _l("Open now"), "over": _l("Over")}
STATE_TONES = {"draft": "neutral", "soon": "info", "open": "brand", "over": "neutral"}


@dataclass(frozen=True, slots=True)
class Card:
    """A quiz in the member's list. ``done`` is whether they have had their try."""

    title: str
    text: str
    badge: str
    tone: str
    url: str | None
    amount: str | None
    state: State
    done: bool


def card_of(each: Offered, *, now: datetime) -> Card:
    quiz, attempt, where = each.quiz, each.attempt, state(each.quiz, now=now)
    url = url_for("portal.quizzes.show", code=quiz.code)
    title = translated(quiz.title)
    if attempt is not None:
        text = _("%(score)s of %(total)s right", score=attempt.score, total=each.questions)
        amount = points(attempt.points, sign=True) if attempt.points else None
        return Card(title, text, _("Answered"), "brand", url, amount, where, done=True)
    if where == "open":
        text = ngettext("%(num)s question", "%(num)s questions", each.questions)
        if quiz.closes_at:
            text = _("%(questions)s · until %(moment)s", questions=text, moment=moment(quiz.closes_at))
        return Card(title, text, _("Open now"), "gold", url, None, where, done=False)
    if where == "soon":
        text = _("From %(moment)s", moment=moment(quiz.opens_at))
        return Card(title, text, _("Coming"), "info", None, None, where, done=False)
    return Card(title, _("You did not take part."), _("Over"), "neutral", None, None, where, done=False)


def rule_of(needed: int, questions: int, worth: int) -> str:
    """What a quiz brings, in a sentence."""
    least = enough(needed, questions)
    if least >= questions:
        return _("Answer all questions right, and get %(points)s points.", points=points(worth))
    return ngettext(
        "Answer %(num)s question right, and get %(points)s points.",
        "Answer %(num)s questions right, and get %(points)s points.",
        least,
        points=points(worth),
    )


def _when(each: Offered, card: Card) -> str:
    """Short: it stands beside a button."""
    if card.state == "open" and each.quiz.closes_at:
        return _("Open until %(day)s", day=day(each.quiz.closes_at))
    return card.badge if card.state == "open" else _("From %(day)s", day=day(each.quiz.opens_at))


@way
def quizzes(reader: Reader) -> list[Way]:
    """Those that are open or come next; what is answered stands there with its result as long as it is open."""
    rule = reader.rule("quiz")
    if rule is None:
        return []
    had_state, tone = capped_state(rule, reader.had_of("quiz"))
    found = []
    for each in reversed(offered(reader.member.id, now=reader.now)):
        card = card_of(each, now=reader.now)
        if card.state not in ("open", "soon"):
            continue
        found.append(
            Way(
                group="quizzes",
                title=card.title,
                rule=rule_of(each.quiz.needed, each.questions, rule.points),
                worth=points(rule.points, sign=True),
                cap=cap_sentence(rule.caps),
                state=_("Done: %(result)s", result=card.text) if card.done else _when(each, card),
                tone=card.tone if card.done or not had_state else tone,
                action="" if card.state == "soon" else _("Result") if card.done else _("Answer"),
                url=card.url or "",
                picture="puzzle",
                colour="violet",
            )
        )
    return found
