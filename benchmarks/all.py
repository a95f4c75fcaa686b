"""Run all benchmarks that have targets, one after the other, and make one table of them.

Each is a process of its own and writes a JSON file to the folder; the table, in Markdown, is made of all files there
that hold targets, so a benchmark can be left out or run again by itself. All of them took 67 minutes on two cores.
``store`` needs the Debian package wordnet-base::

    python benchmarks/all.py --folder results
    python benchmarks/all.py --folder results --only graph replay start
    python benchmarks/all.py --folder results --only --table docs/performance-table.md
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from targets import table_of

COMMANDS: Final[dict[str, list[str]]] = {
    "start": ["start_times.py", "--out", "{out}"],
    "replay": ["replay_speed.py", "--out", "{out}"],
    "graph": ["graph_overhead.py", "--out", "{out}"],
    "store": ["store_speed.py", "--work", "{folder}/store", "--wordnet", "/usr/share/wordnet", "--json", "{out}"],
    "store-1m": ["store_speed.py", "--work", "{folder}/store", "--vectors", "1000000", "--json", "{out}"],
    "local": ["local_runtime.py", "--threads", "1", "2", "--out", "{out}"],
    "tokens": ["tokens_per_layout.py", "--work", "{folder}/tokens", "--n", "10", "--out", "{out}"],
}
"""What is run, by name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that the arguments name, and write the table."""
    options = _parser().parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    failed = [name for name in options.only if not _run(name, options.folder)]
    results = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(options.folder.glob("*.json"))
    }
    table = table_of(results)
    (options.table or options.folder / "table.md").write_text(table, encoding="utf-8")
    print(table)
    if failed:
        print(f"failed: {', '.join(failed)}; see above", file=sys.stderr)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("results"), help="for the JSON files (default: results)")
    parser.add_argument("--only", nargs="*", choices=list(COMMANDS), default=list(COMMANDS), help="run these alone")
    parser.add_argument("--table", type=Path, help="file for the table (default: table.md in the folder)")
    return parser


def _run(name: str, folder: Path) -> bool:
    script, *arguments = COMMANDS[name]
    filled = [argument.format(out=folder / f"{name}.json", folder=folder) for argument in arguments]
    print(f"== {name}", file=sys.stderr, flush=True)
    return subprocess.run([sys.executable, str(Path(__file__).with_name(script)), *filled], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
