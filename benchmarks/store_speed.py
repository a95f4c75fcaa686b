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
import dataclasses
import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from machine import circumstances
from sides import compared
from store_data import Data, Fixed, load, synthetic, wordnet, wordnet_drawn
from targets import at_least, at_most

TYPES: Final = ("flat", "hnsw", "ivf", "ivf_sq8")
CUTS: Final = (4, 10)
BATCH: Final = 100
SINGLE: Final = 200
"""Queries asked one by one, or fewer where they take long."""

SECONDS: Final = 20.0
"""Time for one comparison, after which no more queries are asked."""

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
        result["targets"] = _targets(result)
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


def _targets(result: Result) -> list[Result]:
    """Return what was to be reached, for each type beside FAISS alone and langchain-community."""
    rows: list[Result] = []
    peer = result["open"].get("community")
    for kind, search in result["search"].items():
        named = f"{result['data']}, {kind}"
        opened = result["open"][kind]
        for what, found in search.items():
            if what.startswith("numbers"):
                ours, theirs = (f"{found[side]:,.0f} µs" for side in ("ours_us", "theirs_us"))
                rows.append(
                    at_most(f"{named}: {what}", ours=ours, peer=f"{theirs}, FAISS", ratio=found["ratio"], allowed=1.2)
                )
        if kind != "flat":
            rows.append(
                at_least(f"{named}: recall@10 in percent", ours=100 * search["recall@10"], allowed=95, unit="%")
            )
        if peer is None:
            continue
        rows.append(
            at_most(
                f"{named}: opening",
                ours=f"{opened['seconds'] * 1000:,.0f} ms",
                peer=f"{peer['seconds'] * 1000:,.0f} ms, langchain-community",
                ratio=opened["seconds"] / peer["seconds"],
                allowed=1 / 20,
            )
        )
        for key, what in (("anonymous_bytes_searched", "private memory"), ("bytes_searched", "resident memory")):
            rows.append(
                at_most(
                    f"{named}: {what} a passage after 100 searches",
                    ours=f"{opened[key]:,.0f} B",
                    peer=f"{peer[key]:,.0f} B, langchain-community",
                    ratio=opened[key] / peer[key],
                    allowed=1 / 3,
                )
            )
    return rows


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


def _folder(work: Path, data: str, kind: str) -> Path:
    return work / data / f"store-{kind}"


# Children


def _build(work: Path, name: str, kind: str, peer: bool) -> Result:
    data = load(work, name)
    folder = _folder(work, name, kind)
    shutil.rmtree(folder, ignore_errors=True)
    with _peak() as peak:
        started = time.perf_counter()
        if kind == "community":
            _fill_community(data, folder)
        else:
            _fill(data, folder, kind)
        seconds = time.perf_counter() - started
    size = sum(file.stat().st_size for file in folder.iterdir())
    return {"seconds": seconds, "peak_private_mb": max(peak), "disk_mb": size / 2**20, "n": len(data.texts)}


@contextmanager
def _peak() -> Iterator[list[float]]:
    """Give a list of the private memory in MB that this process has beyond that at the start, ten times a second."""
    before = _memory()["anonymous"]
    seen, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            seen.append(_memory()["anonymous"] - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


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


def _open(work: Path, name: str, kind: str, peer: bool) -> Result:
    data = load(work, name)
    queries, n = data.queries[:100], len(data.texts)
    del data
    opened = _opener(work, name, kind)
    before = _memory()
    started = time.perf_counter()
    store = opened()
    seconds = time.perf_counter() - started
    after = _memory()
    for query in queries:
        store.similarity_search_by_vector(query.tolist(), k=10)
    used = _memory()
    return {
        "seconds": seconds,
        "bytes_opened": (sum(after.values()) - sum(before.values())) * 2**20 / n,
        "anonymous_bytes_searched": (used["anonymous"] - before["anonymous"]) * 2**20 / n,
        "bytes_searched": (sum(used.values()) - sum(before.values())) * 2**20 / n,
    }


def _opener(work: Path, name: str, kind: str) -> Callable[[], Any]:
    """Return what opens a store; everything is imported before."""
    import faiss  # noqa: F401 - both stores import it when they need it

    folder = _folder(work, name, kind)
    if kind == "community":
        community = _community()
        return lambda: community.load_local(str(folder), Fixed(), allow_dangerous_deserialization=True)
    from automix_graph.retrieval import FaissStore

    return lambda: FaissStore.open(folder, Fixed())


def _search(work: Path, name: str, kind: str, peer: bool) -> Result:
    """Time our searches and those of the other side in turns, on the same index with the same effort."""
    data = load(work, name)
    queries = np.ascontiguousarray(data.queries)
    batches = [queries[start : start + BATCH] for start in range(0, len(queries), BATCH)]
    raw = _raw_index(work, name, kind)
    store = _opener(work, name, kind)()
    other = _same_index(work, name, raw) if peer else None
    result: Result = {"recall@10": _recall(work, data, store)}
    for k in CUTS:
        single = [query[None, :] for query in queries[:SINGLE]]
        result[f"numbers, k={k}"] = _in_turns(
            lambda q, k=k: store.search_numbers(q, k=k), lambda q, k=k: raw.search(q, k), single
        )
        result[f"numbers, k={k}, batch"] = _in_turns(
            lambda q, k=k: store.search_numbers(q, k=k), lambda q, k=k: raw.search(q, k), batches * 4, share=BATCH
        )
        if other is None:
            continue
        lists = [query.tolist() for query in queries[-SINGLE:]]
        result[f"documents, k={k}"] = _in_turns(
            lambda q, k=k: store.similarity_search_by_vector(q, k=k),
            lambda q, k=k: other.similarity_search_by_vector(q, k=k),
            lists,
        )
        result[f"documents, k={k}, batch"] = _in_turns(
            lambda q, k=k: store.search_vectors(q, k=k),
            lambda q, k=k: [other.similarity_search_by_vector(one, k=k) for one in q.tolist()],
            batches,
            share=BATCH,
        )
    if store.index is not None:
        result["tuned"] = {"effort": store.index.effort, "recall": store.index.recall}
    store.close()
    return result


def _in_turns(
    ours: Callable[[Any], Any], theirs: Callable[[Any], Any], inputs: Sequence[Any], *, share: int = 1
) -> Result:
    """Compare two searches, each first in every other turn, so that a busy moment and a cold cache meet both alike."""
    times: tuple[list[float], list[float]] = ([], [])
    begin = time.perf_counter()
    for turn, value in enumerate(inputs):
        for side in (0, 1) if turn % 2 else (1, 0):
            started = time.perf_counter()
            (ours, theirs)[side](value)
            times[side].append((time.perf_counter() - started) / share * 1e6)
        if time.perf_counter() - begin > SECONDS:
            break
    found = dataclasses.asdict(compared(*times))
    return {"ours_us": found.pop("ours"), "theirs_us": found.pop("peer")} | found


def _recall(work: Path, data: Data, store: Any) -> float:
    """Return the share of the 10 nearest that are found, averaged over the queries."""
    import faiss

    known = work / data.name / "exact.npy"
    if not known.exists():
        np.save(known, faiss.knn(data.queries, data.vectors, 10, metric=faiss.METRIC_INNER_PRODUCT)[1])
    found = store.search_numbers(data.queries, k=10).numbers - 1  # numbers count from 1
    shares = [len(set(hits) & set(wanted)) / 10 for hits, wanted in zip(found.tolist(), np.load(known), strict=True)]
    return float(np.mean(shares))


def _raw_index(work: Path, name: str, kind: str) -> Any:
    import faiss

    folder = _folder(work, name, kind)
    stored = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["index"]
    index = faiss.read_index(str(next(folder.glob("vectors-*" if stored is None else "index-*"))))
    if kind == "hnsw":
        faiss.downcast_index(index.index).hnsw.efSearch = stored["tuned"]["effort"]
    elif stored is not None:
        index.nprobe = stored["tuned"]["effort"]
    return index


def _same_index(work: Path, name: str, raw: Any) -> Any:
    """Return langchain-community's store with another index than its own, which answers with our numbers."""
    store = _opener(work, name, "community")()
    own = store.index_to_docstore_id
    store.index, store.index_to_docstore_id = raw, {row + 1: own[row] for row in own}
    return store


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


if __name__ == "__main__":
    sys.exit(main())
