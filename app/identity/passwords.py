"""What makes a password acceptable: long enough, and not among the first that a guesser tries."""

from __future__ import annotations

import re

from flask_babel import gettext as _

from app.foundation.errors import InvalidInput

SHORTEST, LONGEST = 8, 200
DIGITS_ENOUGH = 12  # Eight digits are a birthday or a phone number.
ROWS = (
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb",
    "qazwsxedcrfv",
)

# The words at the heart of the most common passwords; digits and signs around them make nobody safer.
WORDS = (
    "password passwort passw0rd pass word letmein welcome admin administrator root login master secret default "
    "changeme iloveyou loveyou iloveu lovely love princess sunshine monkey dragon football baseball basketball "
    "superman batman spiderman pokemon starwars whatever trustno shadow michael jennifer jordan jessica charlie "
    "daniel ashley nicole thomas freedom computer internet samsung google facebook windows hello killer cookie "
    "summer winter spring autumn flower cheese chocolate liverpool chelsea arsenal barcelona juventus ferrari "
    "mercedes corvette harley mustang phoenix tigger woaini woaiwojia woaimama wodemima mima aini zhang wang "
    "nihao taobao alibaba tencent weixin qwerty qwertz azerty qwe asd zxc asdf qweasd qweasdzxc asdasd abc abcd "
    "aa aaa test tester testing guest user demo jifen points member loyalty"
)
COMMON = frozenset(WORDS.split())


def check_password(password: str, *, about: tuple[str, ...] = ()) -> None:
    """Raise ``InvalidInput`` with the reason unless the password will do. ``about``: the person's name and contacts."""
    if len(password) < SHORTEST:
        raise InvalidInput(_("Please use at least %(n)s characters.", n=SHORTEST))
    if len(password) > LONGEST:
        raise InvalidInput(_("Please use at most %(n)s characters.", n=LONGEST))
    if is_common(password) or any(_is_about(password, fact) for fact in about):
        raise InvalidInput(
            _("This password is easy to guess. Three words that do not belong together make a good one.")
        )


def is_common(password: str) -> bool:
    lowered = password.lower()
    stem = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", lowered)
    if not stem:
        return len(lowered) < DIGITS_ENOUGH or _repeats(lowered) or _walks(lowered)
    return stem in COMMON or _repeats(lowered) or _walks(lowered)


def _repeats(text: str) -> bool:
    """``aaaaaaaa``, ``abcabcabc``."""
    return re.fullmatch(r"(.{1,4}?)\1+.{0,3}", text) is not None


def _walks(text: str) -> bool:
    """Along a row of the keyboard or the alphabet, either way."""
    return any(text in row * 2 or text[::-1] in row * 2 for row in ROWS)


def _is_about(password: str, fact: str) -> bool:
    """The person's own email, its first part, phone or name, perhaps with a digit or two."""
    lowered = password.lower().strip()
    words = {fact.lower(), fact.lower().partition("@")[0], fact.lstrip("+")}
    return any(len(word) >= 4 and lowered.startswith(word) and len(lowered) - len(word) <= 4 for word in words)
