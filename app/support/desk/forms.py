"""The desk's forms. What was typed is kept as typed; ``points`` of an adjustment is what it means."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, Field, HiddenField, RadioField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from app.foundation.formtools import readable
from app.foundation.languages import translated
from app.foundation.points import Points
from app.foundation.terms import current
from app.support.desk.participation import LONGEST_TITLE
from app.support.desk.terms import DeskTerms, Texts

LONGEST_NOTE = 500
MOST_DIGITS = 15
KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


def whole_number(text: str) -> int | None:
    """``"１２"``, as Chinese keyboards type it, is 12. ``None`` for anything but plain digits."""
    digits = text.strip()
    return int(digits) if digits.isdecimal() and len(digits) <= MOST_DIGITS else None


def reason_choices(reasons: Mapping[str, Texts]) -> list[SelectChoice]:
    texts = [SelectChoice(code, translated(text)) for code, text in reasons.items()]
    return [SelectChoice("", _("Please choose")), *texts]


class NoteForm(FlaskForm):
    """Why something was done, for colleagues; where a form has reasons to choose from, one of them, too."""

    note = TextAreaField(
        _l("Note, for colleagues only"),
        [InputRequired(_l("Please write down why, for your colleagues.")), Length(max=LONGEST_NOTE)],
        filters=[readable],
    )

    def validate_note(self, field: Field) -> None:
        if not field.data:
            raise ValidationError(_("Please write down why, for your colleagues."))

    def validate_reason(self, field: Field) -> None:
        if not field.data:
            raise ValidationError(_("Please choose a reason from the list."))


class FreezeForm(NoteForm):
    reason = SelectField(_l("Reason, for colleagues only"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reason.choices = reason_choices(current(DeskTerms).freeze_reasons)


class ParticipationForm(FlaskForm):
    """What a member took part in. ``kinds`` are those that bring something now, with their labels."""

    kind = RadioField(_l("What did the member do?"), validators=[InputRequired(_l("Please choose what it was."))])
    title = StringField(
        _l("What was it called?"),
        description=_l("As the member will read it."),
        validators=[InputRequired(_l("Please name it.")), Length(max=LONGEST_TITLE)],
        filters=[readable],
    )
    day = DateField(_l("On which day?"), validators=[InputRequired(_l("Please give the day."))])

    def __init__(self, *args: Any, kinds: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [SelectChoice(kind, label) for kind, label in kinds.items()]


class AdjustmentForm(NoteForm):
    """``key`` makes two clicks one booking. ``expected`` is the balance shown before the second step, ``confirmed``."""

    direction = RadioField(
        _l("What should happen?"),
        choices=[SelectChoice("give", _l("Give points")), SelectChoice("take", _l("Take points"))],
    )
    amount = StringField(_l("Points"), [InputRequired(_l("How many points?")), Length(max=40)])
    reason = SelectField(_l("Reason, shown to the member"))
    key = HiddenField()
    expected = HiddenField()
    confirmed = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reason.choices = reason_choices(current(DeskTerms).reasons)
        if not self.is_submitted():
            self.direction.data = "give"
            self.key.data = secrets.token_urlsafe(16)

    def validate_amount(self, field: Field) -> None:
        number = whole_number(field.data or "")
        if number is None:
            raise ValidationError(_("Please write a whole number of points, in digits only, such as 250."))
        if number == 0:
            raise ValidationError(_("Zero points change nothing. Please write at least 1."))

    def validate_key(self, field: Field) -> None:
        if not KEY.fullmatch(field.data or ""):
            raise ValidationError(_("This form is no longer good. Please open it again."))

    def validate_expected(self, field: Field) -> None:
        """What makes no sense is no balance that anybody saw."""
        if field.data and self.expected_points is None:
            raise ValidationError(_("This form is no longer good. Please open it again."))

    @property
    def points(self) -> Points:
        """Signed. Only of a form that validates."""
        number = whole_number(self.amount.data or "") or 0
        return Points(-number if self.direction.data == "take" else number)

    @property
    def expected_points(self) -> Points | None:
        text = self.expected.data or ""
        return Points(int(text)) if re.fullmatch(r"-?[0-9]{1,15}", text) else None
