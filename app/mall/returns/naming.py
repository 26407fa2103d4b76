"""Which codes do not work: where several of a line were looked at, whoever asks says which; else it is clear."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from app.mall.codes.queries import shown_of_lines
from app.mall.returns.errors import WhichCodes

if TYPE_CHECKING:
    from app.mall.codes.models import PoolCode
    from app.mall.orders.models import Order


def shown_codes(order: Order) -> dict[int, list[PoolCode]]:
    """The codes of an order that were looked at and are good as far as we know, by line."""
    lines: dict[int, list[PoolCode]] = {line.id: [] for line in order.lines if line.kind == "code"}
    for code in shown_of_lines(lines) if lines else ():
        assert code.order_line_id is not None
        lines[code.order_line_id].append(code)
    return lines


def pieces_named(order: Order, chosen: Collection[int]) -> dict[int, int]:
    """How many codes were chosen, by line, where there is a choice."""
    counts = {line_id: sum(code.id in chosen for code in codes) for line_id, codes in _several(order).items()}
    return {line_id: count for line_id, count in counts.items() if count}


def _several(order: Order) -> dict[int, list[PoolCode]]:
    return {line_id: codes for line_id, codes in shown_codes(order).items() if len(codes) > 1}


def codes_meant(order: Order, pieces: Mapping[int, int], chosen: Collection[int]) -> dict[int, list[int]]:
    """The ids of the codes that so many pieces are, by line. Raises ``WhichCodes`` where that is not clear."""
    found: dict[int, list[int]] = {}
    for line_id, codes in shown_codes(order).items():
        if line_id not in pieces:
            continue
        ids = [code.id for code in codes]
        named = [code_id for code_id in ids if code_id in chosen] or ids
        if len(named) > pieces[line_id] or (len(named) < pieces[line_id] and len(named) < len(ids)):
            raise WhichCodes
        found[line_id] = named
    if not set(chosen) <= {code_id for ids in found.values() for code_id in ids}:
        raise WhichCodes
    return found
