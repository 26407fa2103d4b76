"""What orders refuse, in sentences."""

from __future__ import annotations

from flask_babel import gettext as _

from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import money, points
from app.mall.orders.rules import Figures


def in_words(figures: Figures) -> str:
    """``4,000 points + ¥298.00``, or one of the two."""
    if not figures.points:
        return money(figures.cash)
    if not figures.cash:
        return _("%(points)s points", points=points(figures.points))
    return _("%(points)s points + %(cash)s", points=points(figures.points), cash=money(figures.cash))


class PriceChanged(DomainError):
    """The price is not what the person saw. Carries both, so that the page can show the new one."""

    def __init__(self, old: Figures, new: Figures) -> None:
        self.old, self.new = old, new
        super().__init__(
            _(
                "The price has changed meanwhile, from %(old)s to %(new)s. Nothing was ordered and no points "
                "were used; if you like the new price, confirm once more.",
                old=in_words(old),
                new=in_words(new),
            )
        )


class NotOffered(DomainError):
    """The product, the variant or this way to pay is not in the mall any more."""

    def __init__(self) -> None:
        self.reason = _("This is no longer offered.")
        super().__init__(_("This is no longer offered. Nothing was ordered and no points were used."))


class InvalidQuantity(InvalidInput):
    def __init__(self, most: int) -> None:
        super().__init__(_("Please choose between 1 and %(most)s pieces.", most=most))


class AddressMissing(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("Please tell us where to send it. Nothing was ordered yet."))


class PaymentOver(DomainError):
    """There is nothing left to pay for this order."""

    def __init__(self) -> None:
        super().__init__(_("There is nothing left to pay for this order. Nothing was charged."))


class NothingWanted(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("There is nothing to order yet. Please choose something in the mall."))


class SeveralUnits(InvalidInput):
    """One order is one shop's: it is packed, sent and taken back by it."""

    def __init__(self) -> None:
        super().__init__(_("These come from different shops. Please order from each of them by itself."))


class DeliveryNotOffered(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("This way of delivery is not offered. Please choose another one."))


class NothingToShip(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("Please choose what lies in the parcel. Nothing was changed."))


class NotToBeGivenUp(DomainError):
    """It was sent, looked at, attended or used meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            _("A part of this was sent or used meanwhile and can no longer be cancelled. Nothing was changed.")
        )


class TrackingNumberTaken(InvalidInput):
    """Every parcel travels under a number of its own."""

    def __init__(self, number: str) -> None:
        super().__init__(
            _("Another parcel of this order travels under %(number)s already. Nothing was changed.", number=number)
        )


class SentMeanwhile(DomainError):
    """A colleague was quicker: what the form says is left may be on its way."""

    def __init__(self) -> None:
        super().__init__(
            _("Another parcel of this order was sent meanwhile. Nothing was changed; please look at what is left.")
        )
