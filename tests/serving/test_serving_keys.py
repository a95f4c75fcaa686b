"""Which doors need a key, and how keys are kept."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from served import CHAT, KEY, bearer, chat, client

from automix_graph.serving import ServingSettings
from automix_graph.serving.gate.keys import Keyring


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (bearer("a-key-that-open"), 401),
        (bearer(f"{KEY}s"), 401),
        ({"authorization": f"Basic {KEY}"}, 401),
        ({"authorization": KEY}, 401),
        ({"authorization": "Bearer \xfc"}, 401),
        (bearer(KEY), 200),
        (bearer("another"), 200),
        ({"authorization": f"bearer {KEY}"}, 200),
    ],
)
def test_doors_that_cost_or_tell_need_a_key(headers: Mapping[str, str], status: int) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    with client(keys=(KEY, "another"), langserve=True) as ask:
        for path in ("/v1/models", "/metrics", "/openapi.json", "/automix/input_schema"):
            assert ask.get(path, headers=raw).status_code == status, path
        assert ask.post(CHAT, json=chat("easy"), headers=raw).status_code == status
        assert ask.post("/ask", json={"question": "easy"}, headers=raw).status_code == status
        assert ask.post("/automix/invoke", headers=raw).status_code == (401 if status == 401 else 422)
        for path in ("/", "/healthz", "/readyz"):
            assert ask.get(path, headers=raw).status_code == 200


def test_a_refusal_has_the_shape_that_clients_know() -> None:
    with client(keys=(KEY,)) as ask:
        response = ask.post(CHAT, json=chat("easy"))
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert response.headers["www-authenticate"] == "Bearer"


def test_every_key_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def spy(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr("automix_graph.serving.gate.keys.hmac.compare_digest", spy)
    assert Keyring(["first", "second", "third"]).opens("Bearer first")
    assert len(set(compared)) == 3
    assert len({len(digest) for digest in compared}) == 1


def test_settings_do_not_show_their_keys() -> None:
    assert KEY not in repr(ServingSettings(keys=(KEY,)))
