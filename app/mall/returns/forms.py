"""Forms of returns: asking, and deciding."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from wtforms import HiddenField, MultipleFileField, RadioField, SelectChoice, TextAreaField
from wtforms.validators import InputRequired

from app.foundation.errors import InvalidInput
from app.foundation.formtools import at_most, readable
from app.mall.returns import pictures
from app.mall.returns.cases import LONGEST_ANSWER, LONGEST_NOTE
from app.mall.returns.rules import ASKED, NOT_ASKED, REASONS, cancelling_reasons
from app.mall.returns.statements import CANCELLING_LABELS, KIND_LABELS, REASON_LABELS

_PIECES = re.compile(r"pieces-([0-9]{1,18})", re.ASCII)
MOST_DIGITS = 9


class AskForm(FlaskForm):
    """``pieces`` are asked for by line, in fields of their own: ``pieces-7`` is line 7."""

    longest = LONGEST_NOTE
    kind = RadioField(_l("What would you like?"), validators=[InputRequired(_l("Please choose one."))])
    reason = RadioField(_l("Why?"), validators=[InputRequired(_l("Please choose a reason."))])
    note = TextAreaField(_l("What should we know?"), filters=[readable], validators=[at_most(longest)], default="")
    pictures = MultipleFileField(_l("Pictures"))
    key = HiddenField()

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.kind.choices = [SelectChoice(kind, KIND_LABELS[kind]) for kind in ASKED]
        asked = [reason for reason in REASONS if reason not in NOT_ASKED]
        self.reason.choices = [SelectChoice(reason, REASON_LABELS[reason]) for reason in asked]
        self.key.data = self.key.data or secrets.token_urlsafe(16)


class CancelForm(FlaskForm):
    """``pieces`` as above. ``hand`` is the kind of whoever cancels; what staff write, the member reads."""

    reason = RadioField(_l("Why?"), validators=[InputRequired(_l("Please choose a reason."))])
    note = TextAreaField(_l("What should we know?"), filters=[readable], default="")
    key = HiddenField()

    def __init__(self, *args: Any, hand: str, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.reason.choices = [SelectChoice(reason, CANCELLING_LABELS[reason]) for reason in cancelling_reasons(hand)]
        self.longest = LONGEST_NOTE if hand == "member" else LONGEST_ANSWER
        self.note.validators = [at_most(self.longest)]
        self.key.data = self.key.data or secrets.token_urlsafe(16)


def hidden(form: FlaskForm, pieces: Mapping[int, int]) -> dict[str, Any]:
    """The fields of a form that was looked at, to be sent once more with the next step."""
    names = ("key", "kind", "reason", "note")
    typed = {name: form[name].data or "" for name in names if name in form}
    return typed | {f"pieces-{line}": count for line, count in pieces.items()}


def pieces_of(values: Mapping[str, str]) -> dict[int, int]:
    """How many of which line. Raises ``InvalidInput`` for what is no number of pieces."""
    found: dict[int, int] = {}
    for name, text in values.items():
        if not (line := _PIECES.fullmatch(name)):
            continue
        typed = unicodedata.normalize("NFKC", text).strip() or "0"
        if not re.fullmatch(r"[0-9]+", typed):
            raise InvalidInput(_("Please write how many pieces as a whole number, such as 1."))
        if int(typed[:20]):
            found[int(line[1])] = int(typed) if len(typed) <= MOST_DIGITS else 10**MOST_DIGITS
    return found


def codes_of(values: Sequence[str]) -> list[int]:
    """The codes that were ticked."""
    return [int(text) for text in values if re.fullmatch(r"[0-9]{1,18}", text, re.ASCII)]


def take_pictures(uploads: list[FileStorage], kept: list[str], *, owner: str) -> list[str]:
    """What names the pictures of this form from now on: those of before, and new uploads. Raises ``InvalidInput``."""
    chosen = [upload for upload in uploads if upload.filename]
    if len(kept) + len(chosen) > pictures.MOST:
        raise InvalidInput(_("Please choose at most %(most)s pictures.", most=pictures.MOST))
    added = []
    for upload in chosen:
        try:
            added.append(pictures.store(upload.stream, owner=owner))
        except InvalidInput as error:
            name = readable(upload.filename)
            raise InvalidInput(_("%(file)s: %(sentence)s", file=name, sentence=str(error))) from error
    return [*kept, *added]


class ApprovalForm(FlaskForm):
    answer = TextAreaField(
        _l("What the member should know"),
        description=_l("Such as where to send it. The member reads it."),
        filters=[readable],
        validators=[at_most(LONGEST_ANSWER)],
    )


class RejectionForm(FlaskForm):
    why = TextAreaField(
        _l("Why not?"),
        description=_l("The member reads it."),
        filters=[readable],
        validators=[InputRequired(_l("Please say why; the member reads it.")), at_most(LONGEST_ANSWER)],
    )


class SettlementForm(FlaskForm):
    """Only of a ``parcel`` anything can lie on a shelf again."""

    shelf = RadioField(
        _l("Can it be sold again?"),
        choices=[SelectChoice("yes", _l("Yes: back on the shelf")), SelectChoice("no", _l("No: it leaves our stock"))],
        validators=[InputRequired(_l("Please choose one."))],
    )

    def __init__(self, *args: Any, parcel: bool, **fields: Any) -> None:
        super().__init__(*args, **fields)
        if not parcel:
            del self.shelf

    @property
    def back_on_shelf(self) -> bool:
        return "shelf" in self and self.shelf.data == "yes"
