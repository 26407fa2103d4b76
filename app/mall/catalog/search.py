"""How a search finds its products by index, whether its words are rare or on every second product."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

import sqlalchemy as sa

from app.foundation.database import any_of, db, insert_new
from app.mall.catalog.models import Product, ProductWord
from app.mall.catalog.words import Asked, query, search_text, words_of

FEW = 300  # Up to so many products are named to the database; more than that are met soon enough on the way.
SAMPLE = 100  # So many products that have a frequent word tell whether the others are frequent beside it.
OFTEN = 8  # Words that stand together on one of so many products, at least, are met soon enough as well.

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Found:
    """The ``conditions`` that a product has to fulfil; ``named`` when they name few products by their ids."""

    conditions: list[Condition]
    named: bool


def matching(typed: str) -> Found:
    """What a search asks of a product. Few queries, besides the one that this becomes part of.

    A word that few products have names them, and they are sorted as wanted. Where all words are frequent, the sorted
    products are looked through until there are enough, which is soon; unless the words hardly ever come together.
    """
    asked = query(typed)
    if not asked.words:
        return Found([sa.false()], named=True)
    texts = [Product.search_text.contains(text, autoescape=True) for text in asked.texts]
    ids, frequent, sample = _by_rare_words(asked.words)
    if ids is None and len(frequent) > 1 and not _often_together(frequent, sample):
        ids, frequent = _by_all_words(frequent)
    named = [] if ids is None else [any_of(Product.id, sorted(ids))]
    return Found([*named, *map(_has, frequent), *texts], named=bool(named))


def _by_rare_words(words: Sequence[Asked]) -> tuple[set[int] | None, list[Asked], list[int]]:
    """The products that have all the rare words (``None`` without any), the words that are not rare, and some
    products that have the first of these."""
    found: list[list[int]] = [[] for _ in words]
    for place, product_id in db.session.execute(sa.union_all(*(_some(*each) for each in enumerate(words)))):
        found[place].append(product_id)
    rare = [set(ids) for ids in found if len(ids) <= FEW]
    frequent = [(word, ids) for word, ids in zip(words, found, strict=True) if len(ids) > FEW]
    sample = frequent[0][1][:SAMPLE] if frequent else []
    return (reduce(and_, rare) if rare else None), [word for word, _ids in frequent], sample


def _often_together(words: list[Asked], sample: list[int]) -> bool:
    """Do many of some products that have the first word have the others, too?"""
    those = sa.select(sa.func.count(Product.id)).where(any_of(Product.id, sample), *map(_has, words[1:]))
    return (db.session.scalar(those) or 0) * OFTEN >= len(set(sample))


def _some(place: int, word: Asked) -> sa.Select[int, int]:
    having = sa.select(ProductWord.product_id).where(_is(word)).limit(FEW + 1).subquery()
    return sa.select(sa.literal(place), having.c.product_id)


def _by_all_words(words: list[Asked]) -> tuple[set[int] | None, list[Asked]]:
    """The products that have all the words, if they are few after all."""
    both = sa.intersect(*(sa.select(ProductWord.product_id).where(_is(word)) for word in words)).subquery()
    ids = set(db.session.scalars(sa.select(both.c.product_id).limit(FEW + 1)))
    return (None, words) if len(ids) > FEW else (ids, [])


def _is(word: Asked) -> Condition:
    return sa.and_(ProductWord.word >= word.first, ProductWord.word < word.end)


def _has(word: Asked) -> Condition:
    """A single value and no EXISTS, which PostgreSQL would turn round and read all products that have the word."""
    one = sa.select(sa.literal(1)).where(ProductWord.product_id == Product.id, _is(word)).limit(1)
    return one.correlate(Product).scalar_subquery().is_not(None)


# --- keeping the words ----------------------------------------------------------------------


def index(product: Product, brand: dict[str, str] | None) -> None:
    """Let a product be found by its names, its brand's and its SKUs. It must have its id."""
    names = [product.name, *(variant.name for variant in product.variants), brand or {}]
    product.search_text = search_text(names, [variant.sku for variant in product.variants])
    _write(product.id, words_of(product.search_text))


def _write(product_id: int, wanted: Iterable[str]) -> None:
    present = set(db.session.scalars(sa.select(ProductWord.word).where(ProductWord.product_id == product_id)))
    gone, fresh = present - set(wanted), sorted(set(wanted) - present)
    if gone:
        db.session.execute(
            sa.delete(ProductWord).where(ProductWord.product_id == product_id, any_of(ProductWord.word, sorted(gone)))
        )
    rows = [{"product_id": product_id, "word": word} for word in fresh]
    insert_new(ProductWord, rows, unless=["product_id", "word"], returning=[ProductWord.word])
