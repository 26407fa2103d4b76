"""What was simulated, and whether it still tells about the draft as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.foundation import drafts, terms
from app.foundation.database import db
from app.loyalty.simulation.models import DONE, FAILED, Simulation
from app.loyalty.simulation.reading import DOMAINS

DOMAIN = "earning"  # Under this name the drafts of all domains are simulated together.


@dataclass(frozen=True, slots=True)
class Matter:
    """What could be simulated now: values by domain, and which domains have a draft. ``seal`` stands for all."""

    draft: Mapping[str, Any]
    in_force: Mapping[str, Any]
    drafted: tuple[str, ...]

    @property
    def seal(self) -> str:
        return drafts.seal({"draft": self.draft, "in_force": self.in_force})


def matter(*, now: datetime) -> Matter:
    """The terms in force now and, where there is one, their draft."""
    draft, in_force, drafted = {}, {}, []
    for domain, cls in DOMAINS.items():
        in_force[domain] = draft[domain] = _plain(terms.at(cls, now).terms)
        waiting: drafts.Draft[Any] | None = drafts.draft_of(cls)
        if waiting is not None:
            draft[domain] = _plain(waiting.terms)
            drafted.append(domain)
    return Matter(draft, in_force, tuple(drafted))


def _plain(values: Any) -> dict[str, Any]:
    return asdict(values)


def simulation_by_id(number: int) -> Simulation | None:
    which = sa.select(Simulation).where(Simulation.id == number)
    return db.session.scalars(which.execution_options(populate_existing=True)).one_or_none()


def under_way() -> Simulation | None:
    """The one that is asked for or running."""
    which = sa.select(Simulation).where(Simulation.domain == DOMAIN, Simulation.finished_at.is_(None))
    return db.session.scalars(which.execution_options(populate_existing=True)).one_or_none()


def latest(*, limit: int = 8) -> list[Simulation]:
    """Those that came to an end by themselves, the newest first."""
    which = sa.select(Simulation).where(Simulation.domain == DOMAIN, Simulation.state.in_((DONE, FAILED)))
    return list(db.session.scalars(which.order_by(Simulation.id.desc()).limit(limit)))
