"""Measure how many prompt tokens the large model newly reads for each question, by how its drafts are verified.

Real questions from the records of the notebooks, answered by the small model, judged and then answered by the large
one, as an escalated question is. Each method runs in a process of its own with a server of its own
(``verification_methods.py --order methods --escalate``), and tokens are the server's counts: those of the prompt less
those that its cache served. The floor is one reading of the context for each question that reaches the large model, as
when a third model, or the small model's own confidence, is the judge. The first question, which also reads what is
common to all, is left out. A stopped run goes on with the method at which it was stopped, from its first question::

    python benchmarks/tokens_per_layout.py --work results/tokens --n 30 --out tokens.json
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from journal import read_rows
from machine import circumstances
from rich.console import Console
from rich.table import Table
from targets import at_most

from automix_graph.config import DEFAULT_LARGE, DEFAULT_SMALL
from automix_graph.records import LAST, Recorded

LAYOUTS: Final = {
    "document's layout": "short-document",
    "shared prefix, short verdict": "short",
    "shared prefix, likelihood": "likelihood",
    "shared prefix, token probability": "token-probability",
    "evidence only": "evidence",
    "third model": "answer-confidence-document",
}
RECOMMENDED: Final = "shared prefix, likelihood"
FLOOR: Final = "third model"
TARGET: Final = 1.15
RECORDS: Final = Path(__file__).parents[1] / "notebooks" / "data" / "squad_records.jsonl.gz"
_RESAMPLES: Final = 2000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    questions = options.work / "questions.jsonl"
    options.n = min(options.n, _write_questions(options.records, questions))
    counts = {name: _counted(method, questions, options) for name, method in LAYOUTS.items()}
    floor = counts[FLOOR]
    result: dict[str, Any] = {
        **circumstances(__file__),
        "large": options.large,
        "n": len(floor),
        "rows": [{"layout": name, **_row(found, floor)} for name, found in counts.items()],
    }
    recommended = next(row for row in result["rows"] if row["layout"] == RECOMMENDED)
    result["targets"] = [
        at_most(
            "prompt tokens that the large model newly reads, escalated question",
            ours=f"{recommended['total']:.0f} ({RECOMMENDED})",
            peer=f"{recommended['floor']:.0f}, one reading of the context",
            ratio=recommended["ratio"],
            allowed=TARGET,
        )
    ]
    _show(result)
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for journals; a stopped run goes on")
    parser.add_argument("--records", type=Path, default=RECORDS, help="JSON Lines, compressed (default: %(default)s)")
    parser.add_argument("--n", type=int, default=30, help="questions (default: %(default)s)")
    parser.add_argument("--contexts", type=int, default=4, help="passages of each (default: %(default)s)")
    parser.add_argument("--small", default=DEFAULT_SMALL)
    parser.add_argument("--large", default=DEFAULT_LARGE)
    parser.add_argument("--out", type=Path, help="also write the result to this file, as JSON")
    return parser


def _write_questions(records: Path, path: Path) -> int:
    """Write what was asked, with the first passage of each, and count it; who is right does not matter here."""
    with gzip.open(records, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    rows = []
    for recorded in (Recorded.from_data(line) for line in lines if "id" in line):
        if recorded.record is None or not recorded.record.passages:
            continue
        best = recorded.record.draft(LAST)
        answers = [best.text if best else "?"]
        context = recorded.record.passages[0].text
        rows.append({"id": recorded.id, "question": recorded.record.question, "answers": answers, "context": context})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return len(rows)


def _counted(method: str, questions: Path, options: argparse.Namespace) -> dict[str, tuple[int, int]]:
    """Return the tokens newly read in judging and in answering, by question."""
    journal = options.work / "verifications-methods.jsonl"
    _forget_a_half(journal, method, options.n)
    script = Path(__file__).with_name("verification_methods.py")
    how = ["--order", "methods", "--escalate", "--n", options.n, "--contexts", options.contexts]
    models = ["--small", options.small, "--large", options.large]
    command = [sys.executable, script, "--questions", questions, "--out", options.work, "--methods", method, *how]
    subprocess.run([str(part) for part in (*command, *models)], check=True)
    _, *rows = read_rows(journal)
    found = {}
    for row in [row for row in rows if row["method"] == method][1:]:
        judging = sum(_new(usage) for usage in row["usage"])
        found[row["case"]] = (judging, _new(row["answered"]["usage"]))
    return found


def _forget_a_half(journal: Path, method: str, n: int) -> None:
    """Drop the rows of a method that was stopped: the cache of a new server knows nothing of what it has read."""
    settings, *rows = read_rows(journal) if journal.exists() else [{}]
    if 0 < sum(row["method"] == method for row in rows) < n:
        kept = [settings, *(row for row in rows if row["method"] != method)]
        journal.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in kept), encoding="utf-8")


def _new(usage: dict[str, Any]) -> int:
    return int(usage["input_tokens"]) - int(usage["cached_input_tokens"] or 0)


def _row(found: dict[str, tuple[int, int]], floor: dict[str, tuple[int, int]]) -> dict[str, float]:
    both = sorted(found.keys() & floor.keys())
    judging, answering = (np.array([found[case][part] for case in both], dtype=float) for part in (0, 1))
    least = np.array([sum(floor[case]) for case in both], dtype=float)
    drawn = np.random.default_rng(0).integers(0, len(both), (_RESAMPLES, len(both)))
    ratios = (judging + answering)[drawn].sum(axis=1) / least[drawn].sum(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return {
        "n": len(both),
        "judging": float(judging.mean()),
        "answering": float(answering.mean()),
        "total": float((judging + answering).mean()),
        "floor": float(least.mean()),
        "ratio": float((judging + answering).sum() / least.sum()),
        "low": float(low),
        "high": float(high),
    }


def _show(result: dict[str, Any]) -> None:
    table = Table(title="Prompt tokens that the large model newly reads, escalated question", title_justify="left")
    for header in ("", "judging", "answering", "both", "ratio to the floor", "95 % interval"):
        table.add_column(header, justify="right" if header else "left")
    for row in result["rows"]:
        numbers = (f"{row[name]:.0f}" for name in ("judging", "answering", "total"))
        table.add_row(row["layout"], *numbers, f"{row['ratio']:.2f}", f"{row['low']:.2f} to {row['high']:.2f}")
    about = f"{result['large']}, n = {result['n']}, {result['date']}, {result['commit']}"
    Console().print(table, about, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
