"""Build and update an index in processes that are killed again and again, and watch what they leave; a program.

It forks, so that a run begins at once. It never touches FAISS itself: threads of OpenMP do not survive a fork.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from automix_graph.retrieval import (
    FaissStore,
    IndexPlan,
    check_store,
    index_paths,
    indexing,
    publication,
    saving,
    workspace,
)
from automix_graph.retrieval.collection import Collection
from automix_graph.retrieval.manifest import MANIFEST, Manifest
from automix_graph.testing.embeddings import HashEmbeddings

EMBEDDING = HashEmbeddings(dimension=16)
STAGES = ("begins", "written", "indexed", "replacing", "replaced")
"""Moments within a publication."""


def write_corpus(folder: Path, version: int, files: int) -> None:
    """Write a version of the documents: in each, some files are as before, some changed, some gone, some new."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number in range(files):
        if (number + version) % 7 == 0:
            continue
        age = version if number % 3 == 0 else 0
        lines = [f"Fact {line} of file {number}, version {age}: {(line * number) ** 2}." for line in range(40)]
        (folder / f"{number}.txt").write_text("\n\n".join(lines), encoding="utf-8")


def build(corpus: Path, out: Path, index_type: Any) -> None:
    """Bring an index up to date."""
    plan = IndexPlan(index_type=index_type)
    index_paths([corpus], out, EMBEDDING, chunk_size=120, chunk_overlap=0, plan=plan)


def telling(say: Callable[[str], None], *, often: bool) -> None:
    """Let publications say how far they are, and let them come often if wanted."""
    if often:
        indexing.CHECKPOINT_SECONDS, indexing.CHECKPOINT_SHARE = 0.02, 1.0  # type: ignore[misc]
    write, index, replace = Collection.write_files, saving.index_for, publication._replace_manifest

    def write_files(self: Collection, *args: Any, **options: Any) -> Any:
        say("begins")
        moment = write(self, *args, **options)
        say("written")
        return moment

    def index_for(*args: Any, **options: Any) -> Any:
        found = index(*args, **options)
        say("indexed")
        return found

    def replace_manifest(*args: Any) -> None:
        say("replacing")
        replace(*args)
        say("replaced")

    Collection.write_files = write_files  # type: ignore[method-assign]
    saving.index_for = index_for
    publication._replace_manifest = replace_manifest


def start(work: Callable[[], None]) -> int:
    """Begin work in a process of its own, and return its number."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def run(work: Callable[[], None]) -> None:
    """Do work in a process of its own, to its end."""
    assert os.waitstatus_to_exitcode(os.waitpid(start(work), 0)[1]) == 0


def kill_at(child: int, log: Path, moment: str | float, pause: float) -> bool:
    """Kill a process so long after a stage, or after its start; return whether it was still at work."""
    deadline = time.monotonic() + (60 if isinstance(moment, str) else moment)
    ended = 0
    while not ended and time.monotonic() < deadline and not (isinstance(moment, str) and moment in log.read_text()):
        time.sleep(0.0005)
        ended, _ = os.waitpid(child, os.WNOHANG)
    if not ended:
        time.sleep(pause)
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        return os.WIFSIGNALED(status)
    return False


def contents(folder: Path) -> dict[str, Any]:
    """Read a store whole, and return its generation and its passages by id with digests of text and vector."""
    manifest = check_store(folder)
    with FaissStore.open(folder, EMBEDDING) as store:
        documents = store.similarity_search("fact", k=100_000) if len(store) else []
        assert len({document.id for document in documents}) == len(documents) == len(store) == manifest.count
        rows = store.collection._passages.by_ids([str(one.id) for one in documents])
        numbers = {str(row[1]): row[0] for row in rows}
        vectors = store.collection._index.vectors  # type: ignore[union-attr]
        found = {}
        for document in documents:
            vector = vectors(np.array([numbers[str(document.id)]]))[0]
            expected = EMBEDDING.embed_query(document.page_content)
            assert max(abs(a - b) for a, b in zip(vector, expected, strict=True)) < 1e-6, "a vector of another text"
            found[str(document.id)] = digest(document.page_content, document.metadata, vector.tobytes().hex())
    return {"generation": manifest.generation, "passages": found}


def digest(*values: object) -> str:
    """Return a digest of values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def look(folder: Path) -> dict[str, Any] | None:
    """Return the contents of a store, read by a process of its own; None where nothing was ever published."""
    if not (folder / MANIFEST).exists():
        return None
    answer = folder.with_name("contents.json")
    run(lambda: answer.write_text(json.dumps(contents(folder))) and None)
    found: dict[str, Any] = json.loads(answer.read_text())
    return found


class Killing:
    """A store, its documents, and the runs on it that are killed."""

    def __init__(self, folder: Path, *, index_type: str, files: int, often: bool, chance: random.Random) -> None:
        self.folder, self.index_type, self.files, self.often, self.chance = folder, index_type, files, often, chance
        self.corpus, self.out, self.log = folder / "corpus", folder / "index", folder / "log"
        self.wanted: dict[int, dict[str, str]] = {}
        self.version = 0
        self.seconds = 0.0
        self.moments: list[str | float] = []
        self.change()

    def change(self) -> None:
        """Change the documents, and build an index of them elsewhere that nobody disturbs."""
        self.version += 1
        write_corpus(self.corpus, self.version % 3, self.files)
        if self.version % 3 not in self.wanted:
            undisturbed = self.folder / "undisturbed"
            shutil.rmtree(undisturbed, ignore_errors=True)
            started = time.monotonic()
            run(lambda: build(self.corpus, undisturbed, self.index_type))
            self.seconds = time.monotonic() - started
            found = look(undisturbed)
            assert found is not None
            self.wanted[self.version % 3] = found["passages"]

    @property
    def target(self) -> dict[str, str]:
        """The passages of the documents as they are."""
        return self.wanted[self.version % 3]

    def kill(self) -> tuple[bool, str]:
        """Kill one run, and return whether it was killed and when."""
        self.log.write_text("")
        log = os.open(self.log, os.O_WRONLY | os.O_APPEND)

        def work() -> None:
            telling(lambda stage: os.write(log, f"{stage}\n".encode()) and None, often=self.often)
            build(self.corpus, self.out, self.index_type)

        if not self.moments:  # each as often as the others
            self.moments = [*STAGES, *(self.chance.uniform(0, self.seconds) for _ in range(3))]
            self.chance.shuffle(self.moments)
        moment = self.moments.pop()
        child = start(work)
        os.close(log)
        killed = kill_at(child, self.log, moment, self.chance.choice((0, 0.001, self.chance.uniform(0, 0.02))))
        return killed, "any" if isinstance(moment, float) else moment

    def check(self, before: dict[str, Any] | None) -> dict[str, Any] | None:
        """Look at the store after a kill: it is what it was before, or what was wanted."""
        after = look(self.out)
        if after is None or (before is not None and after["generation"] == before["generation"]):
            assert after == before, "the store lost what it had, or changed without a new generation"
        elif not self.often:
            assert after["passages"] == self.target, "the new generation is not whole"
        else:
            known = (before or {"passages": {}})["passages"].items() | self.target.items()
            assert after["passages"].items() <= known, "the new generation holds what nobody wrote"
        generations = {name.name.split("-")[1][:6] for name in self.out.glob("*-*.*")}
        assert len(generations) <= 3, f"files of killed runs pile up: {sorted(generations)}"
        return after


def main(folder: Path, kills: int, index_type: str, files: int, often: bool, seed: int) -> None:
    """Kill so many runs, check what is left each time, and let the last one end."""
    tempfile.tempdir = str(folder / "temporary")
    workspace._YOUNG = 0.0  # type: ignore[misc]  # nobody else works here
    (folder / "temporary").mkdir()
    chance = random.Random(seed)
    killing = Killing(folder, index_type=index_type, files=files, often=often, chance=chance)
    state: dict[str, Any] | None = None
    moments: dict[str, int] = {}
    published = unfinished = 0
    while sum(moments.values()) < kills:
        if state is not None and chance.random() < 0.2:
            shutil.rmtree(killing.out)
            state = None
        killed, moment = killing.kill()
        before, state = state, killing.check(state)
        if killed:
            moments[moment] = moments.get(moment, 0) + 1
            published += state != before
            unfinished += state == before
        if state is not None and state["passages"] == killing.target:
            killing.change()
        left = len(list((folder / "temporary").iterdir()))
        assert left <= 4, f"{left} temporary folders of killed runs pile up"
    run(lambda: build(killing.corpus, killing.out, index_type))
    final = look(killing.out)
    assert final is not None and final["passages"] == killing.target, "the last run did not end as an undisturbed one"
    expected = {MANIFEST, ".lock", *(file.name for file in Manifest.read(killing.out).files)}
    assert {path.name for path in killing.out.iterdir()} == expected, "files of killed runs are left"
    assert not list((folder / "temporary").iterdir()), "temporary folders of killed runs are left"
    print(json.dumps({"kills": sum(moments.values()), "moments": moments, "new": published, "old": unfinished}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5] == "often", int(sys.argv[6]))
