"""Who carries parcels, how their tracking numbers look, and where each carrier tells how far a parcel has come."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

from flask_babel import gettext as _

from app.foundation.errors import InvalidInput
from app.mall.orders.rules import one_line

LONGEST = 60  # Signs that the columns of a shipment take.
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"))


@dataclass(frozen=True, slots=True)
class Carrier:
    """``pattern`` is loose: it finds what was copied from the wrong place, not every number that does not exist.

    ``page`` is the carrier's own, with a place for the number where it is known to take one.
    """

    code: str
    name: str
    pattern: str
    page: str

    def takes(self, number: str) -> bool:
        return re.fullmatch(self.pattern, number, re.ASCII) is not None

    @property
    def words(self) -> set[str]:
        """What people call it: its code, its name, and the name in either language."""
        latin = " ".join(word for word in self.name.split() if word.isascii())
        chinese = "".join(word for word in self.name.split() if not word.isascii())
        return {text.casefold() for text in (self.code, self.name, latin, chinese) if text}


CARRIERS = {
    carrier.code: carrier
    for carrier in (
        Carrier(
            "sf",
            "SF Express 顺丰",
            r"(SF)?\d{10,15}",
            "https://www.sf-express.com/chn/sc/waybill/waybill-detail/{number}",
        ),
        Carrier(
            "jd",
            "JD Logistics 京东",
            r"[A-Z]{0,6}\d{8,20}(-\d{1,4}){0,3}-?",
            "https://www.jdl.com/orderSearch/?waybillCodes={number}",
        ),
        Carrier(
            "zto",
            "ZTO 中通",
            r"[A-Z]{0,4}\d{9,18}",
            "https://www.zto.com/express/expressCheck.html?txtBill={number}",
        ),
        Carrier("yto", "YTO 圆通", r"[A-Z]{0,4}\d{9,18}", "https://www.yto.net.cn/"),
        Carrier("sto", "STO 申通", r"[A-Z]{0,4}\d{9,18}", "https://www.sto.cn/"),
        Carrier("yunda", "Yunda 韵达", r"[A-Z]{0,4}\d{9,18}", "https://www.yundaex.com/"),
        Carrier(
            "ems",
            "China Post EMS 邮政",
            r"[A-Z]{0,2}\d{9,14}([A-Z]{2})?",
            "https://www.ems.com.cn/queryList?mailNo={number}",
        ),
        Carrier(
            "dhl",
            "DHL",
            r"[A-Z]{0,5}\d{8,22}",
            "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}",
        ),
        Carrier("fedex", "FedEx", r"[A-Z]{0,2}\d{10,34}", "https://www.fedex.com/fedextrack/?trknbr={number}"),
        Carrier("ups", "UPS", r"1Z[A-Z0-9]{16}|[A-Z]{0,2}\d{9,26}", "https://www.ups.com/track?tracknum={number}"),
    )
}
_BY_WORD = {word: carrier for carrier in CARRIERS.values() for word in carrier.words}


def carrier_called(name: str) -> Carrier | None:
    """The carrier of our list that people call so; ``None`` for any other."""
    return _BY_WORD.get(one_line(name).casefold())


def tidy_number(text: str | None) -> str:
    """A tracking number as carriers print it: full-width signs, spaces and invisible ones do not count."""
    plain = unicodedata.normalize("NFKC", (text or "").translate(_DASHES))
    return "".join(sign for sign in plain if sign.isprintable() and not sign.isspace()).upper()


def read_carrier(text: str | None) -> str:
    """The name of a carrier as we write it; one that we do not know keeps its own. Raises ``InvalidInput``."""
    name = one_line(unicodedata.normalize("NFKC", text or ""))
    if not name:
        raise InvalidInput(_("Please name the carrier."))
    if len(name) > LONGEST:
        raise InvalidInput(_("Please use at most %(max)d characters.", max=LONGEST))
    known = carrier_called(name)
    return known.name if known else name


def read_number(text: str | None, carrier: str) -> str:
    """A tracking number of this carrier, by name, tidied. Raises ``InvalidInput``."""
    number = tidy_number(text)
    if not number:
        raise InvalidInput(_("The tracking number is missing."))
    if len(number) > LONGEST:
        raise InvalidInput(_("Please use at most %(max)d characters.", max=LONGEST))
    known = carrier_called(carrier)
    if known and not known.takes(number):
        raise InvalidInput(
            _("%(number)s is no tracking number of %(carrier)s. Please copy it from the label once more.",
              number=number, carrier=known.name)
        )  # fmt: skip
    return number


def tracking_page(carrier: str, number: str) -> str | None:
    """Where the carrier itself tells how far this parcel has come; ``None`` for carriers that we do not know."""
    known = carrier_called(carrier)
    return known.page.format(number=quote(number, safe="")) if known else None
