"""Is this request one that Stripe's published API description allows?

The ``stripe`` library's types of parameters are generated from that description (each file says so), so the
description that fits the pinned library is at hand: nothing is vendored, and an update of the library updates it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from stripe.params import RefundCreateParams, RefundListParams, RefundRetrieveParams
from stripe.params.checkout import SessionCreateParams, SessionExpireParams, SessionRetrieveParams
from typing_extensions import is_typeddict

# What is ours to send, and where.
ALLOWED: dict[tuple[str, str], Any] = {
    ("POST", "/v1/checkout/sessions"): SessionCreateParams,
    ("GET", "/v1/checkout/sessions/{id}"): SessionRetrieveParams,
    ("POST", "/v1/checkout/sessions/{id}/expire"): SessionExpireParams,
    ("POST", "/v1/refunds"): RefundCreateParams,
    ("GET", "/v1/refunds"): RefundListParams,
    ("GET", "/v1/refunds/{id}"): RefundRetrieveParams,
}
_OF_THE_LIBRARY = {"api_key", "idempotency_key", "stripe_account", "stripe_context", "stripe_version", "headers"}
_OF_THE_LIBRARY |= {"max_network_retries", "content_type"}
_PART = re.compile(r"\[([^\]]*)\]")


def complaints(method: str, path: str, parameters: dict[str, Any]) -> list[str]:
    """What Stripe would not understand of a request, in words."""
    words = ALLOWED.get((method, path))
    if words is None:
        return [f"{method} {path} is not among what we send"]
    return [f"{method} {path}: {wrong}" for wrong in _against(words, parameters, "")]


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``a[b][0][c]=d`` → ``{"a": {"b": [{"c": "d"}]}}``"""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        first, rest = name.partition("[")[0], _PART.findall(name)
        place = tree
        for key, follower in zip([first, *rest[:-1]], rest, strict=False):
            place = place.setdefault(key, {})
            assert isinstance(place, dict), follower
        place[rest[-1] if rest else first] = value
    return {key: _lists(value) for key, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(part) for key, part in value.items()}


def _against(wanted: Any, value: Any, where: str) -> Iterator[str]:
    if is_typeddict(wanted):
        yield from _fields(wanted, value, where)
    elif get_origin(wanted) in (NotRequired, Required):
        yield from _against(get_args(wanted)[0], value, where)
    elif get_origin(wanted) in (Union, UnionType):
        yield from _one_of([kind for kind in get_args(wanted) if kind is not NoneType], value, where)
    elif get_origin(wanted) is Literal:
        if value not in get_args(wanted):
            yield f"{where} = {value!r} is none of {get_args(wanted)}"
    elif get_origin(wanted) is list:
        yield from _items(get_args(wanted)[0], value, where)
    elif get_origin(wanted) is dict:
        if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
            yield f"{where} should be pairs of words"
    elif not _plain(wanted, value):
        yield f"{where} = {value!r} is no {getattr(wanted, '__name__', wanted)}"


@cache
def _hints(wanted: Any) -> dict[str, Any]:
    # What only the library's own options need is not imported there at run time.
    return get_type_hints(wanted, localns={"StripeContext": str, "Mapping": dict}, include_extras=True)


def _fields(wanted: Any, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} = {value!r} should have parts"
        return
    hints = _hints(wanted)
    known = hints.keys() - (_OF_THE_LIBRARY if not where else set())
    for name in value.keys() - known:
        yield f"{where}[{name}] is unknown"
    for name in (wanted.__required_keys__ & known) - value.keys():
        yield f"{where}[{name}] is missing"
    for name in value.keys() & known:
        yield from _against(hints[name], value[name], f"{where}[{name}]")


def _one_of(kinds: list[Any], value: Any, where: str) -> Iterator[str]:
    # An open list of words has `str` beside it: only the words that are listed are ours to send.
    if any(get_origin(kind) is Literal and any(get_args(kind)) for kind in kinds):
        kinds = [kind for kind in kinds if kind is not str]
    answers = [list(_against(kind, value, where)) for kind in kinds]
    if all(answers):
        yield from min(answers, key=len)


def _items(kind: Any, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where} should be a list"
        return
    for number, item in enumerate(value):
        yield from _against(kind, item, f"{where}[{number}]")


def _plain(wanted: Any, value: Any) -> bool:
    if wanted is int:
        return isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value) is not None
    if wanted is bool:
        return value in ("true", "false")
    if wanted is str:
        return isinstance(value, str) and bool(value)
    return False
