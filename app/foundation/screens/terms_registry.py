"""How the back office edits, tells and tries out a domain's terms, where the general way does not do.

- ``editor("earning", "backoffice.earning.edit")``: this domain has a form of its own. It saves with ``keep``.
- ``@teller(EarningTerms)``: how these terms read, line by line. Cards, differences and versions are made of the lines,
  and a line is known by its label: what has the same label before and after is the same thing, changed.
- ``@preview(EarningTerms)``: what publishing would change for members, shown before it is done.
- ``companion(EarningTerms, endpoint, label)``: another page about the draft, linked where it is published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from typing import Any, TypeVar

from flask import flash, url_for
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from app.foundation import clock, drafts
from app.foundation import terms as house_terms
from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.foundation.languages import translated

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that terms say, in words."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What a line said and says; empty where there was none, or is none any more."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What something brings under the terms in force and under the draft, with a reason where it needs one."""

    label: str
    before: str
    after: str
    reason: str = ""

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Companion:
    endpoint: str
    label: Any
    hint: Any


_editors: dict[str, str] = {}
_tellers: dict[type, Callable[[Any], Sequence[Line]]] = {}
_previews: dict[type, Callable[[Any, Any], Sequence[Effect]]] = {}
_companions: dict[type, list[Companion]] = {}


def editor(domain: str, endpoint: str) -> None:
    """This domain's terms are edited at ``endpoint``, which takes no arguments."""
    _editors[domain] = endpoint


def teller(cls: type[T]) -> Callable[[Callable[[T], Sequence[Line]]], Callable[[T], Sequence[Line]]]:
    """Register how terms of this class read."""

    def register(tell: Callable[[T], Sequence[Line]]) -> Callable[[T], Sequence[Line]]:
        _tellers[cls] = tell
        return tell

    return register


def preview(cls: type[T]) -> Callable[[Callable[[T, T], Sequence[Effect]]], Callable[[T, T], Sequence[Effect]]]:
    """Register what the terms in force (the first argument) and a draft (the second) bring."""

    def register(tell: Callable[[T, T], Sequence[Effect]]) -> Callable[[T, T], Sequence[Effect]]:
        _previews[cls] = tell
        return tell

    return register


def companion(cls: type, endpoint: str, label: Any, hint: Any = "") -> None:
    """Link another page about the draft from the page where it is published; ``endpoint`` takes no arguments."""
    there = _companions.setdefault(cls, [])
    there[:] = [each for each in there if each.endpoint != endpoint] + [Companion(endpoint, label, hint)]


# --- for the pages --------------------------------------------------------------------------


def editor_of(domain: str) -> str | None:
    return _editors.get(domain)


def editor_url(domain: str) -> str:
    own = _editors.get(domain)
    return url_for(own) if own else url_for("backoffice.terms.edit", domain=domain)


def companions_of(cls: type) -> Sequence[Companion]:
    return _companions.get(cls, ())


def effects_of(before: T, after: T) -> Sequence[Effect]:
    told = _previews.get(type(before))
    return told(before, after) if told else ()


def lines_of(values: Any) -> Sequence[Line]:
    """Terms in words."""
    told = _tellers.get(type(values))
    return told(values) if told else [Line(str(label_of(each)), _text(each, values)) for each in fields(values)]


def differences(before: Any, after: Any) -> list[Difference]:
    """What changes, in the order of the new lines; what goes comes last."""
    old, new = _numbered(lines_of(before)), _numbered(lines_of(after))
    found = [Difference(key[0], old.get(key, ""), text) for key, text in new.items() if old.get(key) != text]
    return found + [Difference(key[0], text, "") for key, text in old.items() if key not in new]


def _numbered(lines: Sequence[Line]) -> dict[tuple[str, int], str]:
    """By label; of several with the same, the first one is compared with the first."""
    seen: Counter[str] = Counter()
    found = {}
    for line in lines:
        found[(line.label, seen[line.label])] = line.text
        seen[line.label] += 1
    return found


def label_of(entry: Field[Any]) -> Any:
    return entry.metadata.get("label") or entry.name.replace("_", " ").capitalize()


def _text(entry: Field[Any], values: Any) -> str:
    value = getattr(values, entry.name)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) or (isinstance(value, dict) and not _only_texts(value)):
        return ngettext("%(num)s entry", "%(num)s entries", len(value))
    if isinstance(value, dict):
        return ", ".join(translated(texts) for texts in value.values())
    choices = entry.metadata.get("choices") or {}
    return str(choices.get(value) or (format_decimal(value) if isinstance(value, int) else value))


def _only_texts(value: Mapping[str, Any]) -> bool:
    return all(
        isinstance(each, dict) and all(isinstance(text, str) for text in each.values()) for each in value.values()
    )


def title_of(domain: str) -> str:
    return str(house_terms.declared[domain].title)  # type: ignore[attr-defined]


# --- for forms ------------------------------------------------------------------------------


def started(cls: type) -> tuple[Any, str]:
    """What a form begins with, and its seal: the draft, if there is one, else what is in force."""
    draft: drafts.Draft[Any] | None = drafts.draft_of(cls)
    return (draft.terms, draft.seal) if draft else (house_terms.current(cls), drafts.seal_of(cls))


def keep(cls: type, values: Mapping[str, Any], *, seen: str, by: Actor) -> str:
    """Save what a form says as the draft, and answer where to go: to its publication, or back if nothing changes.

    ``seen`` is the seal that the form was given by ``started``. Opens its own transaction. Raises ``DraftChanged``
    when somebody else saved meanwhile, and ``InvalidInput`` when the values make no sense.
    """
    with transaction():
        draft: drafts.Draft[Any] | None = drafts.save_draft(cls, values, by=by, now=clock.now(), seen=seen)
    if draft is None:
        flash(_("Nothing to publish: this is what holds already."), "info")
        return url_for("backoffice.terms.index")
    return url_for("backoffice.terms.publication", domain=house_terms.domain_of(cls))
