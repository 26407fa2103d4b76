"""What an agent may put right alone, and for which reasons an agent acts."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

Texts = dict[str, str]
HIGHEST_LIMIT = 10_000_000
LONGEST_CODE = 40

REASONS: dict[str, Texts] = {
    "goodwill": {"en": "Goodwill", "zh_Hans": "关怀补偿", "zh_Hant": "關懷補償"},
    "complaint": {"en": "After a complaint", "zh_Hans": "投诉处理", "zh_Hant": "投訴處理"},
    "correction": {"en": "Correction of a mistake", "zh_Hans": "差错更正", "zh_Hant": "差錯更正"},
    "missing": {"en": "Points missing from a purchase", "zh_Hans": "消费漏积分补登", "zh_Hant": "消費漏積分補登"},
    "promotion": {"en": "Promotion", "zh_Hans": "活动奖励", "zh_Hant": "活動獎勵"},
}

FREEZE_REASONS: dict[str, Texts] = {
    "lost": {
        "en": "Phone or password in strange hands",
        "zh_Hans": "手机或密码落入他人之手",
        "zh_Hant": "手機或密碼落入他人之手",
    },
    "request": {"en": "The member asked for it", "zh_Hans": "会员本人要求", "zh_Hant": "會員本人要求"},
    "suspicious": {"en": "Suspicious purchases or referrals", "zh_Hans": "消费或邀请异常", "zh_Hant": "消費或邀請異常"},
    "dispute": {"en": "Open dispute", "zh_Hans": "争议处理中", "zh_Hant": "爭議處理中"},
}


@terms("desk", _l("Service desk"))
class DeskTerms:
    """``adjustment_limit`` is the most points in one adjustment, in either direction.

    ``reasons`` are by code, with their texts by language. A transfer keeps the text that it was
    booked with, so a reason can be reworded or dropped without changing any history. ``freeze_reasons``
    are of the same form, for colleagues only.
    """

    adjustment_limit: int = term(5000, _l("Most points in one adjustment"), _l("In either direction."))
    reasons: dict[str, Texts] = term(
        REASONS, _l("Reasons for an adjustment"), _l("A line each: code | English | 简体中文 | 繁體中文")
    )
    freeze_reasons: dict[str, Texts] = term(
        FREEZE_REASONS, _l("Reasons for freezing an account"), _l("A line each: code | English | 简体中文 | 繁體中文")
    )

    def __post_init__(self) -> None:
        if not 1 <= self.adjustment_limit <= HIGHEST_LIMIT:
            raise InvalidInput(_("The limit of an adjustment is between 1 and %(most)s points.", most=HIGHEST_LIMIT))
        if not all(_good(reasons) for reasons in (self.reasons, self.freeze_reasons)):
            raise InvalidInput(_("There must be at least one reason, and each needs a text."))
        if max(map(len, self.freeze_reasons)) > LONGEST_CODE:
            raise InvalidInput(_("A reason's code has at most %(most)s characters.", most=LONGEST_CODE))


def _good(reasons: dict[str, Texts]) -> bool:
    return bool(reasons) and all(any(texts.values()) for texts in reasons.values())
