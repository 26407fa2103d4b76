"""What is told again under the rules in force is what happened."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.database import db
from app.loyalty.purchases.models import Purchase
from app.loyalty.simulation import steps
from app.loyalty.simulation.figures import Figures
from app.loyalty.simulation.replay import replay
from tests.loyalty.simulation.past import RULES, TWICE, BenefitTerms, EarningTerms, draft, live, publish, simulate
from tests.loyalty.tiers.climbing import tier


@pytest.mark.parametrize("seed", [1, 2])
def test_the_rules_in_force_told_again_bring_what_they_brought(members, units, seed):
    publish(EarningTerms, **RULES)
    publish(BenefitTerms, benefits=TWICE)
    live(members, units, seed=seed)
    draft(EarningTerms, **RULES | {"rate": "2", "caps": {}})
    done = simulate()
    assert done.state == "done"
    figures = Figures.load(done.figures)
    really = dict(db.session.execute(sa.select(Purchase.id, Purchase.points)).all())
    comparison = steps.prepare(done)
    told = {
        each.sale.id: each.points
        for story in steps.stories(members, comparison)
        for each in replay(story, comparison.sides["now"]).told
    }
    assert told == really
    assert figures.now.points == figures.issued == sum(really.values()) > 0
    assert figures.now.returned == figures.issued_returned > 0
    assert figures.now.points != figures.draft.points
    standing = [tier(member) for member in members]
    codes = comparison.sides["now"].codes
    ended = [codes[replay(story, comparison.sides["now"]).step] for story in steps.stories(members, comparison)]
    assert ended == standing
