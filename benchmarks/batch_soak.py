"""Whether a long batch leaves anything behind: memory, open files, tasks.

    python benchmarks/batch_soak.py [--questions 20000] [--concurrency 200]

Every question takes three calls of models that wait 5 ms. Memory is what the process holds (RSS), looked at 200 times;
growth compares the median of the last tenth with that of the second, since the first is warm-up. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from batch_scene import graph, write_questions

from automix_graph.batch import BatchOptions, BatchProgress, arun_batch

_LOOKS = 200
_PAGE = os.sysconf("SC_PAGE_SIZE")


def held() -> int:
    """Return how many bytes the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def left_open() -> dict[str, int]:
    """Return how many files, tasks, and threads of this package there are."""
    threads = sum(thread.name.startswith("automix") for thread in threading.enumerate())
    return {"open_files": len(os.listdir("/proc/self/fd")), "tasks": len(asyncio.all_tasks()), "threads": threads}


async def soak(folder: Path, questions: int, concurrency: int) -> dict[str, object]:
    """Run a batch, and return what it left behind."""
    data = write_questions(folder / "in.jsonl", questions)
    options = BatchOptions(concurrency=concurrency)
    await arun_batch(write_questions(folder / "first.jsonl", 10), folder / "first-out.jsonl", graph(0.0))
    answering, memory = graph(0.005), []
    every = max(1, questions // _LOOKS)

    def follow(progress: BatchProgress) -> None:
        if progress.asked % every == 0:
            memory.append(held())

    gc.collect()
    before = left_open()
    begun = time.perf_counter()
    report = await arun_batch(data, folder / "out.jsonl", answering, options=options, progress=follow)
    seconds = time.perf_counter() - begun
    after = left_open()
    tenth = len(memory) // 10
    early, late = statistics.median(memory[tenth : 2 * tenth]), statistics.median(memory[-tenth:])
    return {
        "questions": questions,
        "concurrency": concurrency,
        "answered": report.answered,
        "seconds": round(seconds, 1),
        "questions_a_second": round(questions / seconds, 1),
        "memory_after_warm_up_mb": round(early / 2**20, 1),
        "memory_at_the_end_mb": round(late / 2**20, 1),
        "most_memory_mb": round(max(memory) / 2**20, 1),
        "growth": round(late / early - 1, 4),
        "before": before,
        "after": after,
    }


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(soak(Path(folder), options.questions, options.concurrency)), indent=2))


if __name__ == "__main__":
    main()
