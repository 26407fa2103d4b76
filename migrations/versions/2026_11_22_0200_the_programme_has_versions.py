"""Terms have versions and drafts; the rules of earning are one of them, and counters say what is left of a budget."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007programme"
down_revision = "0006tiers"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

TERMS = sa.table("terms", sa.column("domain"), sa.column("values", JSON), sa.column("updated_at", MOMENT))
RULES = sa.table(
    "earning_rule",
    sa.column("kind"),
    sa.column("version"),
    sa.column("starts_at", MOMENT),
    sa.column("terms", JSON),
)


RANKED = sa.text("rank >= 0")


def upgrade() -> None:
    with op.batch_alter_table("tier") as batch_op:
        batch_op.drop_constraint("uq_tier_rank", type_="unique")
    op.create_index("uq_tier_rank", "tier", ["rank"], unique=True, postgresql_where=RANKED, sqlite_where=RANKED)
    versions = op.create_table(
        "terms_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("values", JSON, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("published_by", sa.String(120), nullable=False),
        sa.Column("note", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_terms_version"),
        sa.UniqueConstraint("domain", "version", name="uq_terms_version_domain_version"),
    )
    op.create_index("ix_terms_version_domain_starts_at", "terms_version", ["domain", "starts_at"])
    op.create_table(
        "terms_draft",
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("values", JSON, nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("saved_at", MOMENT, nullable=False),
        sa.Column("saved_by", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("domain", name="pk_terms_draft"),
    )
    op.create_table(
        "earning_budget",
        sa.Column("rule", sa.String(60), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rule", name="pk_earning_budget"),
        sa.CheckConstraint("used >= 0", name="ck_earning_budget_used_not_negative"),
    )
    begun = set()
    for row in _stored(op.get_bind()):
        # What happened before the first version is valued by the first: it holds from the beginning.
        if row["domain"] not in begun:
            row["starts_at"] = BEGINNING
        begun.add(row["domain"])
        op.execute(versions.insert().values(**row))
    op.drop_table("earning_rule")
    op.drop_table("terms")


def _stored(bind):
    """What an owner had changed becomes the first version, from when it was changed; rules keep their numbers."""
    for domain, values, moment in bind.execute(sa.select(TERMS.c.domain, TERMS.c["values"], TERMS.c.updated_at)).all():
        # What is believed of a reported purchase got a name of its own: "earning" is the rules now.
        yield _version({"earning": "purchases"}.get(domain, domain), 1, values, moment)
    rules = bind.execute(
        sa.select(RULES.c.kind, RULES.c.version, RULES.c.starts_at, RULES.c.terms).order_by(RULES.c.version)
    ).all()
    joining = [(row.starts_at, row.terms) for row in rules if row.kind == "joining"]
    purchase = [row for row in rules if row.kind == "purchase"]
    for row in purchase:
        welcome = [terms for starts_at, terms in joining if starts_at <= row.starts_at] or [t for _, t in joining[:1]]
        values = {"rate": "1", "growth_rate": "1", "rates": [], **row.terms}
        values["rewards"] = {"joining": welcome[-1]} if welcome else {}
        yield _version("earning", row.version, values, row.starts_at)
    later = [(starts_at, terms) for starts_at, terms in joining if not purchase or starts_at > purchase[-1].starts_at]
    base = {"rate": "1", "growth_rate": "1", "rates": [], **(purchase[-1].terms if purchase else {})}
    number = purchase[-1].version if purchase else 0
    for offset, (starts_at, terms) in enumerate(later, start=1):
        yield _version("earning", number + offset, {**base, "rewards": {"joining": terms}}, starts_at)


def _version(domain, version, values, moment):
    return {
        "domain": domain,
        "version": version,
        "values": values,
        "starts_at": moment,
        "published_at": moment,
        "published_by": "",
        "note": "",
    }


def downgrade() -> None:
    op.drop_index("uq_tier_rank", "tier")
    with op.batch_alter_table("tier") as batch_op:
        batch_op.create_unique_constraint("uq_tier_rank", ["rank"])
    terms = op.create_table(
        "terms",
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("values", JSON, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("domain", name="pk_terms"),
    )
    rules = op.create_table(
        "earning_rule",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("terms", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_earning_rule"),
        sa.UniqueConstraint("kind", "version", name="uq_earning_rule_kind_version"),
    )
    versions = sa.table(
        "terms_version",
        sa.column("domain"),
        sa.column("version"),
        sa.column("values", JSON),
        sa.column("starts_at", MOMENT),
    )
    latest = {}
    for row in op.get_bind().execute(sa.select(versions).order_by(versions.c.starts_at, versions.c.version)).all():
        values = row.values if isinstance(row.values, dict) else json.loads(row.values)
        if row.domain == "earning":
            for kind, told in (("purchase", values), ("joining", values.get("rewards", {}).get("joining"))):
                if told:
                    op.execute(
                        rules.insert().values(kind=kind, version=row.version, starts_at=row.starts_at, terms=told)
                    )
        else:
            latest[{"purchases": "earning"}.get(row.domain, row.domain)] = (values, row.starts_at)
    for domain, (values, moment) in latest.items():
        op.execute(terms.insert().values(domain=domain, values=values, updated_at=moment))
    op.drop_table("earning_budget")
    op.drop_table("terms_draft")
    op.drop_table("terms_version")
