"""Measure how long the package takes to import, and the command line to answer, each in a process of its own.

The import stands beside that of ``langgraph.graph``; the two run in turn, after a round that warms the files up and
counts for nothing. Commands have a ceiling in seconds. Reported are medians by the clock, with the start of Python::

    python benchmarks/start_times.py --out start.json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from machine import circumstances
from rich.console import Console
from rich.table import Table
from sides import in_turn
from targets import at_most, within

IMPORT_TARGET: Final = 1.2
HELP_TARGET: Final = 0.5
"""Seconds, on two cores."""

IMPORTS: Final = {
    "import automix_graph": ("import automix_graph", "import langgraph.graph"),
    "from automix_graph import create_automix": (
        "from automix_graph import create_automix",
        "from langgraph.graph import StateGraph",
    ),
    "from automix_graph.evaluation import replay": (
        "from automix_graph.evaluation import replay",
        "import langgraph.graph",
    ),
}
COMMANDS: Final = ("", "ask", "batch", "calibrate", "demo", "evaluate", "index", "models", "plan", "record", "serve")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    imports = [
        {"what": name, "peer_is": peer, **_beside(ours, peer, options.rounds)} for name, (ours, peer) in IMPORTS.items()
    ]
    commands = [_command(name, options.rounds) for name in COMMANDS]
    result: dict[str, Any] = {
        **circumstances(__file__),
        "python_alone": statistics.median(_seconds(["-c", "pass"]) for _ in range(options.rounds)),
        "import_target": IMPORT_TARGET,
        "imports": imports,
        "help_target": HELP_TARGET,
        "commands": commands,
    }
    result["targets"] = [
        at_most(
            imports[0]["what"],
            ours=f"{imports[0]['ours']:.2f} s",
            peer=f"{imports[0]['peer']:.2f} s, {imports[0]['peer_is']}",
            ratio=imports[0]["ratio"],
            allowed=IMPORT_TARGET,
        ),
        *(within(row["what"], ours=row["seconds"], allowed=HELP_TARGET, unit="s") for row in commands),
    ]
    _show(result)
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="of each measurement (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="also write the result to this file, as JSON")
    return parser


def _beside(ours: str, peer: str, rounds: int) -> dict[str, Any]:
    found = in_turn(lambda: _seconds(["-c", ours]), lambda: _seconds(["-c", peer]), rounds=rounds)
    return dataclasses.asdict(found)


def _command(name: str, rounds: int) -> dict[str, Any]:
    arguments = ["-m", "automix_graph", *([name] if name else []), "--help"]
    taken = [_seconds(arguments) for _ in range(rounds + 1)][1:]
    return {"what": " ".join(["automix", *arguments[2:]]), "seconds": statistics.median(taken), "longest": max(taken)}


def _seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _show(result: dict[str, Any]) -> None:
    imports = Table(title="Imports, in milliseconds", title_justify="left")
    for header in ("", "ours", "peer", "ratio", "95 % interval", "peer is"):
        imports.add_column(header, justify="right" if header not in ("", "peer is") else "left")
    for row in result["imports"]:
        interval = f"{row['low']:.2f} to {row['high']:.2f}"
        numbers = (f"{1000 * row['ours']:.0f}", f"{1000 * row['peer']:.0f}", f"{row['ratio']:.2f}", interval)
        imports.add_row(row["what"], *numbers, row["peer_is"])
    commands = Table(title=f"Commands, in milliseconds; at most {1000 * HELP_TARGET:.0f}", title_justify="left")
    for header in ("", "median", "longest"):
        commands.add_column(header, justify="right" if header else "left")
    for row in result["commands"]:
        commands.add_row(row["what"], f"{1000 * row['seconds']:.0f}", f"{1000 * row['longest']:.0f}")
    about = f"{result['date']}, {result['commit']}, {result['machine']}, load {result['load']}"
    Console().print(imports, commands, about, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
