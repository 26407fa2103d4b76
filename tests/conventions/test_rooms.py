"""Who may import whom, beyond the floors that import-linter watches."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import ROOT

FLOORS = ("identity", "loyalty", "mall", "engagement", "community", "support")
FOR_OTHERS = {"actions", "queries", "events", "explanations", "errors", "statements"}
DOORS = {"app.entrypoints"}  # They compose whole domains.
KNOWN = {("app.identity.staff", "app.identity.units.models")}  # A merchant's units are a relationship of two tables.
FILES = sorted(path for path in (ROOT / "app").rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of what a file imports at run time; ``from a import b`` gives ``a.b``."""
    for node in at_run_time(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            continue
        yield child
        yield from at_run_time(child)


def domain_of(name: str) -> str | None:
    """``app.mall.orders.models.Order`` → ``app.mall.orders``; what stands beside the domains of a floor has none."""
    parts = name.split(".")
    if len(parts) < 3 or parts[0] != "app" or parts[1] not in FLOORS:
        return None
    domain = ".".join(parts[:3])
    return domain if (ROOT / "/".join(parts[:3])).is_dir() else None


def room_of(name: str) -> str:
    parts = name.split(".")
    return parts[3] if len(parts) > 3 else ""


def beside(here: str, domain: str) -> bool:
    """A room of the floor itself, like ``app.identity.session``, stands above the floor's domains."""
    return domain_of(here) is None and here.rpartition(".")[0] == domain.rpartition(".")[0]


def door(name: str) -> bool:
    return any(name.startswith(door) for door in DOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "app")))
def test_across_domains_only_what_is_meant_for_others(path):
    here = module_name(path)
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for line, name in imports(path)
        if (domain := domain_of(name)) and domain != domain_of(here)
        if not door(here) and room_of(name) not in FOR_OTHERS
        if not beside(here, domain) and (domain_of(here), f"{domain}.{room_of(name)}") not in KNOWN
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "app")))
def test_no_import_inside_a_function(path):
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not wrong, "An import inside a function hides a circle: " + ", ".join(wrong)


def test_only_the_database_room_commits():
    allowed = {ROOT / "app/foundation/database.py"}
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        if path not in allowed
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert not wrong, "Views, commands and jobs open transaction(); nobody else commits: " + ", ".join(wrong)


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "actions.py"], ids=str)
def test_actions_open_no_transaction(path):
    names = {name for _, name in imports(path)}
    assert "app.foundation.database.transaction" not in names


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "rules.py"], ids=str)
def test_rules_are_pure(path):
    impure = {"sqlalchemy", "flask", "app.foundation.database", "app.foundation.clock.now"}
    names = [name for _, name in imports(path)]
    wrong = [name for name in names if any(name == bad or name.startswith(f"{bad}.") for bad in impure)]
    assert not wrong


@pytest.mark.parametrize("floor", ["loyalty", "mall"])
def test_no_floats_where_points_and_money_are(floor):
    wrong = []
    for path in (ROOT / "app" / floor).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "float"
            if (literal and node.value != 1.0) or named:  # 1.0 is the end of a progress bar.
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, "Money and points are whole numbers: " + ", ".join(wrong)


def test_nobody_prints():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert not wrong, "Commands use click.echo, everything else the log: " + ", ".join(wrong)


def test_links_for_messages_stand_on_our_own_address():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and any(keyword.arg == "_external" for keyword in node.keywords)
    ]
    assert not wrong, "The request's host is chosen by whoever asks; use pages.public_url: " + ", ".join(wrong)


def test_time_is_an_argument():
    """The clock is read at the doors only: views, admin pages, commands, jobs and what makes a page's chrome."""
    doors = {"views", "views.py", "admin", "admin.py", "session.py", "jobs.py", "sandbox.py", "stripe.py"}
    wrong = []
    for path in FILES:
        if doors & set(path.parts) or door(module_name(path)) or path.is_relative_to(ROOT / "app/foundation"):
            continue
        wrong += [f"{path.relative_to(ROOT)}:{line}" for line in clock_reads(path)]
    assert not wrong, "`now` is passed in: " + ", ".join(wrong)


def clock_reads(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = getattr(node.func.value, "id", "")
            if (owner, node.func.attr) in {("clock", "now"), ("datetime", "now"), ("date", "today"), ("time", "time")}:
                yield node.lineno
