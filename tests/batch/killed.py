"""Run a batch in a process that is killed again and again, and watch what it leaves; a program of its own.

It forks, so that a run begins at once and the moments of the kills are spread over the run and not over the imports.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from scripted import graph_of, reply

from automix_graph.batch import BatchOptions, BatchProgress, run_batch

CONCURRENCY = 16


def run(folder: Path, order: str, log: int) -> None:
    """Run the batch once, and write down who is asked and what is said to be done."""

    def small(number: int) -> object:
        os.write(log, b"asked %d\n" % number)
        return reply(f"small {number}", seconds=0.005)

    def follow(progress: BatchProgress) -> None:
        os.write(log, b"done %d\n" % progress.done)

    options = BatchOptions(concurrency=CONCURRENCY, order=order)  # type: ignore[arg-type]  # one of the two
    graph = graph_of(small)
    run_batch(folder / "in.jsonl", folder / "out.jsonl", graph, options=options, progress=follow)


def start(folder: Path, order: str) -> int:
    """Begin a run in a process of its own, and return its number."""
    (folder / "log").unlink(missing_ok=True)
    log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    child = os.fork()
    if child == 0:
        run(folder, order, log)
        os._exit(0)
    os.close(log)
    return child


def kill_at(child: int, journal: Path, lines: int, chance: random.Random) -> None:
    """Kill a process once a file has so many lines and a moment has passed, or at a moment while it starts."""
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0.0, 0.1))
    else:
        wait_for(journal, lines)
        time.sleep(chance.uniform(0.0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def wait_for(path: Path, lines: int) -> None:
    """Wait until a file has so many lines, for a minute at most."""
    deadline = time.monotonic() + 60
    while not path.exists():
        time.sleep(0.001)
    with path.open("rb") as file:
        found = file.read().count(b"\n")
        while found < lines and time.monotonic() < deadline:
            time.sleep(0.001)
            found += file.read().count(b"\n")


def ids(path: Path) -> list[int]:
    """Return the ids of the whole rows of a file; only its last line may be unfinished."""
    if not path.exists():
        return []
    *lines, _unfinished = path.read_bytes().split(b"\n")
    rows = [json.loads(line) for line in lines]
    return [row["id"] for row in rows if "id" in row]


def said(folder: Path) -> Iterator[tuple[str, int]]:
    """Go through what the last run has written down."""
    for line in (folder / "log").read_text().splitlines():
        word, number = line.split()
        yield word, int(number)


def main(folder: Path, kills: int, order: str, seed: int) -> None:
    """Kill a batch so often, check what is left each time, and let it end."""
    chance = random.Random(seed)
    out, journal = folder / "out.jsonl", folder / "out.jsonl.journal"
    total = (folder / "in.jsonl").read_bytes().count(b"\n")
    unfinished = 0
    before: set[int] = set()
    for kill in range(kills):
        share = 2 * (total - len(before)) // (kills - kill + 1)
        kill_at(start(folder, order), journal, 1 + len(before) + chance.randint(0, share), chance)
        after = ids(journal)
        assert before <= set(after), f"rows were lost: {before - set(after)}"
        assert len(after) == len(set(after)), "a row was written twice"
        assert len(after) < total, "the batch had ended before it was killed often enough"
        asked = {number for word, number in said(folder) if word == "asked"}
        assert not asked & before, f"done and asked again: {asked & before}"
        assert max([number for word, number in said(folder) if word == "done"], default=0) <= len(after)
        shown = ids(out)
        assert len(shown) == len(set(shown)) and set(shown) <= set(after), "the output holds what the journal does not"
        unfinished += not journal.read_bytes().endswith(b"\n") if journal.exists() else 0
        before = set(after)
    assert os.waitstatus_to_exitcode(os.waitpid(start(folder, order), 0)[1]) == 0
    print(json.dumps({"kills": kills, "unfinished": unfinished, "rows_before_the_last_run": len(before)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
