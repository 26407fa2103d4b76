"""What is committed is for everybody: no machine's paths, no promises, no leftovers."""

from __future__ import annotations

import re
import subprocess

import pytest

from app.config import ROOT
from app.foundation import jobs
from app.foundation.database import db

BINARY = {".webp", ".png", ".jpg", ".ico", ".woff2", ".po", ".db"}
OTHERS = ("static/vendor/", "static/img/")
PLACES = re.compile(r"(?<![\w.])(/home/|/root/|/Users/|/private/|[A-Z]:\\\\)")
PROMISES = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|lorem ipsum", re.I)
REGISTRY = re.compile(r"--(extra-)?index-url|--registry|--find-links|https?://[^\s]*(pypi|/simple\b)")


def ours() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    names = [name for name in listed if name and not name.startswith(OTHERS)]
    return [name for name in names if not any(name.endswith(end) for end in BINARY) and (ROOT / name).is_file()]


NAMES = [name for name in ours() if name != "tests/conventions/test_tidiness.py"]


@pytest.mark.parametrize("name", NAMES)
def test_no_paths_of_one_machine_no_promises_no_registries(name):
    text = (ROOT / name).read_text()
    assert not PLACES.search(text)
    assert not PROMISES.search(text)
    if not name.startswith("docs/"):
        assert not REGISTRY.search(text)


def test_pins_are_exact():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.lstrip().startswith("#")]
        assert all(re.match(r"[\w.\[\]-]+==[\w.]+( ; .+)?$", line) for line in lines)


def test_every_regular_job_has_a_name_of_its_own(application):
    names = [name for name, _job, _schedule in jobs._periodic]
    assert sorted(set(names)) == sorted(names)
    assert all(re.fullmatch(r"[a-z][a-z-]+", name) for name in names)


def test_tables_are_named_in_the_singular_and_constraints_have_names(application):
    for table in db.metadata.tables.values():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", table.name)
        assert all(constraint.name for constraint in table.constraints)
