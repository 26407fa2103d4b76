"""Production refuses to start without its secrets, with a sentence that names the variable."""

from pathlib import Path

import pytest

from app.config import ConfigurationError, Settings

GOOD = {
    "JIFEN_ENVIRONMENT": "production",
    "JIFEN_SECRET_KEY": "k" * 32,
    "JIFEN_PUBLIC_URL": "https://points.example",
    "JIFEN_PAYMENT_GATEWAY": "none",
    "JIFEN_MAIL_URL": "smtp+tls://mail.example:587",
}
STRIPE = {
    "JIFEN_PAYMENT_GATEWAY": None,
    "JIFEN_STRIPE_SECRET_KEY": "sk_live_1",
    "JIFEN_STRIPE_WEBHOOK_SECRET": "whsec_1",
}


def settings_of(changes):
    return Settings.from_env({key: value for key, value in (GOOD | changes).items() if value is not None})


def test_with_a_key_stripe_collects():
    settings = settings_of(STRIPE)
    assert settings.payment_gateway == "stripe"
    assert settings.stripe_methods == ("card", "alipay", "wechat_pay")
    assert settings.checkout_origin == "https://checkout.stripe.com"
    assert "sk_live" not in repr(settings)


def test_with_a_key_and_no_wish_for_cash_nothing_is_collected():
    settings = settings_of(STRIPE | {"JIFEN_PAYMENT_GATEWAY": "none", "JIFEN_STRIPE_METHODS": "card"})
    assert (settings.payment_gateway, settings.checkout_origin) == ("none", "")


def test_without_a_key_the_sandbox_is_for_looking_around():
    assert Settings.from_env({}).payment_gateway == "sandbox"


def test_an_empty_environment_is_development():
    settings = Settings.from_env({})
    assert settings.environment == "development"
    assert settings.sqlalchemy_url.startswith("sqlite:///")


def test_production_with_everything_starts():
    assert Settings.from_env(GOOD).production


@pytest.mark.parametrize(
    ("change", "variable"),
    [
        ({"JIFEN_SECRET_KEY": None}, "JIFEN_SECRET_KEY"),
        ({"JIFEN_SECRET_KEY": "short"}, "JIFEN_SECRET_KEY"),
        ({"JIFEN_PUBLIC_URL": None}, "JIFEN_PUBLIC_URL"),
        ({"JIFEN_PUBLIC_URL": "http://points.example"}, "JIFEN_PUBLIC_URL"),
        ({"JIFEN_PAYMENT_GATEWAY": None}, "JIFEN_PAYMENT_GATEWAY"),
        (STRIPE | {"JIFEN_STRIPE_SECRET_KEY": "sk_test_1"}, "JIFEN_STRIPE_SECRET_KEY"),
        (STRIPE | {"JIFEN_STRIPE_SECRET_KEY": "rk_test_1"}, "JIFEN_STRIPE_SECRET_KEY"),
        (STRIPE | {"JIFEN_STRIPE_SECRET_KEY": "pk_live_1"}, "JIFEN_STRIPE_SECRET_KEY"),
        (STRIPE | {"JIFEN_STRIPE_WEBHOOK_SECRET": None}, "JIFEN_STRIPE_WEBHOOK_SECRET"),
        (STRIPE | {"JIFEN_STRIPE_METHODS": "card,cash"}, "JIFEN_STRIPE_METHODS"),
        (STRIPE | {"JIFEN_STRIPE_API_BASE": "http://127.0.0.1:1"}, "JIFEN_STRIPE_API_BASE"),
        ({"JIFEN_MAIL_URL": None}, "JIFEN_MAIL_URL"),
        ({"JIFEN_CHEAP_PASSWORDS": "1"}, "JIFEN_CHEAP_PASSWORDS"),
        ({"JIFEN_TIMEZONE": "Mars/Olympus"}, "JIFEN_TIMEZONE"),
        ({"JIFEN_TIMEZONE": "../../etc/passwd"}, "JIFEN_TIMEZONE"),
        ({"JIFEN_CURRENCY": "XXY"}, "JIFEN_CURRENCY"),
        ({"JIFEN_DEFAULT_LOCALE": "tlh"}, "JIFEN_DEFAULT_LOCALE"),
        ({"JIFEN_ENVIRONMENT": "prod"}, "JIFEN_ENVIRONMENT"),
        ({"JIFEN_TRUSTED_PROXIES": "-1"}, "JIFEN_TRUSTED_PROXIES"),
        ({"JIFEN_TRUSTED_PROXIES": "one"}, "JIFEN_TRUSTED_PROXIES"),
    ],
)
def test_production_refuses_what_is_unsafe_or_unknown(change, variable):
    env = {key: value for key, value in (GOOD | change).items() if value is not None}
    with pytest.raises(ConfigurationError, match=variable):
        Settings.from_env(env)


@pytest.mark.parametrize("prefix", ["postgres://", "postgresql://"])
def test_a_postgresql_address_gets_our_driver(prefix):
    settings = Settings.from_env({"JIFEN_DATABASE_URL": f"{prefix}u:p@host:5433/points"})
    assert settings.sqlalchemy_url == "postgresql+psycopg://u:p@host:5433/points"


def test_the_instance_path_is_where_it_is_told(tmp_path):
    assert Settings.from_env({"JIFEN_INSTANCE_PATH": str(tmp_path)}).instance_path == Path(tmp_path)
