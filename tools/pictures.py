"""Take the README's pictures: ``python -m tools.pictures`` writes docs/pictures/*.webp from a fresh demo."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tools import chromium, run

FOLDER = run.ROOT / "docs" / "pictures"
LIMIT = 60_000  # Bytes a picture.
SIZES = {"phone": (390, 844), "desk": (1280, 800)}
# name → (who, path, language of the browser)
PAGES = {
    "programme": (None, "/programme", "en-US"),
    "home": ("alice@example.com", "/", "en-US"),
    "points": ("alice@example.com", "/points", "en-US"),
    "check-in": ("alice@example.com", "/check-in", "zh-CN"),
    "earn": ("alice@example.com", "/earn", "en-US"),
    "benefits": ("alice@example.com", "/benefits", "zh-CN"),
    "mall": ("alice@example.com", "/mall", "en-US"),
    "product": ("alice@example.com", "/mall/teddy-bear", "zh-TW"),
    "cart": ("alice@example.com", "/cart", "en-US"),
    "office": ("owner@example.com", "/backoffice/", "en-US"),
    "office-products": ("merchant@example.com", "/backoffice/products", "en-US"),
    "office-member": ("agent@example.com", "/backoffice/members?q=alice@example.com", "en-US"),
    "office-earning": ("owner@example.com", "/backoffice/earning", "en-US"),
}


def main() -> None:
    path = chromium.find()
    if path is None:
        sys.exit(chromium.HELP)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with demo_server() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name in PAGES:
            for size in SIZES:
                for theme in ("light", "dark"):
                    take(browser, site, name, size, theme)
        browser.close()


@contextmanager
def demo_server() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="jifen-pictures-") as folder:
        told = {"JIFEN_INSTANCE_PATH": folder, "JIFEN_PUBLIC_URL": f"http://127.0.0.1:{port}"}
        env = dict(os.environ) | told | {"JIFEN_SECRET_KEY": "only for pictures", "JIFEN_CHEAP_PASSWORDS": "1"}
        subprocess.run([sys.executable, "-m", "tools.catalogues", "compile"], cwd=run.ROOT, check=True)
        subprocess.run([sys.executable, "-m", "tools.prepare"], cwd=run.ROOT, env=env, check=True)
        server = run.start([run.BIN / "granian", *run.server_options(port, env), "wsgi:app"], env)
        try:
            run.wait_until_up(port, [server])
            yield told["JIFEN_PUBLIC_URL"]
        finally:
            run.end([server])


def take(browser: Browser, site: str, name: str, size: str, theme: str) -> None:
    account, path, locale = PAGES[name]
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=site,
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        locale=locale,
        reduced_motion="reduce",
    )
    if account:
        sign_in(context, account)
    page = context.pages[0] if context.pages else context.new_page()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    save(page.screenshot(), FOLDER / f"{name}-{size}-{theme}.webp")
    context.close()


def sign_in(context: BrowserContext, account: str) -> None:
    page = context.new_page()
    office = account.partition("@")[0] not in ("alice", "bob")
    page.goto("/backoffice/session" if office else "/session")
    page.locator("main [name=email], main [name=contact]").first.fill(account)
    page.locator("main [type=password]").fill("demo-jifen")
    page.locator("main form button").first.click()
    page.wait_for_url(lambda url: not url.endswith("/session"))


def save(png: bytes, file: Path) -> None:
    """The best quality that stays below the limit."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in (84, 76, 68, 58, 48, 38):
        out = io.BytesIO()
        picture.save(out, "WEBP", quality=quality, method=6)
        if out.tell() <= LIMIT:
            break
    file.write_bytes(out.getvalue())
    print(f"{file.relative_to(run.ROOT)}: {out.tell() // 1024} KB", flush=True)


if __name__ == "__main__":
    main()
