"""Which language a page speaks, and texts that staff write in several languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from babel import Locale
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Domain, get_locale, get_translations
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from app.config import LOCALES
from app.extensions import babel

COOKIE = "language"
LABELS = {"en": "English", "zh_Hans": "简体中文", "zh_Hant": "繁體中文"}

# Browsers say zh-CN or zh-TW; Babel does not negotiate those to a script.
_SCRIPTS = {"zh": "zh_Hans", "zh-cn": "zh_Hans", "zh-sg": "zh_Hans", "zh-my": "zh_Hans", "zh-hans": "zh_Hans"}
_SCRIPTS |= {"zh-tw": "zh_Hant", "zh-hk": "zh_Hant", "zh-mo": "zh_Hant", "zh-hant": "zh_Hant"}


def negotiate(tags: list[str]) -> str | None:
    """The first language of a browser's list that we speak: ``["zh-HK", "en"]`` → ``"zh_Hant"``."""
    for tag in (tag.lower().replace("_", "-") for tag in tags):
        for candidate in (tag, "-".join(tag.split("-")[:2]), tag.split("-")[0]):
            if candidate in _SCRIPTS:
                return _SCRIPTS[candidate]
            if candidate in LOCALES:
                return candidate
    return None


def select_locale() -> str:
    """The person's own choice, else the cookie, else the browser's wish, else the setting."""
    default: str = current_app.config["SETTINGS"].default_locale
    if not has_request_context():
        return g.get("locale") or default
    chosen = getattr(current_user, "locale", None) or request.cookies.get(COOKIE)
    if chosen in LOCALES:
        return chosen
    return negotiate(list(request.accept_languages.values())) or default


# One object per language: comparing two that are equal takes longer than finding what they lead to.
_locale = lru_cache(maxsize=len(LOCALES))(Locale.parse)


def readers_locale() -> Locale:
    """``select_locale`` for Flask-Babel, which would parse its answer anew for each request."""
    return _locale(select_locale())


def reading() -> Locale | None:
    """Flask-Babel's ``get_locale``, which asks four times where it stands before it tells what is settled already.

    A page asks a hundred times. Should the name not be there any more, all is as right as before, and slower.
    """
    try:
        settled: Locale = g._flask_babel.babel_locale
        return settled
    except (AttributeError, RuntimeError):  # Nobody has asked yet; there is no application to ask.
        return get_locale()


# --- words --------------------------------------------------------------------------------
# Flask-Babel looks every word up anew, and in templates also formats it where there is nothing to fill in: with dozens
# of words on a page, that was a tenth of its time. Catalogues do not change while a process runs.


class Words(Domain):
    """The catalogue behind ``_()`` of our code."""

    def gettext(self, text: str, /, **variables: Any) -> str:
        said = _words(reading(), text, False)
        return said % variables if variables else said


@lru_cache(maxsize=8192)
def _words(_locale: Locale | None, text: str, safe: bool) -> str:
    said = get_translations().ugettext(text)
    return Markup(said) if safe else said  # noqa: S704 - catalogues are ours


@lru_cache(maxsize=8192)
def _whole_words(locale: Locale | None, text: str, safe: bool) -> str:
    return _words(locale, text, safe) % {}  # 100%% reads 100%, as it does where something is filled in.


@pass_eval_context
def _say(context: EvalContext, text: str, /, **variables: Any) -> str:
    """``_()`` of templates. What is filled in is escaped where the template's text would be."""
    if variables:
        return _words(reading(), text, context.autoescape) % variables
    return _whole_words(reading(), text, context.autoescape)


@pass_eval_context
def _say_many(context: EvalContext, one: str, many: str, num: int, /, **variables: Any) -> str:
    said = get_translations().ungettext(one, many, num)
    return (Markup(said) if context.autoescape else said) % {"num": num, **variables}  # noqa: S704


def init_app(app: Flask) -> None:
    babel.domain_instance = Words()
    app.jinja_env.globals.update(_=_say, gettext=_say, ngettext=_say_many)


def current_locale() -> str:
    return str(reading() or Locale.parse("en"))


def translated(texts: Mapping[str, str] | None, locale: str | None = None) -> str:
    """A text of staff in the reader's language, else in the nearest one there is.

    ``{"en": "Green tea", "zh_Hans": "绿茶"}`` reads 绿茶 for zh_Hans and for zh_Hant.
    """
    if not texts:
        return ""
    wanted = locale or current_locale()
    near = {"zh_Hant": ("zh_Hans", "en"), "zh_Hans": ("zh_Hant", "en")}.get(wanted, ("en",))
    for candidate in (wanted, *near):
        if texts.get(candidate):
            return texts[candidate]
    return next((text for text in texts.values() if text), "")
