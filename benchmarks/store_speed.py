"""Measure the store against FAISS alone and against LangChain's FAISS store: building, opening, memory, searching.

Every measurement of memory or of opening is a process of its own. Needs ``pip install langchain-community==0.4.2`` for
the peer, which warns of its sunset. Example, with the Debian package wordnet-base unpacked::

    python benchmarks/store_speed.py --work /tmp/store-speed --wordnet /usr/share/wordnet \
        --questions squad_dev_500.jsonl --json store.json
    python benchmarks/store_speed.py --work /tmp/store-speed --vectors 1000000 --json store-1m.json
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from store_data import Data, Fixed, load, synthetic, wordnet, wordnet_drawn

TYPES: Final = ("flat", "hnsw", "ivf", "ivf_sq8")
CUTS: Final = (4, 10)
BATCH: Final = 100
SINGLE: Final = 100
"""Queries asked one by one; flat indexes take tens of milliseconds for each."""

OPENINGS: Final = 5

Result = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all measurements, each in a child process, and show them."""
    options = _parser().parse_args(arguments)
    if options.child:
        print(json.dumps(CHILDREN[options.child](options.work, options.data, options.type)))
        return 0
    if options.wordnet and options.questions:
        name = wordnet(options.work, options.wordnet, options.questions)
    elif options.wordnet:
        name = wordnet_drawn(options.work, options.wordnet)
    else:
        name = synthetic(options.work, options.vectors)
    types = options.types.split(",")
    result: Result = {
        "command": "python benchmarks/store_speed.py " + " ".join(sys.argv[1:]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}",
        "load_average": os.getloadavg(),
        "data": name,
        "build": {},
        "open": {},
        "search": {},
    }
    for kind in ("community", *types) if options.peer else types:
        result["build"][kind] = _child("build", options.work, name, kind)
        runs = [_child("open", options.work, name, kind) for _ in range(OPENINGS)]
        result["open"][kind] = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        result["search"][kind] = _child("search", options.work, name, kind)
        _show(kind, result)
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
    parser.add_argument("--json", type=Path, help="also write the result to this file")
    parser.add_argument("--child", choices=["build", "open", "search"], help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    parser.add_argument("--type", help=argparse.SUPPRESS)
    return parser


def _child(what: str, work: Path, data: str, kind: str) -> Result:
    command = [sys.executable, __file__, "--work", str(work), "--child", what, "--data", data, "--type", kind]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{run.stderr}")
    result: Result = json.loads(run.stdout.splitlines()[-1])
    return result


def _folder(work: Path, data: str, kind: str) -> Path:
    return work / data / f"store-{kind}"


# Children


def _build(work: Path, name: str, kind: str) -> Result:
    data = load(work, name)
    folder = _folder(work, name, kind)
    shutil.rmtree(folder, ignore_errors=True)
    before = _memory()["anonymous"]
    started = time.perf_counter()
    if kind == "community":
        _fill_community(data, folder)
    else:
        _fill(data, folder, kind)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = sum(file.stat().st_size for file in folder.iterdir())
    return {"seconds": seconds, "peak_mb": peak, "start_mb": before, "disk_mb": size / 2**20, "n": len(data.texts)}


def _fill(data: Data, folder: Path, kind: str) -> None:
    from automix_graph.retrieval import FaissStore
    from automix_graph.retrieval.entries import Change, Entry

    with FaissStore(Fixed(), index_type=kind) as store:  # type: ignore[arg-type]
        for start in range(0, len(data.texts), 1000):
            put = [
                Entry(id=str(start + row), text=text, metadata=json.dumps({"source": "data", "row": start + row}))
                for row, text in enumerate(data.texts[start : start + 1000])
            ]
            store.collection.apply(Change(put=put), np.array(data.vectors[start : start + 1000]))
        store.save(folder)


def _fill_community(data: Data, folder: Path) -> None:
    store = None
    for start in range(0, len(data.texts), 1000):  # a list of all its floats would take 12 GB for a million vectors
        pairs = list(zip(data.texts[start : start + 1000], data.vectors[start : start + 1000].tolist(), strict=True))
        metadatas = [{"source": "data", "row": start + row} for row in range(len(pairs))]
        if store is None:
            store = _community().from_embeddings(pairs, Fixed(), metadatas=metadatas)
        else:
            store.add_embeddings(pairs, metadatas=metadatas)
    store.save_local(str(folder))  # type: ignore[union-attr]


def _open(work: Path, name: str, kind: str) -> Result:
    data = load(work, name)
    queries, n = data.queries[:100], len(data.texts)
    del data
    opened = _opener(work, name, kind)
    before = _memory()
    started = time.perf_counter()
    search = opened()
    seconds = time.perf_counter() - started
    after = _memory()
    for query in queries:
        search(query, 10)
    used = _memory()
    return {
        "seconds": seconds,
        "bytes_opened": (sum(after.values()) - sum(before.values())) * 2**20 / n,
        "anonymous_bytes_searched": (used["anonymous"] - before["anonymous"]) * 2**20 / n,
        "bytes_searched": (sum(used.values()) - sum(before.values())) * 2**20 / n,
    }


def _opener(work: Path, name: str, kind: str) -> Callable[[], Callable[[np.ndarray, int], Any]]:
    """Return what opens a store and returns its search; everything is imported before."""
    import faiss  # noqa: F401 - both stores import it when they need it

    folder = _folder(work, name, kind)
    if kind == "community":
        community = _community()

        def load_local() -> Callable[[np.ndarray, int], Any]:
            store = community.load_local(str(folder), Fixed(), allow_dangerous_deserialization=True)
            return lambda query, k: store.similarity_search_with_score_by_vector(query.tolist(), k=k)

        return load_local
    from automix_graph.retrieval import FaissStore

    def open_store() -> Callable[[np.ndarray, int], Any]:
        store = FaissStore.open(folder, Fixed())
        return lambda query, k: store.search_vectors(query[None, :], k=k)[0]

    return open_store


def _search(work: Path, name: str, kind: str) -> Result:
    """Time our search and that of FAISS alone in turns, on the same index with the same effort."""
    data = load(work, name)
    queries = np.ascontiguousarray(data.queries)
    single = _opener(work, name, kind)()
    raw = _raw_index(work, name, kind)
    result: Result = {}
    for k in CUTS:
        ours, alone = _in_turns(
            [lambda q, k=k: single(q, k), lambda q, k=k: raw.search(q[None, :], k)], queries[:SINGLE]
        )
        result[f"k={k}"] = {"ours_us": ours, "faiss_us": alone, "ratio": ours / alone}
    if kind == "community":
        return result
    from automix_graph.retrieval import FaissStore

    with FaissStore.open(_folder(work, name, kind), Fixed()) as store:
        batches = [queries[start : start + BATCH] for start in range(0, len(queries), BATCH)]
        for k in CUTS:
            ours, alone = _in_turns(
                [lambda q, k=k: store.search_vectors(q, k=k), lambda q, k=k: raw.search(q, k)], batches
            )
            result[f"batch k={k}"] = {"ours_us": ours / BATCH, "faiss_us": alone / BATCH, "ratio": ours / alone}
        exact = np.argsort(-(queries @ np.asarray(data.vectors).T), axis=1)[:, :10]
        found = [{int(document.id or -1) for document, _ in hits} for hits in store.search_vectors(queries, k=10)]
        shares = [len(hits & set(wanted.tolist())) / 10 for hits, wanted in zip(found, exact, strict=True)]
        result["recall@10"] = float(np.mean(shares))
        if store.index is not None:
            result["tuned"] = {"effort": store.index.effort, "recall": store.index.recall}
    return result


def _in_turns(calls: Sequence[Callable[[np.ndarray], Any]], inputs: Sequence[np.ndarray]) -> list[float]:
    """Return the median microseconds of each call; they take turns, so that a busy moment meets all alike."""
    times: list[list[float]] = [[] for _ in calls]
    for value in inputs:
        for call, seen in zip(calls, times, strict=True):
            started = time.perf_counter()
            call(value)
            seen.append(time.perf_counter() - started)
    return [statistics.median(seen) * 1e6 for seen in times]


def _raw_index(work: Path, name: str, kind: str) -> Any:
    import faiss

    folder = _folder(work, name, kind)
    if kind == "community":
        return faiss.read_index(str(folder / "index.faiss"))
    stored = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["index"]
    index = faiss.read_index(str(next(folder.glob("vectors-*" if stored is None else "index-*"))))
    if kind == "hnsw":
        faiss.downcast_index(index.index).hnsw.efSearch = stored["tuned"]["effort"]
    elif stored is not None:
        index.nprobe = stored["tuned"]["effort"]
    return index


def _community() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from langchain_community.vectorstores import FAISS
    return FAISS


def _memory() -> dict[str, float]:
    """Return resident memory in MB: private, and mapped from files."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "anonymous": int(fields["RssAnon"].split()[0]) / 1024,
        "mapped": int(fields["RssFile"].split()[0]) / 1024,
    }


CHILDREN: Final = {"build": _build, "open": _open, "search": _search}


def _show(kind: str, result: Result) -> None:
    print(kind, json.dumps({part: result[part][kind] for part in ("build", "open", "search")}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
