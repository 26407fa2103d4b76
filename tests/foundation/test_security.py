"""Headers that keep a page to itself, and nothing that leads away from the site."""

import pytest

from app.foundation.pages import local_url
from app.foundation.security import hash_password, password_matches

HTTPS = {
    "environment": "production",
    "secret_key": "k" * 40,
    "public_url": "https://points.example",
    "payment_gateway": "none",
    "mail_url": "smtp://mail.example",
}


@pytest.mark.parametrize("path", ["/healthz", "/no/such/page", "/odd/bug", "/odd/refused", "/static/css/app.css"])
def test_every_answer_carries_the_strict_policy(odd, path):
    headers = odd().test_client().get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_a_picture_carries_no_policy_of_documents_but_is_taken_for_nothing_else(odd):
    client = odd().test_client()
    headers = client.get("/static/img/icon-192.png").headers
    assert "Content-Security-Policy" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" in client.get("/static/img/logo.svg").headers


@pytest.mark.parametrize("path", ["/no/such/page", "/static/css/none.css", "/static/css/none.css?v=1"])
def test_pages_never_stay_in_a_shared_cache(odd, path):
    assert odd().test_client().get(path).headers["Cache-Control"] == "private, no-store"


def test_a_nul_is_refused_also_behind_a_harmless_value(odd):
    client = odd().test_client()
    assert client.get("/healthz?q=tea&q=%00").status_code == 400
    assert client.post("/odd/address", data={"q": ["tea", "\0"]}).status_code == 400


def test_static_files_are_kept_for_a_year_only_under_their_fingerprint(odd):
    app = odd()
    with app.test_request_context():
        address = app.jinja_env.globals["static_url"]("css/app.css")
    client = app.test_client()
    assert "immutable" in client.get(address).headers["Cache-Control"]
    assert "immutable" not in client.get("/static/css/app.css").headers["Cache-Control"]
    assert "immutable" not in client.get("/static/css/none.css?v=1").headers.get("Cache-Control", "")


def test_the_browser_is_told_to_stay_on_https_only_over_https(odd):
    client = odd(**HTTPS).test_client()
    assert "Strict-Transport-Security" in client.get("/healthz", base_url="https://points.example").headers
    assert "Strict-Transport-Security" not in client.get("/healthz", base_url="http://points.example").headers
    assert "Strict-Transport-Security" not in odd().test_client().get("/healthz").headers


def test_production_leads_from_http_to_https(odd):
    client = odd(**HTTPS).test_client()
    answer = client.get("/odd/address", base_url="http://points.example")
    assert (answer.status_code, answer.location) == (302, "https://points.example/odd/address")
    assert client.get("/healthz", base_url="http://points.example").status_code == 200  # for the load balancer


def test_in_production_the_session_travels_over_https_only(odd):
    app = odd(**HTTPS)
    assert app.config["SESSION_COOKIE_SECURE"] is True
    assert app.config["SESSION_COOKIE_HTTPONLY"] is True
    assert app.config["SESSION_COOKIE_SAMESITE"] == "Lax"


def test_a_forwarded_address_is_believed_only_from_a_trusted_proxy(odd):
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "points.example"}
    nobody = odd().test_client().get("/odd/address", headers=forwarded).json
    assert nobody == {"address": "127.0.0.1", "url": "http://localhost/"}
    trusted = odd(trusted_proxies=1).test_client().get("/odd/address", headers=forwarded).json
    assert trusted == {"address": "203.0.113.9", "url": "https://points.example/"}


def test_with_one_trusted_proxy_a_made_up_address_before_it_is_ignored(odd):
    forwarded = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    assert odd(trusted_proxies=1).test_client().get("/odd/address", headers=forwarded).json["address"] == "203.0.113.9"


def test_long_pages_are_compressed_and_caches_are_told(odd):
    client = odd().test_client()
    answer = client.get("/odd/page", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(answer.data) < 2500
    assert "Content-Encoding" not in client.get("/odd/page").headers


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_files_are_compressed_for_every_browser(odd, coding):
    answer = odd().test_client().get("/static/css/app.css?v=1", headers={"Accept-Encoding": coding})
    assert answer.headers["Content-Encoding"] == coding
    assert len(answer.data) < 20_000


def test_what_everybody_may_keep_knows_no_cookie(odd):
    client = odd().test_client()
    answer = client.get("/static/css/app.css?v=1")
    assert "public" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers["Vary"]


def test_a_compressed_page_still_varies_on_htmx(odd):
    answer = odd().test_client().get("/odd/page", headers={"Accept-Encoding": "br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert {"HX-Request", "Accept-Encoding"} <= {name.strip() for name in answer.headers["Vary"].split(",")}


@pytest.mark.parametrize("path", ["/", "/mall?page=2&q=茶", "/orders/J1#lines", "/a//b", "/?next=http://x"])
def test_a_path_on_this_site_is_a_place_to_go_back_to(path):
    assert local_url(path, "/home") == path


@pytest.mark.parametrize(
    "elsewhere",
    [
        *(
            "",
            None,
            "http://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "javascript:alert(1)",
        ),
        *("/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example", "/\x00/evil.example"),
        *("evil.example", " /x", "///evil.example", "https:evil.example"),
    ],
)
def test_nothing_leads_to_another_site(elsewhere):
    assert local_url(elsewhere, "/home") == "/home"


def test_passwords_are_hashed_with_salt(app):
    first, second = hash_password("correct horse"), hash_password("correct horse")
    assert first.startswith("$argon2id$")
    assert first != second
    assert "correct horse" not in first


def test_only_the_right_password_matches(app):
    hashed = hash_password("correct horse")
    assert password_matches(hashed, "correct horse")
    assert not password_matches(hashed, "Correct horse")
    assert not password_matches(hashed, "")


@pytest.mark.parametrize("hashed", [None, "", "!", "$argon2id$broken"])
def test_without_a_password_nobody_gets_in(app, hashed):
    assert not password_matches(hashed, "no such account")
    assert not password_matches(hashed, "")
