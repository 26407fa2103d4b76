"""Find a Chromium for the browser tests, or install one. ``make test`` calls this; it prints where it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The shell is the same engine without the browser's own windows: a third of the time goes into those.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HELP = (
    "No Chromium was found and none could be installed. Install one (Debian, Ubuntu: apt install chromium "
    "fonts-wqy-zenhei), or name yours: CHROMIUM=/path/to/chrome make test"
)


def find() -> str | None:
    """The path of a Chromium: ``CHROMIUM``, the system's, or the one that Playwright downloaded."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    return next(filter(None, map(shutil.which, NAMES)), None) or playwrights_own()


def playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where the system has none.

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """As root on Debian or Ubuntu the system's package, with a font for Chinese; else Playwright's download."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        apt_get("update")
        for package in ("chromium-headless-shell", "chromium"):
            if find() is None:
                apt_get("install", "-y", "--no-install-recommends", package, "fonts-wqy-zenhei")
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def apt_get(*words: str) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", *words], env=env, stdout=subprocess.DEVNULL, check=False)


def main() -> None:
    if find() is None and "CHROMIUM" not in os.environ:
        print("No Chromium here; installing one for the browser tests …", flush=True)
        install()
    path = find()
    if path is None:
        sys.exit(HELP)
    print(f"Browser tests run in {path}.")


if __name__ == "__main__":
    main()
