"""``make run`` refuses with a sentence what it cannot do, and keeps one key."""

import socket
import stat

import pytest

from tools import run


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_no_port(monkeypatch, text):
    monkeypatch.setenv("PORT", text)
    with pytest.raises(SystemExit, match="PORT must be a number"):
        run.chosen_port()


def test_a_port_that_is_taken(monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("PORT", str(other.getsockname()[1]))
        with pytest.raises(SystemExit, match="taken by another program"):
            run.chosen_port()


def test_the_key_is_made_once_and_is_nobody_elses_business(tmp_path):
    key = run.stable_key(tmp_path / "instance")
    assert len(key) >= 32
    assert run.stable_key(tmp_path / "instance") == key
    mode = (tmp_path / "instance" / "secret-key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_what_is_set_already_wins(monkeypatch, tmp_path):
    monkeypatch.setenv("JIFEN_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("JIFEN_PUBLIC_URL", "http://elsewhere")
    env = run.environment(8000)
    assert env["JIFEN_PUBLIC_URL"] == "http://elsewhere"
    assert env["JIFEN_SECRET_KEY"] == run.stable_key(tmp_path)


def test_without_redis_there_is_one_process():
    assert run.server_options(1, {})[7] == "1"
    assert run.server_options(1, {"JIFEN_REDIS_URL": "redis://x"})[7] == "2"
