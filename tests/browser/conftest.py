"""A real server with the demo's data, and people who walk through it in a real Chromium.

All walks run one after the other in one worker (``tests/scheduling.py``), on one database
that is made once. A walk fails on anything the browser complains about: an error in the
console, a breach of the Content-Security-Policy, an answer that is not 2xx.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.walker import Walker
from tools import chromium, run

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
Visit = Callable[..., Walker]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the demo's data and its worker."""
    folder = tmp_path_factory.mktemp("site")
    port = free_port()
    told = {"JIFEN_INSTANCE_PATH": str(folder), "JIFEN_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JIFEN_")}
    env = inherited | told | {"JIFEN_SECRET_KEY": "only for this walk", "JIFEN_CHEAP_PASSWORDS": "1"}
    with (folder / "log").open("wb") as log:
        subprocess.run([sys.executable, "-m", "tools.catalogues", "compile"], cwd=run.ROOT, check=True)
        prepare = [sys.executable, "-m", "tools.prepare"]
        made = subprocess.run(prepare, cwd=run.ROOT, env=env, stdout=log, stderr=log, check=False)
        assert made.returncode == 0, (folder / "log").read_text()[-600:]
        server = [run.BIN / "granian", *run.server_options(port, env), "wsgi:app"]
        worker = [run.BIN / "flask", "--app", "wsgi", "worker"]
        children = [run.start(command, env, output=log) for command in (server, worker)]
        try:
            run.wait_until_up(port, children)
            yield told["JIFEN_PUBLIC_URL"]
        finally:
            run.end(children)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path, chromium.HELP
    with sync_playwright() as playwright:
        # Chromium's own handling of our signals would end the test run with it.
        opened = playwright.chromium.launch(
            executable_path=path, args=FLAGS, handle_sigint=False, handle_sigterm=False, handle_sighup=False
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def sessions() -> dict[str, dict]:
    """Each person signs in once; later walks go on with the same cookies."""
    return {}


@pytest.fixture
def visit(browser: Browser, site: str, sessions: dict[str, dict]) -> Iterator[Visit]:
    """Open a browser: ``visit()`` as a visitor, ``visit("alice@example.com", theme="dark")`` as somebody."""
    opened: list[Walker] = []

    def open_one(
        account: str | None = None,
        *,
        width: int = 390,
        theme: str = "light",
        locale: str = "en-US",
        script: bool = True,
    ) -> Walker:
        context = browser.new_context(
            base_url=site,
            viewport={"width": width, "height": 844 if width < 800 else 800},
            color_scheme=theme,
            locale=locale,
            java_script_enabled=script,
            reduced_motion="reduce",
            storage_state=sessions.get(account) if account else None,
        )
        context.set_default_timeout(10_000)
        walker = Walker(context)
        opened.append(walker)
        if account and account not in sessions:
            walker.sign_in(account)
            sessions[account] = context.storage_state()
        return walker

    yield open_one
    for walker in opened:
        walker.context.close()
    complaints = [complaint for walker in opened for complaint in walker.complaints]
    assert not complaints, "The browser complained:\n" + "\n".join(complaints)
