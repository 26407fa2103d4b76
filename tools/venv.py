"""Make ``.venv`` and install the pinned requirements: ``python3 tools/venv.py run`` or ``… dev``.

Runs on whatever ``python3`` there is, older ones included, to say in one sentence what is missing.
A second call with nothing changed returns at once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
FILES = {"run": ["requirements.txt"], "dev": ["requirements-dev.txt", "requirements.txt"]}
NEEDED = (3, 11)


def main(kind: str) -> None:
    if sys.version_info < NEEDED:
        restart_with_newer_python()
    wanted = fingerprint(kind)
    # Whoever has the tools of a developer has what the server needs, too.
    if any(installed(other) == fingerprint(other) for other in {kind, "dev"}) and works(PYTHON):
        return
    if not works(PYTHON):
        create()
    print("Installing the requirements into .venv; this takes a minute the first time …", flush=True)
    install = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.call([*install, "-r", os.path.join(ROOT, FILES[kind][0])]):
        sys.exit("The requirements could not be installed. Is a package registry within reach?")
    with open(stamp(kind), "w") as file:
        file.write(wanted)


def restart_with_newer_python() -> None:
    for name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        if shutil.which(name):
            os.execvp(name, [name, *sys.argv])
    found = "{}.{}".format(*sys.version_info)
    sys.exit(
        f"Jifen needs Python 3.11 or newer; python3 is {found}. Install one, or name it: make PYTHON=/path/to/it …"
    )


def create() -> None:
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian keeps it in a package of its own.
    except ImportError:
        version = "{}.{}".format(*sys.version_info)
        sys.exit(f"This Python cannot make virtual environments. On Debian or Ubuntu: apt install python{version}-venv")
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.call([sys.executable, "-m", "venv", VENV]):
        sys.exit("The virtual environment .venv could not be made; the lines above say why.")


def works(python: str) -> bool:
    return os.path.exists(python) and subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def fingerprint(kind: str) -> str:
    digest = hashlib.sha256()
    for name in FILES[kind]:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def stamp(kind: str) -> str:
    return os.path.join(VENV, f"installed-{kind}")


def installed(kind: str) -> str | None:
    try:
        with open(stamp(kind)) as file:
            return file.read()
    except OSError:
        return None


if __name__ == "__main__":
    main(sys.argv[1])
