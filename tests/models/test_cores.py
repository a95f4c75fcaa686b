from __future__ import annotations

from pathlib import Path

import pytest

from automix_graph.models.cores import available_cores


@pytest.mark.parametrize("content", ["max 100000", "", "nonsense", "1 0", "99999999 100000"])
def test_without_a_smaller_quota_all_cores_count(tmp_path: Path, content: str) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(content)
    assert available_cores(file) == available_cores(tmp_path / "missing") >= 1


@pytest.mark.parametrize("content", ["100000 100000", "50000 100000", "10 100000"])
def test_a_quota_limits_the_cores_to_one_at_least(tmp_path: Path, content: str) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(content)
    assert available_cores(file) == 1
