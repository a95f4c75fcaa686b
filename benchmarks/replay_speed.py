"""Measure how many decisions a second are replayed from records, without a graph and without a model.

Three ways: ``evaluation.replay`` on columns, where policies decide about all questions at once; the same for a policy
of a user's own, which only knows ``decide``; and ``policies.decide`` on each record. Records are those of the
notebooks, over and over until there are enough, and generated ones of three tiers. Reported is the best of rounds::

    python benchmarks/replay_speed.py --out replay.json
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from machine import circumstances
from rich.console import Console
from rich.table import Table
from targets import at_least

from automix_graph.evaluation import Outcomes, Tier, outcomes_of, replay
from automix_graph.policies import (
    AcceptCorrect,
    Always,
    Capped,
    DoubleThreshold,
    PerTier,
    Policy,
    Threshold,
    decide,
)
from automix_graph.records import Decision, Recorded, Verification

TARGET: Final = 100_000
"""Decisions a second."""
RECORDS: Final = Path(__file__).parents[1] / "notebooks" / "data" / "squad_records.jsonl.gz"


@dataclass(frozen=True)
class OneByOne:
    """A policy as users write them: it decides about one question, and knows nothing of columns."""

    policy: Policy

    @property
    def name(self) -> str:
        """That of the policy."""
        return self.policy.name

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide as the policy does."""
        return self.policy.decide(history)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    recorded = _recorded(options.records)
    outcomes, _ = outcomes_of(recorded, unit="tokens")
    two = _repeated(outcomes, options.rows)
    rows = [
        *_measured("recorded, 2 tiers", two, _policies(two), options.rounds),
        *_measured("generated, 3 tiers", three := _generated(options.rows), _policies(three), options.rounds),
        *_decided(recorded, options.rows, options.rounds),
    ]
    result: dict[str, Any] = {
        **circumstances(__file__),
        "target": TARGET,
        "records": len(recorded),
        "n": options.rows,
        "rows": rows,
    }
    slowest = min((row for row in rows if row["way"] != "replay, one by one"), key=lambda row: row["per_second"])
    what = f"replaying records without a graph, slowest of all: {slowest['policy']}, {slowest['way']}"
    result["targets"] = [at_least(what, ours=slowest["per_second"], allowed=TARGET, unit="decisions/s")]
    _show(result)
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=Path, default=RECORDS, help="JSON Lines, compressed (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=100_000, help="questions (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="also write the result to this file, as JSON")
    return parser


def _recorded(path: Path) -> list[Recorded]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [Recorded.from_data(line) for line in lines if "id" in line]


def _repeated(outcomes: Outcomes, n: int) -> Outcomes:
    rows = np.resize(np.arange(outcomes.n), n)
    tiers = []
    for tier in outcomes.tiers:
        found = tier.verifications
        verifications = None if found is None else [found[row] for row in rows]
        verify = 0.0 if found is None else np.broadcast_to(tier.verify_cost, outcomes.n)[rows]
        tiers.append(
            Tier(
                name=tier.name,
                quality=tier.quality[rows],
                cost=tier.cost[rows],
                verifications=verifications,
                verify_cost=verify,
            )
        )
    return Outcomes(tiers=tuple(tiers))


def _generated(n: int) -> Outcomes:
    generator = np.random.default_rng(0)
    tiers = []
    for name, cost in (("small", 1.0), ("middle", 5.0)):
        sure = generator.random(n)
        right = generator.random(n) < sure
        tiers.append(Tier(name=name, quality=right, cost=cost, confidence=sure, verify_cost=0.15))
    return Outcomes(tiers=(*tiers, Tier(name="large", quality=generator.random(n) < 0.9, cost=20.0)))


def _policies(outcomes: Outcomes) -> list[Policy]:
    """Return policies of every kind; those that are fitted are fitted to a thousand of the rows."""
    from automix_graph.calibration import fit_optimal_stopping, fit_pomdp, fit_utility

    first = outcomes.take(np.arange(1000))
    judged, qualities = first.tiers[:-1], [tier.quality for tier in first.tiers]
    sure = [np.nan_to_num(tier.confidence, nan=0.0) for tier in judged if tier.confidence is not None]
    costs = [float(np.mean(tier.cost)) for tier in first.tiers]
    lam = 0.1 / max(costs)
    policies: list[Policy] = [
        AcceptCorrect(),
        Always("large"),
        Threshold(0.7),
        DoubleThreshold(0.3, 0.8),
        PerTier([Threshold(0.7) for _ in judged]),
        Capped(Threshold(0.7), max_tiers=len(judged)),
        fit_pomdp(sure, qualities, costs=costs, lam=lam),
        fit_optimal_stopping(sure, qualities, costs=costs, lam=lam),
    ]
    if len(judged) == 1:
        policies.append(fit_utility(sure[0], small=qualities[0], large=qualities[1], cost=costs[1], lam=lam))
    return policies


def _measured(name: str, outcomes: Outcomes, policies: list[Policy], rounds: int) -> list[dict[str, Any]]:
    rows = []
    for policy in policies:
        for way, asked in (("columns", policy), ("one by one", OneByOne(policy))):
            decisions = int(replay(outcomes, asked).asked[:, :-1].sum())  # type: ignore[index]
            seconds = _best(lambda asked=asked: replay(outcomes, asked), rounds)
            rows.append(_row(name, policy, f"replay, {way}", decisions, seconds))
    return rows


def _decided(recorded: list[Recorded], n: int, rounds: int) -> list[dict[str, Any]]:
    records = [row.record for row in recorded if row.record is not None and row.record.verifications]
    histories = [records[number % len(records)] for number in range(n)]
    rows = []
    for policy in (AcceptCorrect(), Threshold(0.7), DoubleThreshold(0.3, 0.8)):

        def run(policy: Policy = policy) -> None:
            for record in histories:
                decide(policy, record.verifications, question=record.question)

        rows.append(_row("recorded, 2 tiers", policy, "decide, each record", n, _best(run, rounds)))
    return rows


def _row(data: str, policy: Policy, way: str, decisions: int, seconds: float) -> dict[str, Any]:
    name = type(policy).__name__
    return {"data": data, "policy": name, "way": way, "decisions": decisions, "per_second": decisions / seconds}


def _best(work: Callable[[], object], rounds: int) -> float:
    """Return the least seconds of the processor; whatever else runs only adds to it."""
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return max(min(taken), 1e-9)


def _show(result: dict[str, Any]) -> None:
    table = Table(title=f"Decisions a second; target {result['target']:,}", title_justify="left")
    for header in ("data", "policy", "way", "decisions a second"):
        table.add_column(header, justify="right" if header == "decisions a second" else "left")
    for row in result["rows"]:
        table.add_row(row["data"], row["policy"], row["way"], f"{row['per_second']:,.0f}")
    about = f"{result['date']}, {result['commit']}, {result['machine']}, load {result['load']}"
    Console().print(table, about, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
