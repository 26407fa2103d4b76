"""``flask setup``: what every installation needs before the first member comes."""

from __future__ import annotations

import sys
from datetime import datetime

import click
from flask.cli import with_appcontext
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.identity.staff.actions import create_staff
from app.identity.staff.queries import anybody
from app.loyalty.benefits import actions as benefits
from app.loyalty.earning import actions as earning
from app.loyalty.tiers import actions as tiers
from app.mall.catalog.actions import create_category
from app.mall.catalog.queries import all_categories

CATEGORIES = {
    "food": ("Food & drinks", "美食饮品", "美食飲品"),
    "home": ("Home & living", "家居生活", "居家生活"),
    "gadgets": ("Gadgets", "数码好物", "數位好物"),
    "fashion": ("Fashion & bags", "服饰箱包", "服飾箱包"),
    "beauty": ("Beauty & care", "美妆个护", "美妝個護"),
    "family": ("Family & play", "亲子玩具", "親子玩具"),
    "entertainment": ("Tickets & fun", "影音娱乐", "影音娛樂"),
    "travel": ("Travel", "旅行出游", "旅行出遊"),
    "services": ("Services", "生活服务", "生活服務"),
}
LANGUAGES = ("en", "zh_Hans", "zh_Hant")


@click.command("setup")
@click.option("--owner-email", help="Make this the first owner, where there is no staff yet.")
@click.option(
    "--owner-password",
    envvar="JIFEN_OWNER_PASSWORD",
    help="Asked for if it is neither given nor in JIFEN_OWNER_PASSWORD, which keeps it out of the shell's history.",
)
@click.option("--owner-name", default="", help="What colleagues call the owner; the email's first part if left out.")
@with_appcontext
def setup(owner_email: str | None, owner_password: str | None, owner_name: str) -> None:
    """Install the default rules, tiers, benefits and categories where there are none, and the first owner if named.

    Running it again changes nothing that is there.
    """
    newcomer = owner_email if owner_email and not anybody() else None
    if owner_email and not newcomer:
        click.secho(
            _("There are staff accounts already; an owner can add another one in the back office."), fg="yellow"
        )
    if newcomer and not owner_password:
        owner_password = click.prompt(
            _("Password of %(email)s", email=newcomer), hide_input=True, confirmation_prompt=True
        )
    now = clock.now()
    try:
        with transaction():
            install_defaults(now=now)
            if newcomer:
                name = owner_name or newcomer.partition("@")[0]
                create_staff(email=newcomer, password=owner_password or "", name=name, role="owner", by=SYSTEM, now=now)
    except DomainError as error:
        click.secho(str(error), fg="red", err=True)
        sys.exit(2)
    click.echo(_("Rules, tiers, benefits and categories are in place."))
    if newcomer:
        click.echo(_("%(email)s can sign in to the back office now.", email=newcomer))


def install_defaults(*, now: datetime) -> None:
    """Rules, tiers, benefits and categories, each where there are none. Needs an open transaction."""
    earning.install_defaults(now=now)
    tiers.install_defaults()
    benefits.install_defaults(now=now)
    if not all_categories():
        for rank, (code, names) in enumerate(CATEGORIES.items()):
            create_category(code=code, name=dict(zip(LANGUAGES, names, strict=True)), rank=rank, by=SYSTEM, now=now)
