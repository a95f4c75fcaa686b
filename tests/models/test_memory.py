"""A model that does not fit into memory is warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from automix_graph.models import memory
from automix_graph.models.memory import free_memory, needed_memory, warn_if_short

GIB = 2**30


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:       8388608 kB\nMemAvailable:   4194304 kB\n")
    return path


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


def test_what_a_model_needs(tmp_path: Path) -> None:
    assert needed_memory(sparse(tmp_path / "m.gguf", 3 * GIB), context_tokens=1024) == 5 * GIB + 30 * 2**20


def test_free_memory_without_a_limit(meminfo: Path, tmp_path: Path) -> None:
    assert free_memory(meminfo, tmp_path) == 4 * GIB
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(meminfo, tmp_path) == 4 * GIB


def test_free_memory_within_the_limit_of_a_container(meminfo: Path, tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{3 * GIB}\n")
    (tmp_path / "memory.current").write_text(f"{GIB}\n")
    assert free_memory(meminfo, tmp_path) == 2 * GIB


def test_free_memory_that_nobody_tells(tmp_path: Path) -> None:
    assert free_memory(tmp_path / "absent", tmp_path) is None


def warned(tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int, beside: list[Path]) -> bool:
    caplog.clear()
    warn_if_short(sparse(tmp_path / "m.gguf", size), "local:m", context_tokens=0, beside=beside)
    return "local:m" in caplog.text


def test_a_warning_where_it_does_not_fit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 5 * GIB)
    assert not warned(tmp_path, caplog, 3 * GIB, [])
    assert warned(tmp_path, caplog, 3 * GIB + 3, [])


def test_models_that_run_already_keep_their_files_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 6 * GIB)
    other = sparse(tmp_path / "other.gguf", GIB)
    assert not warned(tmp_path, caplog, 3 * GIB, [other])
    assert warned(tmp_path, caplog, 3 * GIB + 3, [other])


def test_no_warning_where_nobody_knows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    assert not warned(tmp_path, caplog, 100 * GIB, [])
