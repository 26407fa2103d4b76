"""The member's page of benefits, the desk's, and the owner's editor."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from app.foundation import drafts
from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.terms import current, forget
from app.identity.members.models import Member
from app.identity.tags.actions import tag
from app.identity.tags.queries import tags_of
from app.loyalty.benefits.models import BenefitClaim, BenefitGrant, Voucher
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.ledger.queries import standing
from tests.cast import make_unit, sign_in
from tests.conftest import NOON
from tests.loyalty.benefits.having import VIP_PRICE, defaults, entry, offer
from tests.loyalty.tiers.climbing import put_on

COFFEE = entry("monthly_gift", tiers=["gold"], gifts=[{"text": {"en": "A coffee"}}])
CLAIM = {"code": "monthly-gift-gold", "period": "2026-06"}


@pytest.fixture
def gold(alice):
    put_on("gold", alice.id, since=NOON)
    return alice


def text_of(answer):
    return " ".join(answer.get_data(as_text=True).split())


def say(client, url, **data):
    return client.post(url, data=data, follow_redirects=True)


# --- members --------------------------------------------------------------------------------


def test_a_member_sees_what_they_have_and_what_each_tier_brings(client, gold):
    defaults()
    seen = text_of(sign_in(client, gold).get("/benefits"))
    assert "12 % off what you pay in money" in seen
    assert "2× the points for every purchase" in seen
    assert "Every month: 30 points" in seen
    assert "20 % off" not in seen  # That is Diamond's; beside the others it is a figure.
    assert "20 %" in seen
    assert seen.count("is-mine") > 5


def test_without_benefits_the_page_says_what_comes(client, alice):
    assert "No benefits yet" in text_of(sign_in(client, alice).get("/benefits"))


def test_a_gift_is_claimed_by_a_button_and_a_second_click_brings_no_second(client, gold):
    defaults()
    sign_in(client, gold)
    first = say(client, "/benefits/claims", **CLAIM)
    assert first.status_code == 200
    assert "30 points are in your account" in text_of(first)
    assert "You have claimed this gift already" in text_of(say(client, "/benefits/claims", **CLAIM))
    assert int(standing(gold.id, now=NOON).available) == 20 + 30
    assert "Claim</button>" not in text_of(client.get("/benefits"))


def test_what_is_not_ones_own_is_not_claimed(client, bob):
    defaults()
    put_on("regular", bob.id, since=NOON)
    answer = sign_in(client, bob).post("/benefits/claims", data=CLAIM)
    assert answer.status_code == 409
    assert db.session.scalars(sa.select(BenefitClaim)).all() == []


def test_a_birthday_gift_asks_for_the_date_of_birth(client, alice):
    defaults()
    put_on("regular", alice.id, since=NOON)
    assert "When is your birthday?" in text_of(sign_in(client, alice).get("/benefits"))
    with transaction():
        db.session.get(Member, alice.id).birth_date = date(1990, 6, 20)
    seen = text_of(client.get("/benefits"))
    assert "When is your birthday?" not in seen
    assert "Can be claimed until Jul 20, 2026." in seen


def test_the_programme_tells_everybody_what_each_tier_brings(client, app):
    defaults()
    put_on("regular", since=NOON)
    seen = text_of(client.get("/programme"))
    assert "5× the points for every purchase" in seen
    assert "8 % off what you pay in money" in seen


# --- the desk -------------------------------------------------------------------------------


def test_an_agent_gives_a_benefit_and_ends_it(client, agent, alice):
    offer(VIP_PRICE)
    sign_in(client, agent)
    url = f"/backoffice/members/{alice.code}/benefits"
    answer = say(client, url, code="vip", first_day="2026-06-15", last_day="2026-06-30", reason="Waited long")
    assert "The benefit is given until Jun 30, 2026." in text_of(answer)
    [grant] = db.session.scalars(sa.select(BenefitGrant))
    assert (grant.code, grant.given_by, grant.ended_at) == ("vip", "Arthur Gao", None)
    assert "30 % off what you pay in money" in text_of(client.get(f"/backoffice/members/{alice.code}"))
    say(client, f"{url}/{grant.id}/ending")
    db.session.refresh(grant)
    assert grant.ended_at == NOON
    audited = db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert audited[-2:] == ["benefit.give", "benefit.end"]


def test_without_a_reason_or_with_an_impossible_day_nothing_is_given(client, agent, alice):
    offer(VIP_PRICE)
    sign_in(client, agent)
    url = f"/backoffice/members/{alice.code}/benefits"
    good = {"code": "vip", "first_day": "2026-06-15", "last_day": "2026-06-30", "reason": "Yes"}
    for wrong in ({"reason": " "}, {"last_day": "2026-02-30"}, {"last_day": "2026-06-14"}, {"code": "other"}):
        assert client.post(url, data=good | wrong).status_code == 422
    assert db.session.scalars(sa.select(BenefitGrant)).all() == []


def test_an_agent_cannot_end_what_belongs_to_somebody_else(client, agent, alice, bob):
    offer(VIP_PRICE)
    sign_in(client, agent)
    good = {"code": "vip", "first_day": "2026-06-15", "last_day": "2026-06-30", "reason": "Yes"}
    say(client, f"/backoffice/members/{alice.code}/benefits", **good)
    [grant] = db.session.scalars(sa.select(BenefitGrant))
    say(client, f"/backoffice/members/{bob.code}/benefits/{grant.id}/ending")
    db.session.refresh(grant)
    assert grant.ended_at is None


def test_an_agent_hands_a_gift_out_once(client, agent, gold):
    offer(COFFEE)
    say(sign_in(client, gold), "/benefits/claims", code="monthly-gift", period="2026-06")
    code = db.session.scalars(sa.select(Voucher.code)).one()
    assert code in text_of(client.get("/benefits"))
    desk = sign_in(client.application.test_client(), agent)
    assert code in text_of(desk.get(f"/backoffice/members/{gold.code}"))
    url = f"/backoffice/members/{gold.code}/benefits/handing-out"
    assert "Handed out: A coffee." in text_of(say(desk, url, voucher=code))
    assert "was handed out already" in text_of(say(desk, url, voucher=code))
    assert "Handed out on Jun 15, 2026" in text_of(client.get("/benefits"))


def test_an_agent_sees_who_has_a_contact_person_and_what_they_were_told(client, agent, gold, bob):
    offer(entry("dedicated_agent", tiers=["gold"], contact={"en": "Ask for Mei at any desk."}))
    desk = sign_in(client, agent)
    seen = text_of(desk.get(f"/backoffice/members/{gold.code}"))
    assert "Has a contact person of their own" in seen
    assert "They read: “Ask for Mei at any desk.”" in seen
    assert "contact person" not in text_of(desk.get(f"/backoffice/members/{bob.code}"))


def test_an_agent_tags_a_member_and_takes_the_tag_away(client, agent, alice):
    offer(VIP_PRICE)
    sign_in(client, agent)
    url = f"/backoffice/members/{alice.code}/tags"
    assert "vip" in text_of(say(client, url, tag="  VIP "))
    say(client, url, tag="vip")
    assert [each.tag for each in tags_of(alice.id)] == ["vip"]
    assert "A tag is a word or two" in text_of(say(client, url, tag="<script>"))
    say(client, f"{url}/removal", tag="vip")
    assert tags_of(alice.id) == []
    tagging = sa.select(AuditEntry.action).where(AuditEntry.action.like("member.%tag")).order_by(AuditEntry.id)
    actions = db.session.scalars(tagging).all()
    assert actions == ["member.tag", "member.untag"]


def test_an_auditor_sees_benefits_and_tags_but_changes_nothing(client, auditor, alice):
    offer(VIP_PRICE)
    seen = text_of(sign_in(client, auditor).get(f"/backoffice/members/{alice.code}"))
    assert "Benefits" in seen
    assert "Give and hand out" not in seen
    assert "Another tag" not in seen


# --- the owner ------------------------------------------------------------------------------


FORM = {"name_en": "Tea lovers’ price", "value": "15", "tags": "Tea", "seal": ""}


def draft():
    db.session.rollback()
    forget()
    return drafts.draft_of(BenefitTerms)


def test_an_owner_adds_a_benefit_to_the_draft_and_nothing_changes_yet(client, owner):
    make_unit("cinema", "Cinema")
    defaults()
    answer = sign_in(client, owner).post(
        "/backoffice/benefits/new/discount", data=FORM | {"tiers": ["gold"], "units": ["cinema"]}
    )
    assert (answer.status_code, answer.location) == (303, "/backoffice/terms/benefits/publication")
    assert draft().terms.benefits[-1] == {
        "kind": "discount",
        "code": "tea-lovers-price",
        "name": {"en": "Tea lovers’ price"},
        "value": 15,
        "tiers": ["gold"],
        "units": ["cinema"],
        "tags": ["Tea"],
    }
    assert current(BenefitTerms).by_code("tea-lovers-price") is None
    seen = text_of(client.get(answer.location))
    assert "15 % off what you pay in money, in Cinema" in seen
    assert client.get("/backoffice/benefits").status_code == 200


def test_a_benefit_that_is_edited_stays_itself(client, owner, gold):
    offer(COFFEE | {"series": "coffee"}, VIP_PRICE)
    sign_in(client, owner)
    shown = text_of(client.get("/backoffice/benefits/monthly-gift"))
    assert "A coffee" in shown
    data = {"name_en": "Gift", "texts": "A tea | 一杯茶\nA cake", "points": "5", "tiers": ["gold"], "seal": ""}
    assert client.post("/backoffice/benefits/monthly-gift", data=data).status_code == 303
    first, second = draft().terms.benefits
    assert (first["code"], first["series"]) == ("monthly-gift", "coffee")
    assert first["gifts"] == [{"points": 5}, {"text": {"en": "A tea", "zh_Hans": "一杯茶"}}, {"text": {"en": "A cake"}}]
    assert second == VIP_PRICE


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"value": "120"}, "whole number from 0 to 100"),
        ({"value": "a lot"}, "whole number from 0 to 100"),
        ({"name_en": ""}, "needs a name"),
        ({"starts": "2026-06-31T00:00"}, "no date and time"),
        ({"tiers": ["gold"]}, "Which one counts?"),
        ({"tiers": ["platinum"]}, ""),
    ],
)
def test_nonsense_is_refused_with_a_sentence_and_stays_in_the_form(client, owner, wrong, says):
    defaults()
    answer = sign_in(client, owner).post("/backoffice/benefits/new/discount", data=FORM | wrong)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert "Tea lovers" in text_of(answer) or not wrong.get("name_en", True)
    assert draft() is None


def test_the_preview_tells_what_stands_in_the_form_and_saves_nothing(client, owner, gold):
    offer(VIP_PRICE)
    answer = sign_in(client, owner).post(
        "/backoffice/benefits/preview/discount",
        data=FORM | {"tiers": ["gold"]},
        headers={"HX-Request": "true", "HX-Target": "preview"},
    )
    seen = text_of(answer)
    assert "<html" not in seen
    assert "15 % off what you pay in money" in seen
    assert "¥100 becomes ¥85." in seen
    assert "1 member now" in seen
    assert draft() is None


def test_the_preview_counts_everybody_once_whatever_they_have_it_by(client, owner, gold, alice, bob):
    with transaction():
        for member, words in ((gold, ("vip", "tea")), (bob, ("vip", "tea"))):
            for word in words:
                tag(member=member, text=word, by=SYSTEM, now=NOON)
    sign_in(client, owner)
    for whom, says in (
        ({"tiers": ["gold"], "tags": "vip, tea"}, "2 members now"),
        ({"tags": "tea"}, "2 members now"),
        ({"tiers": ["gold"], "tags": ""}, "1 member now"),
        ({"tiers": [], "tags": ""}, "0 members now"),
    ):
        answer = client.post("/backoffice/benefits/preview/discount", data=FORM | {"tiers": [], "tags": ""} | whom)
        assert says in text_of(answer), whom


def test_the_editor_says_of_what_there_is_not_yet_that_nothing_happens(client, owner):
    assert "There are no events yet" in text_of(sign_in(client, owner).get("/backoffice/benefits/new/event_priority"))


def test_a_benefit_is_removed_from_the_draft(client, owner):
    offer(VIP_PRICE, COFFEE)
    answer = sign_in(client, owner).post("/backoffice/benefits/vip/removal", data={"seal": ""})
    assert answer.status_code == 303
    assert [each["code"] for each in draft().terms.benefits] == ["monthly-gift"]
    assert client.post("/backoffice/benefits/nobody/removal").status_code == 404


def test_the_times_of_gifts_are_saved_and_bounded(client, owner):
    defaults()
    sign_in(client, owner)
    good = {"before": "3", "after": "4", "by_rule": "14"}
    for bad in ({"before": "200"}, {"by_rule": "0"}, {"by_rule": "367"}, {"by_rule": ""}):
        assert client.post("/backoffice/benefits/times", data=good | bad).status_code == 422
    assert client.post("/backoffice/benefits/times", data=good).status_code == 303
    assert (draft().terms.birthday_days_after, draft().terms.days_by_rule) == (4, 14)
    assert 'value="14"' in client.get("/backoffice/benefits").text


def test_every_kind_has_a_form_and_every_default_too(client, owner):
    defaults()
    sign_in(client, owner)
    for benefit in current(BenefitTerms).all:
        assert client.get(f"/backoffice/benefits/{benefit.code}").status_code == 200
        assert client.get(f"/backoffice/benefits/new/{benefit.kind}").status_code == 200
    assert client.get("/backoffice/benefits/new/coupon_pack").status_code == 200
    assert client.get("/backoffice/benefits/new/wish").status_code == 404


def test_a_pack_for_a_tag_is_published_and_claimed(client, owner, agent, alice):
    defaults()
    sign_in(client, owner)
    data = {"name_en": "Welcome back", "points": "40", "texts": "A cake", "tags": "back", "period": "once", "seal": ""}
    client.post("/backoffice/benefits/new/coupon_pack", data=data)
    seal = draft().seal
    client.post("/backoffice/terms/benefits/publication", data={"seal": seal, "when": "now", "note": "June"})
    say(sign_in(client, agent), f"/backoffice/members/{alice.code}/tags", tag="back")
    mine = sign_in(client.application.test_client(), alice)
    assert "40 points + A cake" in text_of(mine.get("/benefits"))
    say(mine, "/benefits/claims", code="welcome-back", period="once")
    assert int(standing(alice.id, now=NOON).available) == 20 + 40
