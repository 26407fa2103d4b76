"""What an agent may put right alone, and for which reasons."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

Texts = dict[str, str]
HIGHEST_LIMIT = 10_000_000

REASONS: dict[str, Texts] = {
    "goodwill": {"en": "Goodwill", "zh_Hans": "关怀补偿", "zh_Hant": "關懷補償"},
    "complaint": {"en": "After a complaint", "zh_Hans": "投诉处理", "zh_Hant": "投訴處理"},
    "correction": {"en": "Correction of a mistake", "zh_Hans": "差错更正", "zh_Hant": "差錯更正"},
    "missing": {"en": "Points missing from a purchase", "zh_Hans": "消费漏积分补登", "zh_Hant": "消費漏積分補登"},
    "promotion": {"en": "Promotion", "zh_Hans": "活动奖励", "zh_Hant": "活動獎勵"},
}


@terms("desk", _l("Service desk"))
class DeskTerms:
    """``adjustment_limit`` is the most points in one adjustment, in either direction.

    ``reasons`` are by code, with their texts by language. A transfer keeps the text that it was
    booked with, so a reason can be reworded or dropped without changing any history.
    """

    adjustment_limit: int = term(5000, _l("Most points in one adjustment"), _l("In either direction."))
    reasons: dict[str, Texts] = term(
        REASONS, _l("Reasons for an adjustment"), _l("A line each: code | English | 简体中文 | 繁體中文")
    )

    def __post_init__(self) -> None:
        if not 1 <= self.adjustment_limit <= HIGHEST_LIMIT:
            raise InvalidInput(_("The limit of an adjustment is between 1 and %(most)s points.", most=HIGHEST_LIMIT))
        if not self.reasons or not all(any(texts.values()) for texts in self.reasons.values()):
            raise InvalidInput(_("There must be at least one reason, and each needs a text."))
