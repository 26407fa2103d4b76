"""Turn the CDNOW purchases that the package ``lifetimes`` ships into a file for ``flask purchases import``.

    .venv/bin/python bench/cdnow.py cdnow.csv [--rows 2000]

``lifetimes`` is one of the developer's packages: ``make check`` and ``make test`` install it.

CDNOW sold records in 1997 and 1998; its file knows 69,659 purchases of 23,570 customers by
number, date, number of discs and dollars. The dollars are taken as yuan, one for one; the order number is the row's
own number, and each customer gets an email address to be known by. Names of the columns are ours.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

COLUMNS = ("order_no", "occurred_at", "member", "unit", "category", "sku", "quantity", "amount", "currency")


def source() -> Path:
    """Where ``lifetimes`` keeps the file; the package itself is not imported, it would need pandas."""
    found = find_spec("lifetimes")
    if found is None or found.origin is None:
        raise SystemExit("The package lifetimes is not installed: run make check first")
    return Path(found.origin).parent / "datasets" / "CDNOW_master.txt"


def purchases() -> Iterator[tuple[str, ...]]:
    """The rows of our file. Discs bought for nothing stay in: they are purchases that earn nothing."""
    with source().open() as file:
        next(file)
        for number, line in enumerate(file, start=1):
            customer, date, discs, dollars = line.split()
            day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
            member = f"customer-{customer}@cdnow.example"
            yield f"{number:05}", day, member, "cdnow", "music", "disc", discs, dollars, "CNY"


def write(path: Path, rows: int | None = None) -> int:
    """Write the first ``rows`` purchases (all by default); returns how many there were."""
    written = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for row in purchases():
            if rows is not None and written >= rows:
                break
            out.writerow(row)
            written += 1
    return written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int)
    wanted = parser.parse_args()
    print(f"{write(wanted.file, wanted.rows):,} purchases written to {wanted.file}")
