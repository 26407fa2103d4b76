"""``make run``: the server and the background worker, side by side, until Ctrl-C."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PATIENCE = 30  # Seconds for the server to answer, and for both to finish what they are doing.

ACCOUNTS = """
  member       alice@example.com      Gold, with a year of history
  member       bob@example.com        joined just now
  merchant     merchant@example.com   \\
  agent        agent@example.com       | at /backoffice/
  auditor      auditor@example.com     |
  owner        owner@example.com      /
  The password of all six is demo-jifen."""


class Stopped(Exception):
    """Somebody asked us to end."""


def main() -> int:
    port = chosen_port()
    env = environment(port)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)
    children: list[subprocess.Popen[bytes]] = []
    try:
        subprocess.run([sys.executable, "-m", "tools.catalogues", "compile"], cwd=ROOT, env=env, check=True)
        subprocess.run([sys.executable, "-m", "tools.prepare"], cwd=ROOT, env=env, check=True)
        children.append(start([BIN / "granian", *server_options(port, env), "wsgi:app"], env))
        children.append(start([BIN / "flask", "--app", "wsgi", "worker"], env))
        wait_until_up(port, children)
        print(f"\nJifen is open at {env['JIFEN_PUBLIC_URL']} (Ctrl-C closes it)\n{ACCOUNTS}\n", flush=True)
        return watch(children)
    except Stopped:
        print("\nClosing …", flush=True)
        return 0
    except subprocess.CalledProcessError:
        return 1  # It has said why.
    finally:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        end(children)


def chosen_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdigit() or not 0 < int(text) < 2**16:
        sys.exit(f"PORT must be a number from 1 to 65535, not {text!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError:
            sys.exit(f"Port {text} is taken by another program. Choose another: make run PORT={int(text) % 65535 + 1}")
    return int(text)


def environment(port: int) -> dict[str, str]:
    """What the server is told. A variable that is already set wins."""
    env = dict(os.environ)
    env.setdefault("JIFEN_PUBLIC_URL", f"http://127.0.0.1:{port}")
    env.setdefault("JIFEN_SECRET_KEY", stable_key(Path(env.get("JIFEN_INSTANCE_PATH", ROOT / "instance"))))
    return env


def stable_key(instance: Path) -> str:
    """One random key per machine, kept beside the database, so that a restart signs nobody out."""
    file = instance / "secret-key"
    if not file.exists():
        instance.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as new:
            new.write(secrets.token_urlsafe(48))
    return file.read_text()


def server_options(port: int, env: dict[str, str]) -> list[str]:
    # Without Redis the rate limits live in the memory of one process, so there is one.
    workers = "2" if env.get("JIFEN_REDIS_URL") else "1"
    return [
        *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *(
            "--workers",
            workers,
            "--blocking-threads",
            "8",
            "--no-ws",
            "--workers-kill-timeout",
            "20",
            "--log-level",
            "warning",
        ),
    ]


def start(command: list[str | Path], env: dict[str, str], output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches us alone, and we stop both in good order.
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - there is only one thread
    )


def die_with_parent() -> None:
    """Linux only: if we are killed outright, the child is told to stop as well."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def wait_until_up(port: int, children: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and all(child.poll() is None for child in children):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2)
            return
        time.sleep(0.1)
    raise SystemExit("The server did not come up; the lines above say why.")


def watch(children: list[subprocess.Popen[bytes]]) -> int:
    while all(child.poll() is None for child in children):
        time.sleep(0.5)
    print("The server or the worker has ended by itself; the lines above say why.", file=sys.stderr)
    return 1


def stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stopped


def end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
