"""A save that crashes or fails leaves the old store or the new one."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from saved_store import EMBEDDING, contents, names

from automix_graph.errors import StoreError
from automix_graph.retrieval import FaissStore

pytestmark = pytest.mark.integration

CRASHING_SAVE = """
import os, sys
from pathlib import Path
from automix_graph.retrieval import FaissStore
from automix_graph.testing.embeddings import HashEmbeddings

folder, steps = sys.argv[1], 0

def crash_at(step):
    def wrap(module, name):
        original = getattr(module, name)
        def counted(*arguments, **named):
            global steps
            steps += 1
            if steps == step:
                os._exit(42)
            return original(*arguments, **named)
        setattr(module, name, counted)
    for module, name in ((os, "fsync"), (os, "replace"), (os, "unlink"), (Path, "unlink"), (Path, "write_text")):
        wrap(module, name)

for step in range(1, 100):
    child = os.fork()
    if child == 0:
        store = FaissStore.open(folder, HashEmbeddings())
        store.add_texts(["text"], ids=[str(step)])
        crash_at(step)
        store.save()
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with FaissStore.open(folder, HashEmbeddings()) as store:
        print(step, code, len(store), flush=True)
    if code == 0:
        break
"""


def test_a_crash_at_any_step_leaves_the_old_store_or_the_new_one(folder: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CRASHING_SAVE, str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    steps = [tuple(map(int, line.split())) for line in run.stdout.splitlines()]
    assert len(steps) > 8, "fsync of files and folder, the manifest, its rename and the removals"
    assert [code for _, code, _ in steps] == [42] * (len(steps) - 1) + [0]
    sizes = [3, *(size for _, _, size in steps)]
    grown = [after - before for before, after in itertools.pairwise(sizes)]
    assert set(grown) == {0, 1}
    assert grown[0] == 0, "a crash before the manifest leaves the old store"
    assert grown[-2] == 1, "a crash after the manifest leaves the new one"
    assert len(names(folder)) == 3, "the next save removes what crashes left"


def test_a_crash_in_the_first_save_does_not_block_the_next(tmp_path: Path) -> None:
    (tmp_path / "vectors-000001.faiss").write_bytes(b"half")
    (tmp_path / "passages-000001.sqlite").write_bytes(b"half")
    (tmp_path / "passages-000001.sqlite-journal").write_bytes(b"half")
    (tmp_path / "manifest.json.new").write_bytes(b"half")
    with FaissStore.from_texts(["x"], EMBEDDING) as store:
        store.save(tmp_path)
    assert names(tmp_path) == {"manifest.json", "vectors-000001.faiss", "passages-000001.sqlite"}
    FaissStore.open(tmp_path, EMBEDDING).close()


def test_a_failed_save_leaves_no_half_written_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(folder)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with FaissStore.open(folder, EMBEDDING) as store:
        store.add_texts(["lynx"])
        with monkeypatch.context() as patch, pytest.raises(StoreError, match="No space") as caught:
            patch.setattr(os, "fsync", full)
            store.save()
        assert caught.value.code == "file-unwritable"
        assert contents(folder) == before
        store.save()
    with FaissStore.open(folder, EMBEDDING) as store:
        assert len(store) == 4
