"""The catalogue's smaller forms: stock, pictures, the moment of listing, categories and brands."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, FileField, MultipleFileField, SelectChoice, SelectField, StringField

from app.foundation.formtools import at_most
from app.mall.catalog.fields import MomentField, WholeField, blame, chosen, name_field, one_line, plain, reads
from app.mall.catalog.rules import MOST_PIECES


class StockForm(FlaskForm):
    variant = SelectField(_l("Variant"), validate_choice=False)
    reason = SelectField(
        _l("Reason"),
        choices=[
            SelectChoice("delivery", _l("Goods received")),
            SelectChoice("correction", _l("Correction after counting")),
        ],
        validate_choice=False,
    )
    change = WholeField(_l("Pieces more or fewer"), least=-MOST_PIECES, most=MOST_PIECES)
    reference = StringField(
        _l("Note"),
        filters=[one_line],
        validators=[at_most(80), plain],
    )

    def check(self) -> bool:
        fields_valid = self.validate_on_submit()
        picked = [chosen(self.variant), chosen(self.reason)]
        return all([fields_valid, *picked, reads(self.change) and self._check_direction()])

    def _check_direction(self) -> bool:
        if self.change.number == 0:
            blame(self.change, _("Nothing would change. Please write how many pieces more or fewer."))
        elif self.reason.data == "delivery" and self.change.number < 0:
            blame(self.change, _("A delivery brings pieces. For fewer pieces choose the correction."))
        return not self.change.errors


class PicturesForm(FlaskForm):
    pictures = MultipleFileField(_l("Pictures"))


class SheetForm(FlaskForm):
    """The file comes beside it."""

    sheet = FileField(_l("Sheet"))


class CategoryForm(FlaskForm):
    code = StringField(
        _l("Code"),
        description=_l("Small letters, digits and hyphens. Orders and earning rules name it, so it stays for good."),
        filters=[one_line],
        validators=[at_most(32)],
    )
    name_en = name_field(_l("Name in English"))
    name_zh_Hans = name_field(_l("Name in Simplified Chinese"))  # noqa: N815
    name_zh_Hant = name_field(_l("Name in Traditional Chinese"))  # noqa: N815
    rank = WholeField(
        _l("Place"), least=0, most=9999, default="0", description=_l("Members see the smallest number first.")
    )

    def validate_rank(self, _field: Field) -> None:
        """Raises ``ValidationError`` with a sentence."""
        self.rank.read()


class BrandForm(FlaskForm):
    code = StringField(
        _l("Code"),
        description=_l("Small letters, digits and hyphens; it stays for good."),
        filters=[one_line],
        validators=[at_most(32)],
    )
    name_en = name_field(_l("Name in English"))
    name_zh_Hans = name_field(_l("Name in Simplified Chinese"))  # noqa: N815
    name_zh_Hant = name_field(_l("Name in Traditional Chinese"))  # noqa: N815


class ListingForm(FlaskForm):
    """When members begin to see a product; empty is now."""

    at = MomentField(_l("Listed from"))

    def check(self) -> bool:
        return all([self.validate_on_submit(), reads(self.at)])


class BulkForm(FlaskForm):
    """What is done to many products at once; which fields count depends on the action."""

    at = MomentField(_l("Listed from"))
    category = SelectField(_l("Category"), validate_choice=False)
    percent = StringField(_l("Percent"), filters=[one_line], validators=[at_most(10)])
    part = SelectField(
        _l("Of"),
        choices=[
            SelectChoice("both", _l("points and cash")),
            SelectChoice("points", _l("points only")),
            SelectChoice("cash", _l("cash only")),
        ],
        validate_choice=False,
    )
