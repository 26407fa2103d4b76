"""The ladder as terms: written in a form, published from a moment on, put up on the rows that members stand on."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from html import unescape

import pytest

from app.foundation import clock, drafts, terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.screens.terms_registry import differences
from app.loyalty.tiers.actions import install_defaults
from app.loyalty.tiers.jobs import follow, lift_members
from app.loyalty.tiers.queries import ladder
from app.loyalty.tiers.telling import Life, standing_of
from app.loyalty.tiers.terms import LadderTerms, default_ladder, refuse_upside_down
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import buy, make_member
from tests.loyalty.tiers.climbing import put_on, reasons, tier
from tests.publishing import publish
from tests.racing import ON_POSTGRESQL, at_once

URL = "/backoffice/tiers/ladder"


@pytest.fixture
def office(client, owner):
    with transaction():
        install_defaults()
    return sign_in(client, owner)


def form_on(page: str) -> dict:
    form = page.partition('id="ladder"')[2].partition("</form>")[0]
    typed = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            typed[name.group(1)] = unescape(value.group(1)) if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option selected[^>]*value="([^"]*)"', options)
        typed[name] = chosen.group(1) if chosen else "any"
    return typed


def opened(office) -> dict:
    return form_on(office.get(URL).text)


def codes() -> list[str]:
    db.session.rollback()
    tiers = ladder()
    assert [each.rank for each in tiers] == list(range(len(tiers)))
    return [each.code for each in tiers]


def change(tiers: list[dict], *, at=NOON) -> None:
    with transaction():
        terms.publish(LadderTerms, {"tiers": tiers}, starts_at=at, note="", by=SYSTEM, now=NOON)
    terms.forget()


def ladder_now() -> list[dict]:
    db.session.rollback()
    terms.forget()
    return asdict(terms.current(LadderTerms))["tiers"]


def platinum(at_least: int = 1_000_000) -> dict:
    conditions = {"match": "any", "window_months": 12, "conditions": [{"metric": "spend", "at_least": at_least}]}
    keep = {"match": "all", "window_months": 3, "conditions": []}
    return {"code": "platinum", "name": {"en": "Platinum"}, "conditions": conditions, "keep": keep}


# --- versions -------------------------------------------------------------------------------------


def test_the_form_says_what_the_ladder_says(office):
    assert office.post(URL, data=opened(office)).location == "/backoffice/terms"
    assert drafts.domains_in_draft() == set()
    assert ladder_now() == default_ladder("CNY")


def test_the_first_version_is_written_from_the_rows(office):
    with transaction():
        ladder()[1].name = {"en": "Argent"}
        conditions = {"match": "all", "window_months": 6, "conditions": [{"metric": "purchases", "at_least": 9}]}
        ladder()[1].conditions = conditions
    terms.forget()
    change([*ladder_now(), platinum()])
    first, second = terms.editions(LadderTerms)
    assert (first.version, first.terms.tiers[1]["name"]) == (1, {"en": "Argent"})
    assert first.terms.tiers[1]["conditions"] == conditions
    assert len(second.terms.tiers) == 5


def test_an_owner_writes_a_tier_between_two_others_and_members_keep_theirs(office, mall):
    alice = make_member()
    put_on("gold", alice, since=NOON - timedelta(days=3))
    ids = {each.code: each.id for each in ladder()}
    typed = form_on(office.post(URL, data=opened(office) | {"rows": "add:2"}).text)
    assert typed["tiers-3-code"] == ""
    typed |= {"tiers-3-name_en": "Platinum", "tiers-3-reach-spend": "10000", "tiers-3-keep_sum-purchases": "3"}
    assert office.post(URL, data=typed).location == "/backoffice/terms/ladder/publication"
    assert codes() == ["regular", "silver", "gold", "diamond"]
    page = unescape(office.get("/backoffice/terms/ladder/publication").text)
    assert "Platinum" in page
    assert "¥25,000 spent in 12 months" in page
    publish(office, "ladder")
    assert codes() == ["regular", "silver", "gold", "platinum", "diamond"]
    assert {each.code: each.id for each in ladder()}.items() >= ids.items()
    assert tier(alice) == "gold"
    assert reasons(alice) == []
    added = ladder()[3]
    assert added.conditions["conditions"] == [{"metric": "spend", "at_least": 1_000_000}]
    assert added.keep == {
        "match": "all",
        "window_months": 3,
        "conditions": [{"metric": "purchases", "at_least": 3}],
    }


def test_a_ladder_waits_for_its_moment(office):
    moment = NOON + timedelta(days=2)
    change([*ladder_now(), platinum(9_000_000)], at=moment)
    assert len(codes()) == 4
    for now, tiers in ((moment - timedelta(seconds=1), 4), (moment, 5), (moment + timedelta(days=1), 5)):
        with clock.freeze(now):
            terms.forget()
            follow(now=now)
            assert len(codes()) == tiers
    terms.forget()
    assert follow(now=moment) is False


def test_without_versions_the_rows_are_left_alone(office):
    with transaction():
        ladder()[1].name = {"en": "Argent"}
    assert follow(now=NOON) is False
    assert ladder()[1].name == {"en": "Argent"}


def test_tiers_can_change_places(office):
    regular, silver, gold, diamond = ladder_now()
    change([regular, gold, silver, diamond])
    assert codes() == ["regular", "gold", "silver", "diamond"]


def test_setup_after_that_brings_nothing_back(office):
    kept_for_ever = {"match": "all", "window_months": 3, "conditions": []}
    tiers = ladder_now()[:3]
    tiers[1]["keep"] = kept_for_ever
    change(tiers)
    with transaction():
        install_defaults()
    assert codes() == ["regular", "silver", "gold"]
    assert ladder()[1].keep == kept_for_ever


@ON_POSTGRESQL
def test_two_workers_put_a_ladder_up_once(app):
    with transaction():
        install_defaults()
    moment = NOON + timedelta(hours=1)
    change([*ladder_now(), platinum(9_000_000)], at=moment)

    def work() -> bool:
        return follow(now=moment)

    assert sorted(at_once(app, [work, work, work])) == [False, False, True]
    assert codes() == ["regular", "silver", "gold", "diamond", "platinum"]


# --- what cannot go -------------------------------------------------------------------------------


def test_a_tier_that_nobody_ever_had_goes(office):
    typed = form_on(office.post(URL, data=opened(office) | {"rows": "remove:1"}).text)
    office.post(URL, data=typed)
    assert publish(office, "ladder").status_code == 303
    assert codes() == ["regular", "gold", "diamond"]


def test_a_tier_with_members_cannot_disappear(office):
    put_on("gold", make_member(), since=NOON)
    typed = form_on(office.post(URL, data=opened(office) | {"rows": "remove:2"}).text)
    office.post(URL, data=typed)
    answer = publish(office, "ladder")
    assert answer.status_code == 422
    assert "1 member stands on “Gold”, so it cannot be removed." in unescape(answer.text)
    assert codes() == ["regular", "silver", "gold", "diamond"]
    terms.forget()
    assert len(terms.editions(LadderTerms)) == 1
    assert drafts.domains_in_draft() == {"ladder"}


def test_neither_can_one_that_a_history_names(office, mall):
    alice = make_member()
    buy(alice, 60_000, unit=mall)
    put_on("regular", alice, since=NOON)
    with pytest.raises(InvalidInput, match="history or a product names it"):
        change([each for each in ladder_now() if each["code"] != "silver"])
    assert len(codes()) == 4


def test_one_that_got_members_meanwhile_stays_where_it_was(office):
    moment = NOON + timedelta(days=1)
    change([each for each in ladder_now() if each["code"] != "gold"], at=moment)
    put_on("gold", make_member(), since=NOON)
    with clock.freeze(moment):
        terms.forget()
        assert follow(now=moment) is False
        assert codes() == ["regular", "silver", "gold", "diamond"]


# --- members after that -----------------------------------------------------------------------------


def test_members_rise_to_what_they_reach_on_the_new_ladder(office, mall):
    people = [make_member() for _ in range(5)]
    for number, member in enumerate(people):
        buy(member, 100_000 * (number + 1), unit=mall, order_no=str(number))
    before = [tier(member) for member in people]
    assert before == ["silver"] * 4 + ["gold"]
    assert lift_members(now=NOON) == 0
    tiers = ladder_now()
    tiers[2]["conditions"]["conditions"] = [{"metric": "spend", "at_least": 300_000}]
    change(tiers)
    assert [tier(member) for member in people] == before
    assert lift_members(now=NOON, limit=2) == 5
    assert [tier(member) for member in people] == ["silver"] * 2 + ["gold"] * 3
    again = [reasons(member) for member in people]
    assert lift_members(now=NOON, limit=2) == 5
    assert [reasons(member) for member in people] == again
    assert lift_members(now=NOON + timedelta(hours=4)) == 0


# --- refusals ---------------------------------------------------------------------------------------

REFUSALS = {
    "no name": ({"tiers-1-name_en": "", "tiers-1-name_zh_Hans": "", "tiers-1-name_zh_Hant": ""}, "needs a name"),
    "words for money": ({"tiers-1-reach-spend": "lots"}, "“Silver”: what it asks for are whole numbers"),
    "parts of a cent": ({"tiers-1-reach-spend": "1.005"}, "“Silver”: what it asks for are whole numbers"),
    "negative": ({"tiers-1-reach-points_earned": "-5"}, "more than 0"),
    "nothing": ({"tiers-1-reach-points_earned": "0"}, "more than 0"),
    "no window": ({"tiers-2-window": ""}, "“Gold” can look back over 1 to 60 months"),
    "long window": ({"tiers-2-keep_window": "61"}, "“Gold” can look back over 1 to 60 months"),
    "too many months": ({"tiers-1-keep_months-spend": "4"}, "“Silver” cannot ask for that many of 3 months"),
    "match": ({"tiers-1-match": "some"}, "any or for all of its conditions"),
    "upside down": (
        {"tiers-2-reach-spend": "500", "tiers-2-reach-points_earned": "400"},
        "“Gold” asks for no more than “Silver”",
    ),
    "the first asks": ({"tiers-0-reach-spend": "5", "tiers-0-window": "1"}, "Everybody begins on “Regular”"),
    "one code twice": ({"tiers-2-code": "silver"}, "The code “silver” is used twice"),
    "a made-up code": ({"tiers-2-code": "Gold!"}, "is no code"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_makes_no_sense_is_said_and_nothing_typed_is_lost(office, case):
    wrong, sentence = REFUSALS[case]
    answer = office.post(URL, data=opened(office) | {"tiers-3-name_en": "Brilliant"} | wrong)
    assert answer.status_code == 422
    alert = answer.text.partition('role="alert"')[2].partition("</div>\n")[0]
    assert sentence in unescape(alert)
    again = form_on(answer.text)
    assert again["tiers-3-name_en"] == "Brilliant"
    assert {name: again[name] for name in wrong if name in again and "match" not in name} == {
        name: value for name, value in wrong.items() if name in again and "match" not in name
    }
    assert drafts.domains_in_draft() == set()


@pytest.mark.parametrize("rows", ["add:", "add:99", "remove:0", "remove:x", "remove:-1", "nothing", "add:²"])
def test_made_up_buttons_change_nothing(office, rows):
    typed = opened(office)
    page = office.post(URL, data=typed | {"rows": rows})
    assert page.status_code == 200
    assert form_on(page.text) == typed


def test_an_empty_form_is_no_bug(office):
    assert office.post(URL, data={}).status_code == 422
    assert office.post(URL, data={"tiers-0": "x", "life": "y"}).status_code == 422
    assert office.post(f"{URL}/trial", data={}).status_code == 200


def test_a_ladder_that_stands_is_never_refused(app):
    upside_down = [*default_ladder("CNY"), platinum(1)]
    assert len(LadderTerms(tiers=upside_down).tiers) == 5
    refuse_upside_down(upside_down)  # Not the same things are asked for.
    with pytest.raises(InvalidInput, match="asks for no more"):
        refuse_upside_down([*default_ladder("CNY"), platinum(5), platinum(5) | {"code": "x"}])


# --- trying it --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("life", "name", "keeps"),
    [
        ((12, 0, 0), "Regular", ""),
        ((12, 50_000, 0), "Silver", "loses"),
        ((12, 600_000, 6_000), "Gold", "loses"),
        ((1, 600_000, 6_000), "Gold", "keeps"),
        ((24, 900_000, 0), "Silver", "loses"),
        ((12, 2_400_000, 24_000), "Diamond", "keeps"),
    ],
)
def test_where_a_life_leads(app, life, name, keeps):
    months, spend, earned = life
    found = standing_of(Life(months, {"spend": spend, "points_earned": earned}), LadderTerms())
    assert found.name == name
    assert keeps in found.keeping


def test_it_is_tried_with_what_is_typed(office):
    typed = opened(office)
    assert "stands on Gold" in office.post(f"{URL}/trial", data=typed).text
    part = office.post(
        f"{URL}/trial",
        data=typed | {"tiers-3-reach-spend": "5500"},
        headers={"HX-Request": "true", "HX-Target": "trial"},
    ).text
    assert part.strip().startswith('<div id="trial"')
    assert "¥6,000 · Earn 6,000 points. Such a member stands on Diamond" in part
    assert "The time has to be 1 to 60 months" in office.post(f"{URL}/trial", data=typed | {"life-months": "0"}).text
    assert "Please write whole numbers" in office.post(f"{URL}/trial", data=typed | {"life-spend": "x"}).text
    assert drafts.domains_in_draft() == set()


def test_differences_read_like_the_ladder(app):
    before = LadderTerms()
    after = LadderTerms(tiers=[*before.tiers, platinum()])
    [new] = differences(before, after)
    assert (new.label, new.before) == ("Platinum", "")
    assert new.after == "Within 12 months: Spend ¥10,000. Once reached, it stays yours."


def test_only_owners_write_the_ladder(app, auditor, agent, merchant):
    for person in (auditor, agent, merchant):
        client = sign_in(app.test_client(), person)
        assert {client.get(URL).status_code, client.post(URL).status_code} == {403}
        assert client.post(f"{URL}/trial").status_code == 403
    assert "Change the ladder" not in sign_in(app.test_client(), auditor).get("/backoffice/tiers").text


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_it_speaks_the_owners_language(office, language):
    assert office.get(URL, headers={"Accept-Language": language}).status_code == 200
