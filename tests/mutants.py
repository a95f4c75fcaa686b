"""Compare the mutants that survived the last run of mutmut with those that mutants.md explains.

Run it in the root of the project: ``python tests/mutants.py``. It ends with 1 where a survivor is not explained, or an
explained one did not survive; mutants that were not run are counted, and neither.
"""

import json
import re
import sys
from pathlib import Path

SURVIVED = {0, 5, 33}
"""Exit codes of mutmut: no test failed, no test was found, no test reaches the function."""
EXPLAINED = re.compile(r"^- `([\w.]+)`: ([\d, ]+)\.$", re.MULTILINE)


def readable(key: str) -> str:
    """Return the name of a mutant as the page has it."""
    name, number = key.removeprefix("automix_graph.").rsplit("__mutmut_", 1)
    module, function = name.rsplit(".", 1)
    return f"{module}.{function.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')} {number}"


def main() -> int:
    """Print what differs."""
    page = (Path(__file__).parent / "mutants.md").read_text(encoding="utf-8")
    explained = {f"{name} {number}" for name, numbers in EXPLAINED.findall(page) for number in numbers.split(", ")}
    codes: dict[str, int | None] = {}
    for meta in Path("mutants/automix_graph").rglob("*.meta"):
        found = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        codes |= {readable(key): code for key, code in found.items()}
    survived = {name for name, code in codes.items() if code in SURVIVED}
    killed = {name for name, code in codes.items() if code is not None} - survived
    for name in sorted(survived - explained):
        print(f"survived, not explained: {name}")
    for name in sorted(explained & killed | explained - codes.keys()):
        print(f"explained, did not survive: {name}")
    print(f"{len(codes)} mutants: {len(killed)} killed, {len(survived)} survived, {len(explained)} explained")
    return int(bool(survived - explained or explained & killed or explained - codes.keys()))


if __name__ == "__main__":
    sys.exit(main())
