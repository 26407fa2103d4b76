def test_alive(client):
    assert client.get("/healthz").json == {"status": "ok"}
