"""Which doors need a key, and how keys are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from served import CHAT, KEY, bearer, chat, client

from automix_graph.errors import ConfigurationError
from automix_graph.serving import ServingSettings, read_keys
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


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ("# rotated 2026-11-23 by ops\nsecret-key\n", ("secret-key",)),
        ("\ufefffirst\nsecond\n", ("first", "second")),
        ("\ufeff# by ops\r\n\r\nfirst \r\n", ("first",)),
        ("two words\n", ("two words",)),
    ],
)
def test_a_file_holds_a_key_a_line(tmp_path: Path, content: str, keys: tuple[str, ...]) -> None:
    (tmp_path / "keys").write_bytes(content.encode())
    assert read_keys(tmp_path / "keys") == keys
    with client(keys=keys) as ask:
        for key in keys:
            assert ask.get("/v1/models", headers=bearer(key)).status_code == 200
        for word in ("#", "ops", "by"):
            assert ask.get("/v1/models", headers=bearer(word)).status_code == 401


@pytest.mark.parametrize(
    "content", ["", "\n", "\ufeff", "\ufeff# nothing\n", "schl\xfcssel\n", "plain\nzero\u200bwidth\n", "a\tb"]
)
def test_a_file_that_opens_nothing_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").write_bytes(content.encode())
    with pytest.raises(ConfigurationError, match=r"holds no key|printable ASCII") as refused:
        read_keys(tmp_path / "keys")
    assert refused.value.code == "server-keys"
    for word in ("schl", "zero"):
        assert word not in str(refused.value)


@pytest.mark.parametrize("value", [" , ", " ", ",,", "\t"])
def test_a_variable_that_is_set_and_holds_no_key_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AUTOMIX_API_KEYS", value)
    with pytest.raises(ConfigurationError, match="AUTOMIX_API_KEYS is set and holds no key"):
        read_keys(None)


def test_a_variable_that_is_empty_or_not_set_gives_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMIX_API_KEYS", "")
    assert read_keys(None) == ()
    monkeypatch.delenv("AUTOMIX_API_KEYS")
    assert read_keys(None) == ()
    monkeypatch.setenv("AUTOMIX_API_KEYS", "one, two three")
    assert read_keys(None) == ("one", "two", "three")


@pytest.mark.parametrize("key", ["schl\xfcssel", " around ", "line\nbreak", "\ufeffmark", "\udcff"])
def test_settings_refuse_a_key_that_nobody_can_send(key: str) -> None:
    with pytest.raises(ConfigurationError, match="key 2 of 2 has characters outside printable ASCII"):
        ServingSettings(keys=("good", key))
