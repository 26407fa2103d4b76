"""How a search finds its products by index, whether its words are rare or on every second product."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_

import sqlalchemy as sa

from app.foundation.database import any_of, db, insert_new
from app.mall.catalog.models import Product, ProductWord
from app.mall.catalog.words import Asked, query, search_text, words_of

FEW = 500  # Up to so many products are named to the database; more than that are met soon enough on the way.

Condition = sa.ColumnElement[bool]


def matching(typed: str) -> list[Condition]:
    """The conditions that a product has to fulfil. Two queries at most, besides the one that they become part of.

    A word that few products have names them, and they are sorted as wanted. Where all words are frequent, the sorted
    products are looked through until there are enough, which is soon; unless the words hardly ever come together.
    """
    asked = query(typed)
    if not asked.words:
        return [sa.false()]
    texts = [Product.search_text.contains(text, autoescape=True) for text in asked.texts]
    ids, frequent = _by_rare_words(asked.words)
    if ids is None and len(frequent) > 1:
        ids, frequent = _by_all_words(frequent)
    if ids is None:
        return [*map(_has, frequent), *texts]
    # Plain conditions on few rows: no index is to be tempted by them.
    return [any_of(Product.id, sorted(ids)), *map(_has, frequent), *texts]


def _by_rare_words(words: Sequence[Asked]) -> tuple[set[int] | None, list[Asked]]:
    """The products that have all the rare words, ``None`` without any, and the words that are not rare."""
    parts = [_some(place, word) for place, word in enumerate(words)]
    found: list[list[int]] = [[] for _ in words]
    for place, product_id in db.session.execute(sa.union_all(*parts)):
        found[place].append(product_id)
    rare = [set(ids) for ids in found if len(ids) <= FEW]
    frequent = [word for word, ids in zip(words, found, strict=True) if len(ids) > FEW]
    return (reduce(and_, rare) if rare else None), frequent


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
