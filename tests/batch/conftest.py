"""Where the batches of these tests write."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return where a batch writes, in a folder that is not there."""
    return tmp_path / "new" / "out.jsonl"
