"""An error says what happened and where to go, in the shape that was asked for, and has a number in the log."""

from pathlib import Path

import pytest

from app.extensions import login_manager
from app.foundation import faults


@pytest.fixture
def visitor(odd):
    return odd().test_client()


def test_a_page_that_does_not_exist(visitor):
    answer = visitor.get("/no/such/page")
    assert answer.status_code == 404
    assert "Nothing here" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


@pytest.mark.parametrize("host", ["x" * 300, "a..b", ".", "xn--\u00ff"])
def test_a_host_that_cannot_be_is_a_bad_request(visitor, host, caplog):
    answer = visitor.get("/healthz", headers={"Host": host})
    assert answer.status_code in (200, 400)
    assert visitor.get("/no/such/page", headers={"Host": host}).status_code in (400, 404)
    assert "Content-Security-Policy" in answer.headers
    assert "Traceback" not in caplog.text


def test_a_wrong_method_names_the_right_ones(visitor):
    answer = visitor.delete("/healthz")
    assert answer.status_code == 405
    assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["Allow"].split(", "))


def test_a_programme_that_asks_for_json_gets_a_problem_document(visitor, accept_json):
    answer = visitor.get("/no/such/page", headers=accept_json)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == 404
    assert "<" not in answer.text


def test_a_wrong_method_in_json_names_the_right_ones_too(visitor, accept_json):
    assert "GET" in visitor.delete("/healthz", headers=accept_json).headers["Allow"]


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("refused", 409, "You lack 20 points."),
        ("invalid", 422, "Three is not a number."),
        ("missing", 404, "There is no such tea."),
    ],
)
def test_a_refusal_speaks_to_the_person(visitor, path, status, sentence, accept_json):
    answer = visitor.get(f"/odd/{path}")
    assert answer.status_code == status
    assert sentence in answer.text
    assert visitor.get(f"/odd/{path}", headers=accept_json).json["detail"] == sentence


def test_a_refused_form_leads_back_to_its_page_with_the_sentence(visitor):
    answer = visitor.post("/odd/refused", headers={"Referer": "http://localhost/mall/tea"})
    assert (answer.status_code, answer.location) == (303, "/mall/tea")
    with visitor.session_transaction() as session:
        assert session["_flashes"] == [("danger", "You lack 20 points.")]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://evil.example/x",
        "http://localhost.evil.example/x",
        "http://localhost//evil.example",
        "https://localhost/x",
    ],
)
def test_a_refused_form_never_leads_to_another_site(visitor, elsewhere):
    answer = visitor.post("/odd/refused", headers={"Referer": elsewhere})
    assert answer.status_code == 409
    assert "Location" not in answer.headers


def test_a_refused_fragment_is_not_redirected(visitor):
    answer = visitor.post("/odd/refused", headers={"HX-Request": "true", "Referer": "http://localhost/mall"})
    assert answer.status_code == 409


def test_a_bug_is_ours_and_is_logged_under_its_number(visitor, caplog):
    answer = visitor.get("/odd/bug")
    assert answer.status_code == 500
    assert "Our mistake" in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert answer.headers["X-Request-Id"] in caplog.text


def test_a_bug_keeps_its_headers(visitor):
    assert "default-src 'self'" in visitor.get("/odd/bug").headers["Content-Security-Policy"]


def test_even_without_a_database_there_is_a_page(odd, monkeypatch):
    def gone(_id):
        raise ConnectionError("The database is gone.")

    client = odd().test_client()
    monkeypatch.setattr(login_manager, "_user_callback", gone)
    with client.session_transaction() as session:
        session["_user_id"] = "member:1:0"
    answer = client.get("/no/such/page")
    assert answer.status_code == 500
    assert "Our mistake" in answer.text
    assert answer.headers["Content-Security-Policy"]


def test_an_unusual_status_is_kept(visitor):
    assert visitor.get("/odd/teapot").status_code == 418
    assert visitor.get("/odd/away").status_code == 503


def test_a_view_that_declares_nothing_is_a_locked_door(visitor):
    answer = visitor.get("/odd/undeclared")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_an_expired_form_says_that_nothing_was_changed(odd):
    client = odd(extra={"WTF_CSRF_ENABLED": True}).test_client()
    answer = client.post("/odd/address")
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    back = client.post("/odd/address", headers={"Referer": "http://localhost/me"})
    assert (back.status_code, back.location) == (303, "/me#kept")


def test_a_form_larger_than_we_accept_is_refused(odd):
    client = odd(extra={"WTF_CSRF_ENABLED": True}).test_client()
    answer = client.post("/odd/address", data={"text": "x" * 13_000_000})
    assert answer.status_code == 413
    assert "Too large" in answer.text


@pytest.mark.parametrize("path", ["/%00", "/%ff%fe", "/" + "a" * 5000, "/..%2f..%2fetc/passwd"])
def test_odd_addresses_are_not_found(visitor, path):
    assert visitor.get(path).status_code in (400, 404)


def test_each_request_has_its_own_number(visitor):
    numbers = {visitor.get("/healthz").headers["X-Request-Id"] for _ in range(3)}
    assert len(numbers) == 3


def test_errors_are_told_in_the_readers_language(visitor):
    answer = visitor.get("/no/such/page", headers={"Accept-Language": "zh-TW"})
    assert 'lang="zh-Hant"' in answer.text


def test_every_answer_has_a_title_a_sentence_and_a_picture(odd):
    app = odd()
    with app.test_request_context():
        for title, sentence, picture in faults._sentences().values():
            assert title
            assert sentence.endswith(".")
            assert (Path(app.static_folder) / "img" / "emoji" / f"{picture}.webp").exists()
