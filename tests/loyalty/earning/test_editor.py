"""The editor of the rules of earning: rows without a script, a trial while one types, refusals, a draft, a version."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from html import unescape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.foundation import clock, drafts, terms
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.screens.terms_registry import differences
from app.loyalty.benefits.actions import install_defaults as install_benefits
from app.loyalty.earning.forms import EarningForm
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.earning.trials import Trial, line
from app.loyalty.earning.valuing import Prospect
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import buy
from tests.publishing import publish

URL = "/backoffice/earning"
MEMBER_DAY = {
    "code": "member-day",
    "name": {"en": "Member day", "zh_Hans": "会员日"},
    "times": "2",
    "days": [15, 28],
}


@pytest.fixture
def office(client, owner, unit):
    return sign_in(client, owner)


def form_on(page: str) -> dict:
    """What a browser would send of the form on this page."""
    form = page.partition('id="earning"')[2].partition("</form>")[0]
    typed: dict = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        said = unescape(value.group(1)) if value else ""
        if name and 'type="checkbox"' in tag:
            if " checked" in tag:
                typed.setdefault(name.group(1), []).append(said)
        elif name:
            typed[name.group(1)] = said
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option selected[^>]*value="([^"]*)"', options) or re.search(r'value="([^"]*)"', options)
        typed[name] = unescape(chosen.group(1)) if chosen else ""
    return typed


def opened(office) -> dict:
    return form_on(office.get(URL).text)


def write(values: dict) -> None:
    """These terms in force from long ago."""
    with transaction(), clock.freeze(NOON - timedelta(days=400)):
        terms.change(EarningTerms, asdict(EarningTerms()) | values, by=_somebody(), now=clock.now())
    terms.forget()


def _somebody():
    from app.foundation.actors import SYSTEM

    return SYSTEM


def in_force() -> EarningTerms:
    terms.forget()
    db.session.rollback()
    return terms.current(EarningTerms)


def draft() -> EarningTerms | None:
    db.session.rollback()
    found = drafts.draft_of(EarningTerms)
    return found.terms if found else None


FULL = {
    "rate": "1.5",
    "growth_rate": "1/2",
    "rates": [{"unit": "mall", "rate": "2"}, {"category": "tea", "sku": "TEA-1", "rate": "3"}],
    "caps": {"purchase": 500, "day": 800, "month": 9000, "total": 20000, "budget": 1000000},
    "campaigns": [
        MEMBER_DAY | {"budget": 5000},
        {
            "code": "summer",
            "name": {"en": "Summer"},
            "times": "1.5",
            "unit": "mall",
            "category": "tea",
            "starts": "2026-07-01T00:00",
            "ends": "2026-08-01T00:00",
            "weekdays": [5, 6],
        },
    ],
    "bonuses": [
        {"code": "first", "name": {"en": "First"}, "nth": 1, "period": "ever", "points": 100, "at_least": 1050}
    ],
    "rewards": {"joining": {"points": 20}, "quiz": {"points": 5, "day": 10, "expiry": {"kind": "months", "months": 3}}},
    "milestones": [
        {"code": "thousand", "name": {"en": "Thousand"}, "earn": 1000, "period": "month", "points": 50},
        {"code": "gift", "name": {"zh_Hans": "礼物"}, "earn": 5000, "period": "ever", "benefit": "free-delivery"},
    ],
    "expiry": {"kind": "yearly", "month": 12, "day": 31},
}


# --- what is written is what is read --------------------------------------------------------------


def test_the_form_says_what_the_rules_say(office):
    with transaction():
        install_benefits(now=NOON)
    buy(make_buyer(), 100, unit=the_unit())  # so that tea is a category
    write(FULL)
    before = in_force()
    assert office.post(URL, data=opened(office)).location == "/backoffice/terms"
    assert draft() is None
    assert asdict(in_force()) == asdict(before)


def make_buyer() -> int:
    from tests.factories import make_member

    return make_member()


def the_unit():
    from tests.cast import make_unit

    return make_unit()


def test_what_was_used_of_a_budget_is_told(office, alice, unit):
    write({"campaigns": [MEMBER_DAY | {"budget": 5000}], "caps": {"budget": 90_000}})
    buy(alice.id, 100_000, unit=unit)
    page = office.get(URL).text
    assert "1,000 used so far" in page
    assert "2,000 used so far" in page


def test_a_purchase_before_and_after_the_moment_is_valued_by_the_version_of_its_own(office, alice, unit):
    typed = opened(office)
    typed["rate"] = "3"
    assert office.post(URL, data=typed).location == "/backoffice/terms/earning/publication"
    page = office.get("/backoffice/terms/earning/publication").text
    assert "3 points per ¥1" in page
    assert "What that brings" in page
    publish(office, "earning", when="later", starts_at="2026-06-15T14:00")
    terms.forget()
    moments = {"a": NOON, "b": NOON + timedelta(hours=1, minutes=59), "c": NOON + timedelta(hours=2)}
    with clock.freeze(NOON + timedelta(days=1)):
        earned = {no: buy(alice.id, 10_000, unit=unit, order_no=no, at=at) for no, at in moments.items()}
    assert earned == {"a": 100, "b": 100, "c": 300}


# --- rows without a script ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rates", "campaigns", "bonuses", "milestones"])
def test_a_button_brings_one_more_row_and_takes_it_away(office, name):
    typed = opened(office)
    typed["rate"] = "7"
    page = office.post(URL, data=typed | {"rows": f"add:{name}"})
    assert page.status_code == 200
    typed = form_on(page.text)
    rows = {key.split("-")[1] for key in typed if key.startswith(f"{name}-")}
    assert rows == {"0"}
    assert typed["rate"] == "7"
    typed = form_on(office.post(URL, data=typed | {"rows": f"add:{name}"}).text)
    field = next(
        key for key in typed if key.startswith(f"{name}-1-") and not key.endswith(("code", "unit", "category"))
    )
    typed[field] = "kept"
    typed = form_on(office.post(URL, data=typed | {"rows": f"remove:{name}-0"}).text)
    assert {key.split("-")[1] for key in typed if key.startswith(f"{name}-")} == {"1"}
    assert typed[field] == "kept"
    assert draft() is None


@pytest.mark.parametrize("rows", ["add:seal", "add:", "remove:campaigns-9", "remove:rate", "x", "add:caps"])
def test_made_up_buttons_change_nothing(office, rows):
    typed = opened(office)
    page = office.post(URL, data=typed | {"rows": rows})
    assert page.status_code == 200
    assert form_on(page.text) == typed


def test_htmx_gets_the_editor_or_the_trial_alone(office):
    typed = opened(office)
    for path, target in ((URL, "editor"), (f"{URL}/trial", "trial")):
        headers = {"HX-Request": "true", "HX-Target": target}
        part = office.post(path, data=typed | {"rows": "add:campaigns"}, headers=headers)
        assert part.status_code == 200
        assert part.text.strip().startswith(f'<div id="{target}"')
        assert "<html" not in part.text


def test_a_campaign_is_made_and_gets_a_code_that_was_never_used(office):
    write({"campaigns": [MEMBER_DAY]})
    write({"campaigns": []})
    typed = opened(office)
    typed |= {"campaigns-0-name_en": "Member day", "campaigns-0-times": "2", "campaigns-0-days": "8, 18、28"}
    assert office.post(URL, data=typed).status_code == 303
    [made] = draft().campaigns
    assert (made["code"], made["days"], made["times"]) == ("member-day-2", [8, 18, 28], "2")


@pytest.mark.parametrize(("days", "status"), [("3", 303), ("19", 422), ("26", 303), ("25", 422)])
def test_a_day_meets_a_week_only_if_it_lies_in_it(office, days, status):
    week = {"campaigns-0-name_en": "Week", "campaigns-0-times": "2"}
    week |= {"campaigns-0-starts": "2026-11-19T08:00", "campaigns-0-ends": "2026-11-26T00:00"}
    day = {"campaigns-1-name_en": "Day", "campaigns-1-times": "3", "campaigns-1-days": days}
    assert office.post(URL, data=opened(office) | week | day).status_code == status


def test_the_end_of_the_calendar_is_no_bug(office):
    last = {"starts": "9999-12-30T20:00", "ends": "9999-12-31T10:00"}
    typed = {f"campaigns-{n}-{name}": value for n in (0, 1) for name, value in last.items()}
    typed |= {"campaigns-0-name_en": "A", "campaigns-0-times": "2", "campaigns-0-days": "31"}
    typed |= {"campaigns-1-name_en": "B", "campaigns-1-times": "2"}
    assert office.post(URL, data=opened(office) | typed).status_code == 422
    assert office.post(URL, data=opened(office) | typed | {"campaigns-0-days": "29"}).status_code == 303


def test_rows_left_empty_do_not_count(office):
    typed = opened(office) | {"campaigns-0-name_en": " ", "bonuses-0-nth": "", "rates-3-rate": ""}
    assert office.post(URL, data=typed).location == "/backoffice/terms"


# --- refusals ---------------------------------------------------------------------------------------

DAY = {"campaigns-0-name_en": "Day", "campaigns-0-times": "2"}
REFUSALS = {
    "negative rate": ({"rate": "-1"}, "must not be negative"),
    "no number": ({"rate": "lots"}, "“lots” is not a number"),
    "nothing": ({"rate": ""}, "is not a number"),
    "contradictory caps": ({"caps-purchase": "500", "caps-day": "100"}, "contradict each other"),
    "caps in words": ({"caps-day": "many"}, "must be a whole number"),
    "overlapping campaigns": (
        {**DAY, "campaigns-1-name_en": "Other day", "campaigns-1-times": "3"},
        "“Day” and “Other day” multiply the same purchases at the same time",
    ),
    "times one": ({**DAY, "campaigns-0-times": "1"}, "must multiply by more than 1"),
    "no times": ({**DAY, "campaigns-0-times": ""}, "is not a number"),
    "no name": ({"campaigns-0-times": "2"}, "needs a name"),
    "ends first": (
        {**DAY, "campaigns-0-starts": "2026-07-02T00:00", "campaigns-0-ends": "2026-07-01T00:00"},
        "“Day” ends before it begins",
    ),
    "impossible date": ({**DAY, "campaigns-0-starts": "2026-02-30T00:00"}, "is no date and time"),
    "day 32": ({**DAY, "campaigns-0-days": "8 32"}, "there are no such days"),
    "weekday 9": ({**DAY, "campaigns-0-weekdays": "9"}, "there are no such days"),
    "unknown unit": ({**DAY, "campaigns-0-unit": "moon"}, "There is no business unit “moon”"),
    "unknown category": ({"rates-0-category": "dust", "rates-0-rate": "2"}, "There is no category “dust”"),
    "rate for nothing": ({"rates-0-rate": "2"}, "needs a unit, a category or an article"),
    "two rates": (
        {"rates-0-unit": "mall", "rates-0-rate": "2", "rates-1-unit": "mall", "rates-1-rate": "3"},
        "There are two rates for mall",
    ),
    "no money": (
        {"bonuses-0-name_en": "B", "bonuses-0-nth": "1", "bonuses-0-points": "1", "bonuses-0-at_least": "1.005"},
        "is not an amount of money",
    ),
    "zeroth purchase": ({"bonuses-0-name_en": "B", "bonuses-0-nth": "0", "bonuses-0-points": "1"}, "from 1 to 1000"),
    "a milestone of nothing": (
        {"milestones-0-name_en": "M", "milestones-0-earn": "100", "milestones-0-period": "ever"},
        "gives nothing",
    ),
    "a benefit that is not": (
        {
            "milestones-0-name_en": "M",
            "milestones-0-earn": "9",
            "milestones-0-period": "ever",
            "milestones-0-benefit": "gold-bar",
        },
        "There is no benefit “gold-bar”",
    ),
    "negative reward": ({"rewards-quiz-points": "-5"}, "must be a whole number"),
    "expiry": ({"expiry-kind": "months", "expiry-months": "0"}, "between 1 and"),
    "expiry of a reward": ({"rewards-quiz-expiry-kind": "someday"}, "Points can expire after months"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_makes_no_sense_is_said_in_a_sentence_and_nothing_typed_is_lost(office, case):
    wrong, sentence = REFUSALS[case]
    typed = opened(office) | {"growth_rate": "1.25"} | wrong
    answer = office.post(URL, data=typed)
    assert answer.status_code == 422
    alert = answer.text.partition('role="alert"')[2].partition("</div>\n")[0]
    assert sentence in unescape(alert)
    again = form_on(answer.text)
    assert again["growth_rate"] == "1.25"
    for name, value in wrong.items():
        if "weekdays" not in name and "expiry-kind" not in name:
            assert again[name] == value
    assert draft() is None


def test_a_colleagues_draft_is_not_replaced_unawares(office, agent):
    mine = opened(office)
    with transaction():
        values = asdict(EarningTerms()) | {"rate": "9"}
        drafts.save_draft(EarningTerms, values, by=agent.actor, now=NOON)
    answer = office.post(URL, data=mine | {"rate": "4"})
    assert answer.status_code == 409
    assert "has saved another draft meanwhile" in answer.text
    assert form_on(answer.text)["rate"] == "4"
    assert draft().rate == "9"
    assert office.post(URL, data=form_on(answer.text)).status_code == 303
    assert draft().rate == "4"


# --- trying it --------------------------------------------------------------------------------------


def trial_of(office, typed) -> str:
    page = office.post(f"{URL}/trial", data=typed)
    assert page.status_code == 200
    return unescape(page.text.partition('<div id="trial"')[2])


def test_a_purchase_is_tried_with_what_is_typed(office, alice):
    typed = opened(office) | {
        "campaigns-0-name_en": "Member day",
        "campaigns-0-times": "2",
        "campaigns-0-days": "15",
        "trial-member": alice.code,
        "trial-amount": "238.50",
        "trial-moment": "2026-06-15T12:00",
    }
    told = trial_of(office, typed)
    assert "Alice Lin, Regular, spends ¥238.50 on Jun 15, 2026 12:00" in told
    assert ">477 points<" in told
    assert "¥238.50 × 1 point per ¥1 × Member day 2 = 477" in told
    assert "Under the rules in force: 238 points" in told
    assert draft() is None


def test_anybodys_trial_may_be_their_third_purchase(office):
    typed = opened(office) | {
        "trial-amount": "100",
        "bonuses-0-name_en": "Third time",
        "bonuses-0-nth": "3",
        "bonuses-0-period": "month",
        "bonuses-0-points": "50",
    }
    assert ">100 points<" in trial_of(office, typed)
    assert ">150 points<" in trial_of(office, typed | {"trial-nth": "3"})


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"trial-nth": "0"}, "“0” is not the number of a purchase"),
        ({"trial-nth": "third"}, "“third” is not the number of a purchase"),
        ({"trial-amount": "-3"}, "cannot be negative"),
        ({"trial-amount": "a lot"}, "“a lot” is not an amount of money"),
        ({"trial-member": "nobody@example.com"}, "There is no member “nobody@example.com”"),
        ({"trial-moment": "yesterday"}, "“yesterday” is no day and time"),
        ({"trial-moment": "0001-01-01T00:00"}, "is no day and time"),
        ({"rate": "-1"}, "must not be negative"),
    ],
)
def test_a_trial_that_makes_no_sense_says_so(office, wrong, sentence):
    assert sentence in trial_of(office, opened(office) | wrong)


whole = st.integers(1, 2000)
rate = st.fractions(0, 5, max_denominator=8).map(str)
random_terms = st.fixed_dictionaries(
    {
        "rate": rate,
        "rates": st.lists(st.tuples(st.sampled_from(["tea", "toys"]), rate), max_size=2, unique_by=lambda x: x[0]).map(
            lambda found: [{"category": category, "rate": points} for category, points in found]
        ),
        "caps": st.one_of(st.just({}), st.tuples(whole, whole).map(lambda x: {"purchase": min(x), "day": max(x)})),
        "campaigns": st.one_of(
            st.just([]),
            st.tuples(st.fractions("5/4", 9, max_denominator=4), st.one_of(st.none(), whole)).map(
                lambda x: [MEMBER_DAY | {"times": str(x[0])} | ({"budget": x[1]} if x[1] else {})]
            ),
        ),
        "bonuses": st.one_of(
            st.just([]),
            st.tuples(st.integers(1, 3), whole).map(
                lambda x: [{"code": "b", "name": {"en": "B"}, "nth": x[0], "period": "month", "points": x[1]}]
            ),
        ),
    }
)


def test_the_trial_says_what_recording_then_gives(app, alice, unit):
    """Ten rules one after the other, for a member whose earlier purchases count towards caps and bonuses."""
    seen: list[int] = []

    @settings(
        max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(random_terms, st.integers(1, 300_000))
    def check(values, amount):
        number = len(seen)
        seen.append(number)
        moment = NOON + timedelta(minutes=number)
        draft_terms = EarningTerms(**(asdict(EarningTerms()) | values))
        db.session.rollback()
        prospect = Prospect(alice.id, unit.code, "CNY", moment, line(amount, "tea", "TEA-1"))
        told = Trial("", prospect).points(draft_terms)
        with transaction():
            terms.change(EarningTerms, asdict(draft_terms), by=_somebody(), now=moment)
        terms.forget()
        assert buy(alice.id, amount, unit=unit, order_no=str(number), at=moment) == told

    check()


# --- in words -----------------------------------------------------------------------------------------


def test_differences_name_what_changed_and_nothing_else(app, unit):
    before = EarningTerms()
    after = EarningTerms(**(asdict(before) | {"campaigns": [MEMBER_DAY], "caps": {"day": 500}}))
    found = {each.label: (each.before, each.after) for each in differences(before, after)}
    assert found == {
        "Caps for purchases": ("none", "at most 500 a day"),
        "Campaign “Member day”": ("", "× 2 for everything · on days 15, 28 of the month"),
    }
    [gone] = [each for each in differences(after, before) if "Campaign" in each.label]
    assert gone.after == ""


def test_everything_that_the_rules_can_say_is_told(office, unit):
    write(FULL)
    page = unescape(office.get("/backoffice/terms/earning/versions").text)
    for words in (
        "1.5 points per ¥1",
        "Points for Harbour Mall",
        "0.5 per ¥1",
        "at most 9,000 a month",
        "budget 1,000,000 points",
        "× 1.5 for Harbour Mall · tea · Sat, Sun · from Jul 1, 2026 · until Aug 1, 2026",
        "100 points for purchase number 1 · of at least ¥10.50",
        "at most 10 a day · expiry: at the end of the month, 3 months later",
        "1,000 points earned in a month · 50 points on top",
        "benefit “free-delivery”",
        "every year, month 12, day 31",
    ):
        assert words in page


def test_only_owners_write_rules(app, auditor, agent, merchant):
    for person in (auditor, agent, merchant):
        client = sign_in(app.test_client(), person)
        assert client.get(URL).status_code == 403
        assert client.post(URL, data={"rate": "9"}).status_code == 403
        assert client.post(f"{URL}/trial", data={}).status_code == 403
    assert draft() is None


@pytest.mark.parametrize("language", ["zh-CN", "zh-TW"])
def test_it_speaks_the_owners_language(office, language):
    write(FULL)
    assert office.get(URL, headers={"Accept-Language": language}).status_code == 200


def test_a_form_full_of_nonsense_is_no_bug(office):
    typed = {"rates-x-rate": "1", "campaigns-99999999999-times": "2", "rewards-quiz": "7", "caps": "1", "trial": "x"}
    assert office.post(URL, data=typed).status_code == 422
    assert office.post(URL, data={}).status_code == 422


def test_a_form_keeps_no_terms_that_make_no_sense(app):
    with app.test_request_context(), pytest.raises(InvalidInput):
        EarningTerms(**EarningForm().values({}))
