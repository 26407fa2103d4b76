"""The power goes out, fifty times, at any moment: what was confirmed is there, and nothing is there by half."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from itertools import count
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from app.foundation.database import db
from app.foundation.errors import DomainError
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.verify import verify
from tests.loyalty.ledger.conftest import Teller

KILLS = 50
FORK = multiprocessing.get_context("fork")


def live(app: Flask, member_ids: list[int], name: str, confirmed: Path) -> None:
    """Book without end, and note each key only after its commit has returned."""
    chance = random.Random(name)
    with app.app_context(), confirmed.open("a", buffering=1) as notes:
        for turn in count():
            teller, key = Teller(chance.choice(member_ids)), f"{name}:{turn}"
            teller.award(chance.randint(1, 9), f"{key}:award")
            notes.write(f"{key}:award\n")
            try:
                teller.hold(chance.randint(1, 5), f"{key}:hold")
                notes.write(f"{key}:hold\n")
                settle = teller.post if chance.random() < 0.5 else teller.void
                settle(f"{key}:hold", f"{key}:settle")
                notes.write(f"{key}:settle\n")
                teller.spend(chance.randint(1, 5), f"{key}:spend")
                notes.write(f"{key}:spend\n")
                teller.give_back(f"{key}:spend", 1, f"{key}:back")
                notes.write(f"{key}:back\n")
                teller.claw_back(f"{key}:award", 1, f"{key}:claw")
                notes.write(f"{key}:claw\n")
            except DomainError:
                continue  # Not enough points this time.


def wait_until_it_grows(file, size, seconds=20):
    until = time.monotonic() + seconds
    while file.stat().st_size <= size and time.monotonic() < until:
        time.sleep(0.002)


def test_fifty_kills_leave_clean_books_and_every_confirmed_key(app, alice, bob, tmp_path):
    confirmed, chance = tmp_path / "confirmed", random.Random(7)
    confirmed.touch()
    died_at_work = 0
    for kill in range(KILLS):
        db.session.remove()
        db.engine.dispose()  # A forked process must not share our connections.
        before = confirmed.stat().st_size
        process = FORK.Process(target=live, args=(app, [alice.member_id, bob.member_id], f"life:{kill}", confirmed))
        process.start()
        if kill % 2:  # Every other one surely dies in the middle of its work, however slow the machine is.
            wait_until_it_grows(confirmed, before)
        time.sleep(chance.uniform(0.03, 0.15))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        died_at_work += confirmed.stat().st_size > before
        assert verify().findings == []
    keys = confirmed.read_text().split()
    booked = db.session.scalars(sa.select(Transfer.key)).all()
    assert len(booked) == len(set(booked))
    assert set(keys) <= set(booked)
    assert died_at_work >= KILLS // 2, "Half of them should have been killed in the middle of their work."
