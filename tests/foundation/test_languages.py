"""Which language a page speaks."""

from datetime import date

import pytest
from babel import Locale
from flask import g
from flask_babel import force_locale, get_locale, gettext

from app.foundation.formats import day, money, points
from app.foundation.languages import negotiate, reading, select_locale, translated
from app.foundation.money import Money


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        (["zh-CN"], "zh_Hans"),
        (["zh-TW"], "zh_Hant"),
        (["zh-HK", "en"], "zh_Hant"),
        (["zh-Hant-HK"], "zh_Hant"),
        (["zh-hans-sg"], "zh_Hans"),
        (["zh_TW"], "zh_Hant"),
        (["zh"], "zh_Hans"),
        (["zh-AU"], "zh_Hans"),
        (["en-GB", "zh-CN"], "en"),
        (["fr", "de-AT", "zh-MO"], "zh_Hant"),
        (["fr"], None),
        (["*"], None),
        (["", "--", "zh-"], "zh_Hans"),
        ([], None),
    ],
)
def test_the_first_language_that_we_speak(wishes, language):
    assert negotiate(wishes) == language


@pytest.mark.parametrize(
    ("header", "cookie", "language"),
    [
        ("zh-TW,zh;q=0.9,en;q=0.8", None, "zh_Hant"),
        ("en;q=0.5,zh-CN", None, "zh_Hans"),
        ("fr", None, "en"),
        ("zh-CN", "en", "en"),
        ("en", "zh_Hant", "zh_Hant"),
        ("zh-CN", "tlh", "zh_Hans"),
        (None, None, "en"),
        ("x" * 5000, None, "en"),
    ],
)
def test_a_choice_comes_before_the_browsers_wish(app, header, cookie, language):
    headers = {"Accept-Language": header} if header else {}
    if cookie:
        headers["Cookie"] = f"language={cookie}"
    with app.test_request_context(headers=headers):
        assert select_locale() == language


def test_outside_a_request_the_setting_speaks(app):
    assert select_locale() == "en"
    g.locale = "zh_Hant"
    assert select_locale() == "zh_Hant"


@pytest.mark.parametrize(
    ("texts", "reader", "text"),
    [
        ({"en": "Tea", "zh_Hans": "茶叶", "zh_Hant": "茶葉"}, "zh_Hant", "茶葉"),
        ({"en": "Tea", "zh_Hans": "茶叶"}, "zh_Hant", "茶叶"),
        ({"en": "Tea", "zh_Hant": "茶葉"}, "zh_Hans", "茶葉"),
        ({"en": "Tea"}, "zh_Hans", "Tea"),
        ({"zh_Hans": "茶叶"}, "en", "茶叶"),
        ({"en": "", "zh_Hans": "茶叶"}, "en", "茶叶"),
        ({}, "en", ""),
        (None, "en", ""),
    ],
)
def test_texts_of_staff_fall_back_to_the_nearest_language(app, texts, reader, text):
    assert translated(texts, reader) == text


# --- words --------------------------------------------------------------------------------


def written(app, template, language, **facts):
    with app.test_request_context(), force_locale(language):
        return app.jinja_env.from_string(template).render(facts)


def test_a_template_speaks_one_language_after_the_other(app):
    for language, word in [("en", "Home"), ("zh_Hans", "首页"), ("zh_Hant", "首頁"), ("en", "Home")]:
        assert written(app, "{{ _('Home') }}", language) == word


def test_our_code_speaks_one_language_after_the_other(app):
    with app.test_request_context():
        said = []
        for language in ("en", "zh_Hans", "en"):
            with force_locale(language):
                said.append((gettext("Home"), gettext("%(points)s points", points=5)))
    assert said == [("Home", "5 points"), ("首页", said[1][1]), ("Home", "5 points")]
    assert "5" in said[1][1]
    assert said[1][1] != "5 points"


def test_the_readers_language_is_the_one_of_this_moment(app):
    assert reading() == get_locale() == Locale("en")
    with force_locale("zh_Hant"):
        assert reading() == get_locale() == Locale("zh", script="Hant")
    assert reading() == Locale("en")


def test_what_is_filled_into_words_is_escaped_and_the_words_are_not(app):
    text = written(app, "{{ _('<b>%(name)s</b>', name=name) }}{{ _('Q&A') }}", "en", name="<i>")
    assert text == "<b>&lt;i&gt;</b>Q&A"


def test_a_text_without_markup_is_escaped_nowhere(app):
    with app.test_request_context():
        template = "{% autoescape false %}{{ _('Dear %(name)s', name=name) }}{% endautoescape %}"
        assert app.jinja_env.from_string(template).render(name="<i> & co") == "Dear <i> & co"


def test_a_percentage_is_written_alike_with_and_without_something_filled_in(app):
    assert written(app, "{{ _('100%% wool') }}, {{ _('%(n)s%% wool', n=50) }}", "en") == "100% wool, 50% wool"


@pytest.mark.parametrize(("number", "text"), [(1, "1 friend"), (2, "2 friends")])
def test_one_and_many(app, number, text):
    assert written(app, "{{ ngettext('%(num)s friend', '%(num)s friends', n) }}", "en", n=number) == text


def test_figures_and_days_are_written_in_one_language_after_the_other(app):
    with app.test_request_context():
        seen = []
        for language in ("en", "zh_Hans", "en"):
            with force_locale(language):
                seen.append((day(date(2026, 6, 15)), points(12480), money(Money(23850, "CNY"))))
    english, chinese = ("Jun 15, 2026", "12,480", "¥238.50"), ("2026年6月15日", "12,480", "¥238.50")
    assert seen == [english, chinese, english]
