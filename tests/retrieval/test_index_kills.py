"""Building or updating an index that is killed at any moment leaves the old store or the new one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

DRIVER = Path(__file__).with_name("killed_index.py")


@pytest.mark.parametrize(
    ("kills", "index_type", "files", "often"),
    [
        (8, "hnsw", 5, "seldom"),
        pytest.param(100, "flat", 60, "seldom", marks=pytest.mark.slow),
        pytest.param(100, "hnsw", 60, "seldom", marks=pytest.mark.slow),
        pytest.param(100, "ivf_sq8", 60, "often", marks=pytest.mark.slow),
    ],
)
def test_kills_leave_the_old_store_or_the_new_one(
    tmp_path: Path, kills: int, index_type: str, files: int, often: str
) -> None:
    command = [sys.executable, str(DRIVER), str(tmp_path), str(kills), index_type, str(files), often, "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] == kills
    assert found["old"] + found["new"] == kills
    if kills > 10:
        assert found["old"] > kills // 5 and found["new"] > kills // 20
        assert set(found["moments"]) == {"any", "begins", "written", "indexed", "replacing", "replaced"}
