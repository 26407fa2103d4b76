"""Which language a page speaks."""

import pytest
from flask import g

from app.foundation.languages import negotiate, select_locale, translated


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
