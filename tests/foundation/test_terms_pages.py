"""Terms in the back office: a draft, what it changes, publishing it from a moment on, every version there was."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.engagement.checkin.terms import CheckinTerms
from app.foundation import clock, drafts, terms
from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.screens import terms_registry
from app.foundation.screens.terms_forms import form_of
from tests.cast import sign_in
from tests.conftest import NOON
from tests.publishing import publish, seal_on, value_of
from tests.racing import ON_POSTGRESQL, at_once, refusals

URL = "/backoffice/terms/checkin"
GENERAL = [domain for domain in sorted(terms.declared) if not terms_registry.editor_of(domain)]


@pytest.fixture
def office(client, owner):
    return sign_in(client, owner)


def typed(**other) -> dict:
    terms.forget()
    return asdict(terms.current(CheckinTerms)) | other


def changes() -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AuditEntry).filter_by(action="terms.change").order_by(AuditEntry.id)))


def now() -> CheckinTerms:
    terms.forget()
    db.session.rollback()
    return terms.current(CheckinTerms)


def save(office, **other) -> None:
    seal = value_of(office.get(URL).text, "seal")
    answer = office.post(URL, data=typed(seal=seal, **other))
    assert answer.location == f"{URL}/publication"


# --- forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize("domain", GENERAL)
def test_terms_saved_as_they_are_make_no_draft(office, domain):
    assert office.get(f"/backoffice/terms/{domain}").status_code == 200
    cls = terms.declared[domain]
    before = terms.current(cls)
    with office.application.test_request_context():
        form = form_of(cls)(data={entry.name: getattr(before, entry.name) for entry in fields(cls)})
        ticked = [field for field in form if field.type != "BooleanField" or field.data]
        values = {field.name: field._value() if hasattr(field, "_value") else field.data for field in ticked}
    assert office.post(f"/backoffice/terms/{domain}", data=values).location == "/backoffice/terms"
    assert drafts.domains_in_draft() == set()
    assert changes() == []


@pytest.mark.parametrize("domain", sorted(terms.declared))
def test_every_term_has_words(app, domain):
    assert all(entry.metadata.get("label") for entry in fields(terms.declared[domain]))


@pytest.mark.parametrize("domain", sorted(set(terms.declared) - set(GENERAL)))
def test_terms_with_an_editor_lead_to_it(office, domain):
    answer = office.get(f"/backoffice/terms/{domain}")
    assert answer.status_code == 302
    assert office.get(answer.location).status_code == 200
    assert office.post(f"/backoffice/terms/{domain}", data={}).status_code == 404


@pytest.mark.parametrize("value", ["", "0", "-1", "5.5", "1e3", "many", str(10**30), "٥٥٥٥٥٥"])
def test_nonsense_makes_no_draft_and_loses_nothing(office, value):
    answer = office.post(URL, data=typed(card_price=value, rewards="7 7 7"))
    assert answer.status_code == 422
    assert 'value="7 7 7"' in answer.text
    assert drafts.domains_in_draft() == set()


def test_reasons_are_edited_as_lines(office):
    data = {
        "adjustment_limit": "100",
        "reasons": "goodwill | Goodwill | 关怀补偿 | 關懷補償\nsorry | Sorry\n",
        "freeze_reasons": "lost | Lost",
    }
    assert office.post("/backoffice/terms/desk", data=data | {"reasons": "goodwill"}).status_code == 422
    office.post("/backoffice/terms/desk", data=data)
    publish(office, "desk")
    terms.forget()
    assert terms.current(terms.declared["desk"]).reasons["sorry"] == {"en": "Sorry"}


# --- from a draft to a version ------------------------------------------------------------------


def test_a_draft_holds_nothing_before_it_is_published(office):
    save(office, card_price=80)
    assert now().card_price == 50
    assert changes() == []
    assert "Draft waiting" in office.get("/backoffice/terms").text
    page = office.get(f"{URL}/publication").text
    assert re.search(r"<del>.*50</del><ins>.*80</ins>", page)
    assert "Olivia Tan saved this draft" in page


def test_publishing_makes_a_version_that_says_who_when_and_why(office):
    save(office, card_price=80)
    assert publish(office, "checkin", note="Cards were too cheap").location == f"{URL}/versions"
    assert now().card_price == 80
    [entry] = changes()
    assert (entry.before, entry.after) == ({"card_price": 50}, {"card_price": 80})
    page = office.get(f"{URL}/versions").text
    for words in ("Version 2", "Version 1", "by Olivia Tan", "Cards were too cheap", "in force"):
        assert words in page
    assert "Draft waiting" not in office.get("/backoffice/terms").text


def test_a_version_waits_for_its_moment_in_the_programmes_timezone(office):
    save(office, card_price=80)
    publish(office, "checkin", when="later", starts_at="2026-06-16T00:00")
    assert now().card_price == 50
    assert "Version 2 starts on Jun 16, 2026" in office.get("/backoffice/terms").text
    midnight = NOON + timedelta(hours=12)  # in Shanghai
    with clock.freeze(midnight - timedelta(seconds=1)):
        assert now().card_price == 50
    with clock.freeze(midnight):
        assert now().card_price == 80


def test_what_waits_is_taken_back_by_publishing_what_holds_for_the_same_moment(office):
    save(office, card_price=80)
    publish(office, "checkin", when="later", starts_at="2026-06-16T00:00")
    save(office)  # What holds now, unchanged.
    publish(office, "checkin", when="later", starts_at="2026-06-16T00:00")
    with clock.freeze(NOON + timedelta(days=2)):
        assert now().card_price == 50


def test_what_holds_anyway_takes_nothing_back_and_says_so(office):
    save(office, card_price=80)
    publish(office, "checkin", when="later", starts_at="2026-06-16T00:00")
    save(office)  # What holds now, unchanged.
    for when in ({}, {"when": "later", "starts_at": "2026-06-15T18:00"}):
        answer = publish(office, "checkin", **when)
        assert answer.status_code == 422
        assert "version 2 would still start on Jun 16, 2026" in answer.text
    assert drafts.domains_in_draft() == {"checkin"}
    assert len(changes()) == 1


def test_a_version_to_come_is_taken_back(office):
    save(office, card_price=80)
    publish(office, "checkin", when="later", starts_at="2026-06-16T00:00")
    url = f"{URL}/versions/2/withdrawal"
    assert url in office.get(f"{URL}/versions").text
    assert office.post(url).location == f"{URL}/versions"
    page = office.get(f"{URL}/versions").text
    assert "Version 2 is taken back" in page
    assert "/withdrawal" not in page
    assert [entry.after for entry in changes()] == [{"card_price": 80}, {"card_price": 50}]
    with clock.freeze(NOON + timedelta(days=2)):
        assert now().card_price == 50
    # Another one may still begin before, and the version that took it back can go, too.
    save(office, card_price=70)
    publish(office, "checkin")
    assert office.post(f"{URL}/versions/3/withdrawal").status_code == 303
    with clock.freeze(NOON + timedelta(days=2)):
        assert now().card_price == 70


@pytest.mark.parametrize("version", [1, 2, 9])
def test_what_has_started_cannot_be_taken_back(office, version):
    save(office, card_price=80)
    publish(office, "checkin")
    office.post(f"{URL}/versions/{version}/withdrawal")
    assert "cannot be taken back" in office.get(f"{URL}/versions").text
    assert (now().card_price, len(changes())) == (80, 1)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"when": "later", "starts_at": "2026-06-15T11:59"}, "cannot begin in the past"),
        ({"when": "later", "starts_at": "1066-10-14T09:00"}, "between 2000 and 2100"),
        ({"when": "later", "starts_at": ""}, "From which day and time on?"),
        ({"when": "later", "starts_at": "2026-02-30T10:00"}, "Please check what is marked below"),
        ({"when": "never"}, "Please check what is marked below"),
        ({"note": "x" * 301}, "at most 300 characters"),
    ],
)
def test_what_cannot_be_published_is_said_and_stays_a_draft(office, more, sentence):
    save(office, card_price=80)
    answer = publish(office, "checkin", **more)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert (now().card_price, changes(), drafts.domains_in_draft()) == (50, [], {"checkin"})


def test_versions_never_change(office):
    for price in (60, 70):
        save(office, card_price=price)
        publish(office, "checkin")
    terms.forget()
    assert [each.terms.card_price for each in terms.editions(CheckinTerms)] == [50, 60, 70]
    assert terms.at(CheckinTerms, NOON - timedelta(days=1)).terms.card_price == 50


def test_a_draft_is_thrown_away(office):
    save(office, card_price=80)
    answer = office.post(f"{URL}/withdrawal", data={"seal": seal_on(office, "checkin")})
    assert answer.location == "/backoffice/terms"
    assert (now().card_price, changes(), drafts.domains_in_draft()) == (50, [], set())
    assert "No draft is waiting" in office.get(f"{URL}/publication").text


def test_a_draft_that_changes_nothing_then_makes_no_version(office):
    save(office, card_price=80)
    publish(office, "checkin", when="later", starts_at="2026-06-16T00:00")
    save(office, card_price=80)
    assert publish(office, "checkin", when="later", starts_at="2026-06-17T00:00").status_code == 303
    assert "Nothing to publish" in office.get("/backoffice/terms").text
    terms.forget()
    assert len(terms.editions(CheckinTerms)) == 2


def test_a_draft_that_a_later_release_refuses_can_be_replaced(office):
    save(office, card_price=80)
    with transaction() as session:
        session.get(drafts.TermsDraft, "checkin").values = {"card_price": -5}
    assert "No draft is waiting" in office.get(f"{URL}/publication").text
    save(office, card_price=70)
    assert publish(office, "checkin").status_code == 303
    assert now().card_price == 70


# --- what it would bring --------------------------------------------------------------------------


def test_a_draft_of_the_check_in_table_is_told_as_a_week_of_points(office):
    save(office, rewards="10 10 20")
    page = office.get(f"{URL}/publication").text
    for words in ("10 · 10 · 20 · 10 · 10 · 20 · 10", "40 points", "90 points", "A week in a row"):
        assert words in page


def test_a_draft_of_invitations_is_told_as_what_one_brings_and_when(office):
    url = "/backoffice/terms/referrals"
    typed = asdict(terms.current(terms.declared["referrals"])) | {"inviter_points": 150, "wait_days": 0}
    office.post(url, data=typed)
    page = office.get(f"{url}/publication").text
    for words in ("150 points", "50 points", "spend ¥100 within 30 days", "at once", "3,000 points"):
        assert words in page


# --- two owners ---------------------------------------------------------------------------------


@pytest.fixture
def partner(app, owner):
    with transaction():
        from app.identity.staff.actions import create_staff

        made = create_staff(
            email="partner@example.com",
            password="three green kettles",
            name="Pia Wong",
            role="owner",
            units=(),
            by=SYSTEM,
            now=NOON,
        )
    return sign_in(app.test_client(), made)


def test_a_colleagues_draft_is_not_written_over_unawares(office, partner):
    mine = value_of(office.get(URL).text, "seal")
    save(partner, card_price=90)
    answer = office.post(URL, data=typed(seal=mine, card_price=80))
    assert answer.status_code == 409
    assert "Pia Wong has saved another draft meanwhile" in answer.text
    assert 'value="80"' in answer.text
    assert drafts.draft_of(CheckinTerms).terms.card_price == 90
    # Having been told, they may replace it.
    again = value_of(answer.text, "seal")
    assert office.post(URL, data=typed(seal=again, card_price=80)).status_code == 303
    db.session.rollback()
    db.session.expire_all()
    assert drafts.draft_of(CheckinTerms).terms.card_price == 80


def test_a_draft_that_was_published_meanwhile_is_not_saved_unawares(office, partner):
    save(partner, card_price=90)
    mine = value_of(office.get(URL).text, "seal")
    publish(partner, "checkin")
    answer = office.post(URL, data=typed(seal=mine, card_price=80))
    assert answer.status_code == 409
    assert "was published or discarded meanwhile" in answer.text
    assert now().card_price == 90


def test_one_publishes_what_one_saw(office, partner):
    save(office, card_price=80)
    seal = seal_on(office, "checkin")
    save(partner, card_price=90)
    answer = office.post(f"{URL}/publication", data={"seal": seal, "when": "now"})
    assert answer.status_code == 422
    assert "The draft has changed meanwhile" in answer.text
    assert ">90</ins>" in answer.text.replace('<span class="visually-hidden">after: </span>', "")
    assert now().card_price == 50
    assert office.post(f"{URL}/withdrawal", data={"seal": seal}).status_code == 409
    assert drafts.domains_in_draft() == {"checkin"}


@ON_POSTGRESQL
def test_two_who_publish_at_once_make_one_version(app, owner):
    with transaction():
        seal = drafts.save_draft(CheckinTerms, typed(card_price=80), by=owner.actor, now=NOON).seal

    def publishing() -> None:
        with transaction():
            drafts.publish_draft(CheckinTerms, seen=seal, starts_at=NOON, note="", by=SYSTEM, now=NOON)

    answers = at_once(app, [publishing, publishing])
    assert refusals(answers) == 1
    assert "changed meanwhile" in " ".join(map(str, answers))
    terms.forget()
    assert [each.version for each in terms.editions(CheckinTerms)] == [1, 2]


@ON_POSTGRESQL
def test_two_who_begin_a_draft_at_once_do_not_lose_one(app):
    def saving(price: int) -> int:
        with transaction():
            drafts.save_draft(CheckinTerms, values | {"card_price": price}, by=SYSTEM, now=NOON, seen="")
        return price

    values = typed()
    answers = at_once(app, [lambda: saving(80), lambda: saving(90)])
    assert refusals(answers) == 1
    assert "has saved another draft meanwhile" in " ".join(map(str, answers))
    db.session.expire_all()
    assert drafts.draft_of(CheckinTerms).terms.card_price in answers


# --- who may ------------------------------------------------------------------------------------


def test_an_auditor_reads_everything_and_changes_nothing(app, office, auditor):
    save(office, card_price=80)
    client = sign_in(app.test_client(), auditor)
    page = client.get("/backoffice/terms").text
    assert "Points for a make-up card" in page
    assert 'href="/backoffice/terms/checkin"' not in page
    assert client.get(f"{URL}/versions").status_code == 200
    shown = client.get(f"{URL}/publication").text
    assert "<ins>" in shown
    assert "Yes, publish it" not in shown
    seal = drafts.draft_of(CheckinTerms).seal
    for path in (URL, f"{URL}/publication", f"{URL}/withdrawal", f"{URL}/versions/2/withdrawal"):
        assert client.post(path, data={"seal": seal, "when": "now"}).status_code == 403
    assert drafts.domains_in_draft() == {"checkin"}


def test_agents_and_merchants_have_no_business_here(app, agent, merchant):
    for person in (agent, merchant):
        client = sign_in(app.test_client(), person)
        assert {client.get(path).status_code for path in (URL, f"{URL}/versions", f"{URL}/publication")} == {403}


@pytest.mark.parametrize("path", ["", "/publication", "/versions"])
def test_terms_that_do_not_exist(office, path):
    assert office.get(f"/backoffice/terms/nothing{path}").status_code == 404


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_pages_speak_the_readers_language(office, language):
    save(office, card_price=80)
    for path in ("/backoffice/terms", URL, f"{URL}/publication", f"{URL}/versions"):
        assert office.get(path, headers={"Accept-Language": language}).status_code == 200


@pytest.mark.parametrize(
    ("typed", "sentence"), [("9999-12-31T23:59", "between 2000 and 2100"), ("2099-01-01T00:00", "five years")]
)
def test_a_moment_that_nobody_means_is_refused(client, owner, typed, sentence):
    sign_in(client, owner)
    client.post(
        "/backoffice/terms/checkin", data=asdict(terms.current(terms.declared["checkin"])) | {"card_price": "80"}
    )
    page = client.get("/backoffice/terms/checkin/publication").text
    seal = re.search(r'name="seal"[^>]*value="([^"]+)"', page).group(1)
    answer = client.post(
        "/backoffice/terms/checkin/publication", data={"seal": seal, "when": "later", "starts_at": typed, "note": ""}
    )
    assert answer.status_code == 422
    assert sentence in answer.text
    assert terms.current(terms.declared["checkin"]).card_price == 50
