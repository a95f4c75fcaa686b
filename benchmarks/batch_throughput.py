"""How much time a batch takes beside that of its models.

    python benchmarks/batch_throughput.py [--questions 1000] [--seconds 0.1] [--rounds 3] [--profile]

Every question takes three calls one after the other, and all questions are in work at one time. Python time is the time
of the same batch over models that do not wait, journal included; the critical path is that of three calls. The bound is
1.25 times their sum. On Linux the time in which the process was ready to run and others had the cores is told, and left
out of both, so that the figures hold on a machine that is shared. The rounds alternate. Prints JSON.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from batch_scene import CALLS, graph, write_questions

from automix_graph.batch import BatchOptions, run_batch

ALLOWED = 1.25
_SCHEDULED = Path("/proc/self/schedstat")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Times of a batch in seconds.

    Attributes:
        wall: from beginning to end, without what it waited for a core.
        waited: for a core, as far as the system tells.
        cpu: of all threads.
    """

    wall: float
    waited: float
    cpu: float


def waited_for_a_core() -> float:
    """Return for how many seconds the main thread was ready to run and did not; 0 where the system does not tell."""
    try:
        return int(_SCHEDULED.read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def run(folder: Path, name: str, questions: int, seconds: float) -> Measured:
    """Run a batch, and return its times."""
    data = write_questions(folder / "in.jsonl", questions)
    answering = graph(seconds)
    begun, waited, cpu = time.perf_counter(), waited_for_a_core(), time.process_time()
    report = run_batch(data, folder / f"{name}.jsonl", answering, options=BatchOptions(concurrency=questions))
    waited = waited_for_a_core() - waited
    if not report.complete:
        raise SystemExit(f"only {report.answered} of {report.total} questions were answered")
    return Measured(wall=time.perf_counter() - begun - waited, waited=waited, cpu=time.process_time() - cpu)


def figures(python: list[Measured], waiting: list[Measured], questions: int, seconds: float) -> dict[str, object]:
    """Return what is printed of batches over models that do not wait, and over some that do."""
    critical, own = CALLS * seconds, statistics.median(one.wall for one in python)
    wall = statistics.median(one.wall for one in waiting)
    return {
        "questions": questions,
        "critical_path_seconds": critical,
        "python_seconds": round(own, 3),
        "python_cpu_milliseconds_a_question": round(1000 * statistics.median(one.cpu for one in python) / questions, 3),
        "wall_seconds": round(wall, 3),
        "questions_a_second": round(questions / wall, 1),
        "bound_seconds": round(ALLOWED * (critical + own), 3),
        "ratio": round(wall / (critical + own), 3),
        "rounds": [{"python": asdict(a), "waiting": asdict(b)} for a, b in zip(python, waiting, strict=True)],
    }


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.1, help="that a model waits before it replies")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="also print where the time goes, on stderr")
    options = parser.parse_args()
    python: list[Measured] = []
    waiting: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), "warm-up", 10, 0.0)
        for number in range(options.rounds):
            python.append(run(Path(folder), f"python-{number}", options.questions, 0.0))
            waiting.append(run(Path(folder), f"waiting-{number}", options.questions, options.seconds))
        if options.profile:
            with cProfile.Profile() as profile:
                run(Path(folder), "profile", options.questions, 0.0)
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    print(json.dumps(figures(python, waiting, options.questions, options.seconds), indent=2))


if __name__ == "__main__":
    main()
