"""One typed settings object, read from the environment once.

What a shop may want to change while the system runs is data in the database (see
``foundation.terms``, rules and tiers). What stands here belongs to the machine:
addresses, secrets, and the two facts that may not change once points exist
(currency and timezone).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_name

Environment = Literal["development", "production", "testing"]

LOCALES = ("en", "zh_Hans", "zh_Hant")
STRIPE_METHODS = ("card", "alipay", "wechat_pay")
ROOT = Path(__file__).resolve().parent.parent


class ConfigurationError(RuntimeError):
    """The environment cannot be used; the message says which variable to set."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the process is told from outside. Times are seconds unless named otherwise."""

    environment: Environment = "development"
    secret_key: str = "development-only"  # noqa: S105 - refused in production
    instance_path: Path = ROOT / "instance"
    database_url: str = ""
    redis_url: str = ""
    public_url: str = "http://127.0.0.1:8000"
    programme_name: str = "Jifen"
    default_locale: str = "en"
    timezone: str = "Asia/Shanghai"
    currency: str = "CNY"
    payment_gateway: str = "sandbox"
    stripe_secret_key: str = field(default="", repr=False)
    stripe_webhook_secret: str = field(default="", repr=False)
    stripe_api_base: str = ""
    stripe_methods: tuple[str, ...] = ("card", "alipay", "wechat_pay")
    mail_url: str = "console:"
    mail_from: str = "Jifen <no-reply@localhost>"
    trusted_proxies: int = 0
    cheap_passwords: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.default_locale not in LOCALES:
            raise ConfigurationError(f"JIFEN_DEFAULT_LOCALE must be one of {', '.join(LOCALES)}.")
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError) as error:
            raise ConfigurationError(f"JIFEN_TIMEZONE {self.timezone!r} is not a known timezone.") from error
        if get_currency_name(self.currency, locale="en") == self.currency:
            raise ConfigurationError(f"JIFEN_CURRENCY {self.currency!r} is not a known currency code.")
        if self.payment_gateway == "stripe":
            self._refuse_half_a_gateway()
        if self.production:
            self._refuse_unsafe_production()

    def _refuse_half_a_gateway(self) -> None:
        if not self.stripe_secret_key.startswith(("sk_", "rk_")):
            raise ConfigurationError("JIFEN_STRIPE_SECRET_KEY must be a secret (sk_…) or restricted (rk_…) key.")
        if not self.stripe_webhook_secret.startswith("whsec_"):
            raise ConfigurationError(
                "JIFEN_STRIPE_WEBHOOK_SECRET must be the signing secret (whsec_…) of the endpoint /webhooks/stripe."
            )
        if not self.stripe_methods or set(self.stripe_methods) - set(STRIPE_METHODS):
            raise ConfigurationError(f"JIFEN_STRIPE_METHODS must be some of {', '.join(STRIPE_METHODS)}.")

    def _refuse_unsafe_production(self) -> None:
        if self.secret_key == Settings.secret_key or len(self.secret_key) < 32:
            raise ConfigurationError("JIFEN_SECRET_KEY must be set to at least 32 random characters.")
        if not self.public_url.startswith("https://"):
            raise ConfigurationError("JIFEN_PUBLIC_URL must be the https:// address members use.")
        if self.payment_gateway == "sandbox":
            raise ConfigurationError(
                "JIFEN_PAYMENT_GATEWAY=sandbox takes no real money and is refused in production; set it to 'none', "
                "or set JIFEN_STRIPE_SECRET_KEY."
            )
        if self.payment_gateway == "stripe" and "_test_" in self.stripe_secret_key[:8]:
            raise ConfigurationError("JIFEN_STRIPE_SECRET_KEY is a test key: it takes no real money.")
        if self.stripe_api_base:
            raise ConfigurationError("JIFEN_STRIPE_API_BASE is for tests and is refused in production.")
        if self.mail_url.startswith("console:"):
            raise ConfigurationError(
                "JIFEN_MAIL_URL must name a mail server (smtp://user:password@host:port): codes and links go by mail."
            )
        if self.cheap_passwords:
            raise ConfigurationError("JIFEN_CHEAP_PASSWORDS is for tests and is refused in production.")

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def checkout_origin(self) -> str:
        """Where members are sent to pay; empty where that is a page of our own."""
        if self.payment_gateway != "stripe":
            return ""
        return self.stripe_api_base or "https://checkout.stripe.com"

    @property
    def sqlalchemy_url(self) -> str:
        """The database address with the driver that the house uses."""
        url = self.database_url or f"sqlite:///{self.instance_path / 'jifen.db'}"
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read ``JIFEN_*`` variables. Raises ``ConfigurationError`` naming the variable at fault."""
        known = {name: env[key] for name in _TEXT if (key := f"JIFEN_{name.upper()}") in env}
        values: dict[str, object] = dict(known)
        if "environment" in values and values["environment"] not in ("development", "production", "testing"):
            raise ConfigurationError("JIFEN_ENVIRONMENT must be development, production or testing.")
        if path := env.get("JIFEN_INSTANCE_PATH"):
            values["instance_path"] = Path(path).resolve()
        if proxies := env.get("JIFEN_TRUSTED_PROXIES"):
            if not proxies.isdigit():
                raise ConfigurationError("JIFEN_TRUSTED_PROXIES must be a whole number.")
            values["trusted_proxies"] = int(proxies)
        if methods := env.get("JIFEN_STRIPE_METHODS"):
            values["stripe_methods"] = tuple(method.strip() for method in methods.split(","))
        if "payment_gateway" not in values and values.get("stripe_secret_key"):
            values["payment_gateway"] = "stripe"
        if env.get("JIFEN_CHEAP_PASSWORDS"):
            values["cheap_passwords"] = True
        return cls(**values)  # type: ignore[arg-type]


_TEXT = (
    "environment",
    "secret_key",
    "database_url",
    "redis_url",
    "public_url",
    "programme_name",
    "default_locale",
    "timezone",
    "currency",
    "payment_gateway",
    "stripe_secret_key",
    "stripe_webhook_secret",
    "stripe_api_base",
    "mail_url",
    "mail_from",
)
