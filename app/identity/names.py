"""What people type as names, emails and phones, brought into one form. Pure; the region is an argument."""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Literal, NamedTuple

import phonenumbers
from babel.core import get_global
from email_validator import EmailNotValidError, validate_email
from flask import current_app
from flask_babel import gettext as _

from app.foundation.errors import InvalidInput

DIGITS = "23456789"
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # No 0, 1, I, O: codes are read aloud at a counter.
CODE = re.compile(r"(?=.*\d)[A-Z][A-Z0-9]{3,15}")  # With a digit, so that nobody's name is taken for a code.
JOINERS = "\u200c\u200d"  # Needed inside emoji and several scripts, unlike every other invisible character.

Kind = Literal["email", "phone", "code"]


class Ref(NamedTuple):
    """How somebody names a member: ``Ref("email", "alice@example.com")``."""

    kind: Kind
    value: str


def clean(text: str) -> str:
    """One line without control characters, direction overrides and doubled spaces.

    A name that turned the writing direction around could pretend to be another one.
    """
    kept = (
        c
        for c in unicodedata.normalize("NFC", text)
        if c in JOINERS or unicodedata.category(c)[0] != "C" or c.isspace()
    )
    return " ".join("".join(kept).split())


def email_of(text: str) -> str:
    """``" Alice@Example.COM "`` → ``"alice@example.com"``. Raises ``InvalidInput``."""
    folded = unicodedata.normalize("NFKC", text).strip().lower()
    if len(folded) > 254:
        raise InvalidInput(_("This email address is too long."))
    try:
        return validate_email(
            folded, check_deliverability=False, allow_smtputf8=False, test_environment=True
        ).normalized
    except EmailNotValidError as error:
        raise InvalidInput(_("This does not look like an email address, for example name@example.com.")) from error


def phone_of(text: str, region: str) -> str:
    """``"138 0013 8000"`` → ``"+8613800138000"`` (E.164). Raises ``InvalidInput``."""
    folded = unicodedata.normalize("NFKC", text).strip()
    try:
        number = phonenumbers.parse(folded[:40], region)
    except phonenumbers.NumberParseException as error:
        raise InvalidInput(_("This does not look like a phone number.")) from error
    if not phonenumbers.is_valid_number(number):
        raise InvalidInput(_("This phone number does not exist. Please check the digits."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def code_of(text: str) -> str:
    """A member code as it is stored: ``"m7k2-9qxw"`` → ``"M7K29QXW"``."""
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text)).upper()


def ref_of(text: str, region: str | None = None) -> Ref:
    """Tell an email, a phone and a member code apart, and normalise it. Raises ``InvalidInput``."""
    if "@" in text or "＠" in text:
        return Ref("email", email_of(text))
    if len(text) <= 40 and CODE.fullmatch(code := code_of(text)):
        return Ref("code", code)
    return Ref("phone", phone_of(text, region or home_region()))


def contact_of(text: str) -> Ref:
    """An email or a phone, the two things that a person can prove to own. Raises ``InvalidInput``."""
    if any(c.isdecimal() for c in text) or "@" in text or "＠" in text:
        ref = ref_of(text)
        if ref.kind != "code":
            return ref
    raise InvalidInput(_("Please give an email address or a phone number."))


def home_region() -> str:
    """The country whose phones need no prefix: that of the programme's timezone (``Asia/Shanghai`` → ``CN``)."""
    return get_global("zone_territories").get(current_app.config["SETTINGS"].timezone, "CN")


def new_code() -> str:
    """A member code that nobody can guess: 48 random bits behind an M."""
    return "M" + secrets.choice(DIGITS) + "".join(secrets.choice(ALPHABET) for _ in range(9))
