"""Bootstrap without what no page uses: ``static/css/bootstrap.css``, a sixth of its bytes.

A class stays when its name stands anywhere in the templates or the scripts, also put together
from a beginning that ends in a hyphen and a word (``'btn-' ~ tone``). The published file in ``static/vendor`` stays
the source; ``python -m tools.stylesheet`` writes the trimmed one anew, and ``… check`` only tells whether it fits.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "static" / "vendor" / "bootstrap-5.3.8" / "bootstrap.min.css"
TRIMMED = ROOT / "static" / "css" / "bootstrap.css"
SOURCES = ("templates/**/*.html", "static/js/*.js")
NESTED = ("@media", "@supports")


def main() -> int:
    wanted = trimmed()
    if "check" in sys.argv[1:]:
        if TRIMMED.is_file() and TRIMMED.read_text() == wanted:
            return 0
        print("static/css/bootstrap.css does not fit the pages any more. Run: make stylesheet", file=sys.stderr)
        return 1
    TRIMMED.write_text(wanted)
    print(f"{TRIMMED.relative_to(ROOT)}: {len(wanted)} of {PUBLISHED.stat().st_size} bytes")
    return 0


def trimmed() -> str:
    css = PUBLISHED.read_text()
    words = used_words()
    licence = css[css.index("/*!") : css.index("*/") + 2]
    body = keep(re.sub(r"/\*.*?\*/", "", css, flags=re.S).removeprefix('@charset "UTF-8";'), words)
    body = "".join(without_idle_movement(body))
    return f'@charset "UTF-8";{licence}\n{body}\n'


def used_words() -> frozenset[str]:
    """Whatever could be the name of a class."""
    text = "\n".join(path.read_text() for pattern in SOURCES for path in ROOT.glob(pattern))
    words = set(re.findall(r"[A-Za-z][\w-]*", text))
    beginnings = {word for word in words if word.endswith("-")}
    return frozenset(words | {beginning + word for beginning in beginnings for word in words})


def keep(css: str, words: frozenset[str]) -> str:
    """The rules of ``css`` that can apply to something."""
    return "".join(kept for head, body in rules(css) if (kept := kept_rule(head, body, words)))


def kept_rule(head: str, body: str, words: frozenset[str]) -> str:
    if head.startswith(NESTED):
        inner = keep(body, words)
        return f"{head}{{{inner}}}" if inner else ""
    if head.startswith("@"):
        return f"{head}{{{body}}}"
    heads = [selector for selector in selectors(head) if classes(selector) <= words]
    return f"{','.join(heads)}{{{body}}}" if heads else ""


def rules(css: str) -> Iterator[tuple[str, str]]:
    """(what stands before the braces, what stands between them), of the outermost level."""
    start = opened = depth = 0
    # A data: picture holds signs that mean something elsewhere, and is passed over whole.
    for sign in re.finditer(r'"[^"]*"|[{}]', css):
        if sign[0] == "{":
            opened = sign.start() if not depth else opened
            depth += 1
        elif sign[0] == "}":
            depth -= 1
            if not depth:
                yield css[start:opened].strip(), css[opened + 1 : sign.start()]
                start = sign.end()


def selectors(head: str) -> list[str]:
    return re.split(r",(?![^(]*\))", head)


def classes(selector: str) -> set[str]:
    """The classes without which ``selector`` finds nothing."""
    return set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", re.sub(r":not\([^)]*\)", "", selector)))


def without_idle_movement(css: str) -> Iterator[str]:
    for head, body in rules(css):
        name = head.removeprefix("@keyframes ")
        if name == head or re.search(rf"animation[^;}}]*\b{re.escape(name)}\b", css):
            yield f"{head}{{{body}}}"


if __name__ == "__main__":
    raise SystemExit(main())
