"""The benefits that a programme begins with; ``flask setup`` writes them down as version 1."""

from __future__ import annotations

from typing import Any

from app.config import LOCALES

UP_FROM_GOLD = ("gold", "diamond")


def default_benefits() -> list[dict[str, Any]]:
    """Regular 1× and 5 % off, Silver 1.5× and 8 %, Gold 2× and 12 %, Diamond 5× and 20 %, and more from Gold up."""
    return [
        *_each(
            "multiplier",
            ("Points multiplier", "积分倍数", "積分倍數"),
            {"regular": "1", "silver": "1.5", "gold": "2", "diamond": "5"},
        ),
        *_each(
            "discount",
            ("Member price", "会员价", "會員價"),
            {"regular": 5, "silver": 8, "gold": 12, "diamond": 20},
        ),
        *_each("early_access", ("Early access", "抢先购买", "搶先購買"), {"gold": 1, "diamond": 3}),
        _one("tier_only", ("Exclusive products", "专属商品", "專屬商品"), UP_FROM_GOLD),
        *_gifts(
            "birthday_gift",
            ("Birthday gift", "生日礼", "生日禮"),
            {"regular": 20, "silver": 50, "gold": 100, "diamond": 200},
        ),
        *_gifts("monthly_gift", ("Monthly gift", "每月礼遇", "每月禮遇"), {"gold": 30, "diamond": 100}),
        _one("free_delivery", ("Free delivery", "免运费", "免運費"), UP_FROM_GOLD),
        _one("priority_delivery", ("Priority delivery", "优先发货", "優先出貨"), ("diamond",)),
        *_each("return_window", ("Longer return window", "退货期延长", "退貨期延長"), {"gold": 7, "diamond": 23}),
        *_each("warranty", ("Extended warranty", "延长保修", "延長保固"), {"gold": 6, "diamond": 12}),
        _one(
            "dedicated_agent",
            ("Contact person of your own", "专属客服", "專屬客服"),
            UP_FROM_GOLD,
            contact=_texts(
                (
                    "Ask for your contact person at any service desk.",
                    "到任意服务台，报出您的专属客服即可。",
                    "到任意服務台，報出您的專屬客服即可。",
                )
            ),
        ),
    ]


def _each(kind: str, names: tuple[str, str, str], values: dict[str, Any]) -> list[dict[str, Any]]:
    """One of a kind for each tier."""
    return [_entry(kind, f"{kind}-{tier}", names, [tier], value=value) for tier, value in values.items()]


def _gifts(kind: str, names: tuple[str, str, str], points: dict[str, int]) -> list[dict[str, Any]]:
    return [
        _entry(kind, f"{kind}-{tier}", names, [tier], gifts=[{"points": number}]) for tier, number in points.items()
    ]


def _one(kind: str, names: tuple[str, str, str], tiers: tuple[str, ...], **more: Any) -> dict[str, Any]:
    return _entry(kind, kind, names, list(tiers), **more)


def _entry(kind: str, code: str, names: tuple[str, str, str], tiers: list[str], **more: Any) -> dict[str, Any]:
    return {"code": code.replace("_", "-"), "kind": kind, "name": _texts(names), "tiers": tiers, **more}


def _texts(texts: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(LOCALES, texts, strict=True))
