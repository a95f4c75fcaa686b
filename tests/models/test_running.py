"""Servers that processes of one user share: found while they live, and never where somebody else may be behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.models import running, runtime
from automix_graph.models.endpoint import Endpoint, ServerSettings
from automix_graph.models.running import announce, claimed, find, folder

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.name != "posix", reason="servers are shared on POSIX systems only"),
]

KEY = "the-key"
LABEL = "local:tiny"
SETTINGS = ServerSettings()


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.headers["Authorization"] == f"Bearer {KEY}" and self.path == "/v1/models"
        body = json.dumps({"data": [{"id": LABEL}]} if known else {"error": "no"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Endpoint(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key=KEY)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def gguf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOMIX_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def alive(gguf: Path, endpoint: Endpoint) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the place of a shared server, as llama.cpp's does, until its input ends."""
    with claimed(gguf, SETTINGS) as place:
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(place,)
        )
        announce(place, endpoint, label=LABEL)
    yield process
    end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def entry() -> Path:
    (found,) = folder().iterdir()
    return found


def test_nothing_is_found_where_nothing_is_shared(gguf: Path) -> None:
    assert find(gguf, SETTINGS) is None


def test_a_living_server_is_found(gguf: Path, endpoint: Endpoint, alive: subprocess.Popen[bytes]) -> None:
    assert find(gguf, SETTINGS) == endpoint


def test_a_server_is_gone_with_its_process_though_its_file_stays(gguf: Path, alive: subprocess.Popen[bytes]) -> None:
    end(alive)
    assert KEY in entry().read_text()
    assert find(gguf, SETTINGS) is None


def test_its_place_can_be_taken_again_once_it_is_gone(
    gguf: Path, endpoint: Endpoint, alive: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_LOCK_SECONDS", 0.1)
    with pytest.raises(ConfigurationError, match="shares a server"), claimed(gguf, SETTINGS):
        pass
    end(alive)
    with claimed(gguf, SETTINGS) as place:
        announce(place, endpoint, label="x")
        assert json.loads(entry().read_text())["label"] == "x"


def test_only_the_same_file_run_in_the_same_way_is_found(gguf: Path, alive: subprocess.Popen[bytes]) -> None:
    assert find(gguf, ServerSettings(parallel=1)) is None
    gguf.write_bytes(b"other weights")
    assert find(gguf, SETTINGS) is None


def test_keys_are_the_users_alone(gguf: Path, alive: subprocess.Popen[bytes]) -> None:
    assert folder().stat().st_mode & 0o777 == 0o700
    assert entry().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o750, 0o707])
def test_a_folder_that_is_open_to_others_is_not_believed(gguf: Path, alive: subprocess.Popen[bytes], mode: int) -> None:
    folder().chmod(mode)
    assert find(gguf, SETTINGS) is None
    with pytest.raises(ConfigurationError, match="chmod 700"), claimed(gguf, ServerSettings(parallel=2)):
        pass


def test_a_folder_that_is_a_link_is_not_believed(gguf: Path, alive: subprocess.Popen[bytes]) -> None:
    elsewhere = folder().with_name("elsewhere")
    folder().rename(elsewhere)
    folder().symlink_to(elsewhere)
    assert find(gguf, SETTINGS) is None


def test_a_file_that_is_open_to_others_is_not_believed(
    gguf: Path, alive: subprocess.Popen[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    entry().chmod(0o640)
    assert find(gguf, SETTINGS) is None
    assert "not believed" in caplog.text


def test_a_file_that_is_a_link_is_not_believed(gguf: Path, alive: subprocess.Popen[bytes]) -> None:
    elsewhere = folder().parent / "elsewhere.json"
    entry().rename(elsewhere)
    (folder() / elsewhere.with_name("x").name).touch()
    entry().rename(folder() / "unused")
    (folder() / running._name(gguf, SETTINGS)).symlink_to(elsewhere)
    assert find(gguf, SETTINGS) is None


def test_a_folder_of_another_user_is_not_believed(
    gguf: Path, alive: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = folder()
    monkeypatch.setattr(running, "folder", lambda: there)
    monkeypatch.setattr(os, "getuid", lambda: there.stat().st_uid + 1)
    assert find(gguf, SETTINGS) is None


@pytest.mark.parametrize(
    "told",
    [
        {"base_url": "http://127.0.0.1:1/v1", "api_key": KEY, "label": LABEL},
        {"base_url": "http://203.0.113.1:80/v1", "api_key": KEY, "label": LABEL},
        {"base_url": "http://127.0.0.1:1/v1"},
        [],
    ],
)
def test_an_address_where_no_model_answers_is_none(gguf: Path, alive: subprocess.Popen[bytes], told: object) -> None:
    entry().write_text(json.dumps(told))
    assert find(gguf, SETTINGS) is None


@pytest.mark.parametrize(("key", "label"), [("another", LABEL), (KEY, "local:other")])
def test_a_server_that_knows_another_key_or_model_is_none(
    gguf: Path, endpoint: Endpoint, alive: subprocess.Popen[bytes], key: str, label: str
) -> None:
    entry().write_text(json.dumps({"base_url": endpoint.base_url, "api_key": key, "label": label}))
    assert find(gguf, SETTINGS) is None


def test_serving_uses_a_shared_server(
    gguf: Path, endpoint: Endpoint, alive: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "_servers", runtime._Servers())
    monkeypatch.setattr(runtime, "_start", lambda *_: pytest.fail("a server of its own was started"))
    assert runtime.serve(gguf, label="local:mine") == endpoint


def test_what_the_last_server_left_is_gone_before_the_next_one_is_there(gguf: Path, endpoint: Endpoint) -> None:
    with claimed(gguf, ServerSettings()) as descriptor:
        announce(descriptor, endpoint, label="small")
    with claimed(gguf, ServerSettings()):
        assert entry().read_bytes() == b""
