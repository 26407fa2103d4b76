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
