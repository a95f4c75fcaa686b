"""Measure the store against FAISS alone and against LangChain's FAISS store: building, opening, memory, searching.

Every measurement of memory or of opening is a process of its own. Searches take turns with those of the other side:

- numbers and scores (`search_numbers`) with ``index.search`` of FAISS, in memory, of the same type and effort;
- documents (`similarity_search_by_vector`) with the method of that name of langchain-community's store, which is given
  the same FAISS index, because its own compares with every vector.

Needs ``pip install --group bench``. Example, with the Debian package wordnet-base installed::

    python benchmarks/store_speed.py --work /tmp/store-speed --wordnet /usr/share/wordnet \
        --questions squad_dev_500.jsonl --json store.json
    python benchmarks/store_speed.py --work /tmp/store-speed --vectors 1000000 --types flat,ivf_sq8 --json store-1m.json
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from machine import circumstances
from process_memory import memory, watching_peak
from store_data import load, synthetic, wordnet, wordnet_drawn
from store_scene import fill, fill_community, folder_of, opener
from store_searches import search
from store_targets import targets_of

TYPES: Final = ("flat", "hnsw", "ivf", "ivf_sq8")
OPENINGS: Final = 5

Result = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all measurements, each in a child process, and show them."""
    options = _parser().parse_args(arguments)
    if options.child:
        print(json.dumps(CHILDREN[options.child](options.work, options.data, options.type, options.peer)))
        return 0
    if options.wordnet and options.questions:
        name = wordnet(options.work, options.wordnet, options.questions)
    elif options.wordnet:
        name = wordnet_drawn(options.work, options.wordnet)
    else:
        name = synthetic(options.work, options.vectors)
    types = options.types.split(",")
    result: Result = circumstances(__file__) | {"data": name, "build": {}, "open": {}, "search": {}}
    for kind in ("community", *types) if options.peer else types:
        result["build"][kind] = _built(options.work, name, kind, reuse=options.reuse)
        runs = [_child("open", options.work, name, kind) for _ in range(OPENINGS)]
        result["open"][kind] = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        if kind != "community":
            result["search"][kind] = _child("search", options.work, name, kind, peer=options.peer)
        result["targets"] = targets_of(result)
        print(kind, json.dumps({part: result[part].get(kind) for part in ("build", "open", "search")}), flush=True)
        if options.json:
            options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for data and stores; kept")
    parser.add_argument("--wordnet", type=Path, help="folder with WordNet's data.noun and so on")
    parser.add_argument(
        "--questions", type=Path, help="JSONL with 'question', to ask WordNet; without it, vectors are drawn"
    )
    parser.add_argument("--vectors", type=int, default=100_000, help="drawn vectors without --wordnet (%(default)s)")
    parser.add_argument("--types", default=",".join(TYPES), help="index types (%(default)s)")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="without langchain_community")
    parser.add_argument("--reuse", action="store_true", help="keep stores that an earlier run has built")
    parser.add_argument("--json", type=Path, help="also write the result to this file")
    parser.add_argument("--child", choices=["build", "open", "search"], help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    parser.add_argument("--type", help=argparse.SUPPRESS)
    return parser


def _built(work: Path, name: str, kind: str, *, reuse: bool) -> Result:
    """Build a store, or return what an earlier run wrote down when it built it."""
    notes = work / name / f"build-{kind}.json"
    if not (reuse and notes.exists()):
        notes.write_text(json.dumps(_child("build", work, name, kind)), encoding="utf-8")
    found: Result = json.loads(notes.read_text(encoding="utf-8"))
    return found


def _child(what: str, work: Path, data: str, kind: str, *, peer: bool = True) -> Result:
    command = [sys.executable, __file__, "--work", str(work), "--child", what, "--data", data, "--type", kind]
    command += [] if peer else ["--no-peer"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{run.stderr}")
    result: Result = json.loads(run.stdout.splitlines()[-1])
    return result


def _build(work: Path, name: str, kind: str, peer: bool) -> Result:
    data = load(work, name)
    folder = folder_of(work, name, kind)
    shutil.rmtree(folder, ignore_errors=True)
    with watching_peak() as peak:
        started = time.perf_counter()
        if kind == "community":
            fill_community(data, folder)
        else:
            fill(data, folder, kind)
        seconds = time.perf_counter() - started
    size = sum(file.stat().st_size for file in folder.iterdir())
    return {"seconds": seconds, "peak_private_mb": max(peak), "disk_mb": size / 2**20, "n": len(data.texts)}


def _open(work: Path, name: str, kind: str, peer: bool) -> Result:
    data = load(work, name)
    queries, n = data.queries[:100], len(data.texts)
    del data
    opened = opener(work, name, kind)
    before = memory()
    started = time.perf_counter()
    store = opened()
    seconds = time.perf_counter() - started
    after = memory()
    for query in queries:
        store.similarity_search_by_vector(query.tolist(), k=10)
    used = memory()
    return {
        "seconds": seconds,
        "bytes_opened": (sum(after.values()) - sum(before.values())) * 2**20 / n,
        "anonymous_bytes_searched": (used["anonymous"] - before["anonymous"]) * 2**20 / n,
        "bytes_searched": (sum(used.values()) - sum(before.values())) * 2**20 / n,
    }


CHILDREN: Final = {"build": _build, "open": _open, "search": search}


if __name__ == "__main__":
    sys.exit(main())
