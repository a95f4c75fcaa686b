"""Tables of what `verification_methods` wrote to its journals: how right each method is, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from fitted import fitted_methods, on_measured_scale
from journal import Row, read_rows

from automix_graph.calibration import cross_fitted_isotonic
from automix_graph.evaluation import Interval, accuracy_at, auroc, bootstrap_interval, ece


def report(folders: Sequence[Path], *, seed: int) -> Row:
    """Return the tables of journals, by folder.

    ``cases`` and ``methods`` tell of all rows of a journal, in either order of measuring; ``same_cases`` of the rows of
    the first on cases that all methods judged, so that they can be compared; ``paired`` of differences of AUROC.

    Args:
        folders: of the journals.
        seed: of the intervals and the folds.
    """
    found: Row = {"date": date.today().isoformat()}
    for folder in folders:
        tables: Row = {}
        for order in ("cases", "methods"):
            path = folder / f"verifications-{order}.jsonl"
            if path.exists():
                settings, *rows = read_rows(path)
                tables["settings"] = settings
                methods = _by_method(rows)
                if order == "cases":
                    scaled = on_measured_scale(methods.get("likelihood", ()), settings.get("large", ""))
                    methods |= {"likelihood, measured scale": scaled} if scaled else {}
                    methods |= dict(fitted_methods(methods, seed=seed))
                    tables["paired"] = dict(_paired(methods, seed))
                    same = _on_same_cases(methods).items()
                    tables["same_cases"] = {name: _quality(some, seed) | _costs(some) for name, some in same}
                # The first case of a new server also reads what all cases have in common; later ones do not.
                skipped = 1 if order == "methods" else 0
                tables[order] = {name: _quality(some, seed) | _costs(some[skipped:]) for name, some in methods.items()}
        found[str(folder)] = tables
    return found


def _by_method(rows: Sequence[Row]) -> dict[str, list[Row]]:
    names = dict.fromkeys(row["method"] for row in rows)
    return {name: [row for row in rows if row["method"] == name] for name in names}


def _on_same_cases(methods: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """Return the rows of each method on the cases that all judged; a method that judged none is left out."""
    judged = {name: {row["case"] for row in rows if row["confidence"] is not None} for name, rows in methods.items()}
    judged = {name: cases for name, cases in judged.items() if cases}
    if not judged:
        return {}
    shared = set.intersection(*judged.values())
    found = {name: [row for row in methods[name] if row["case"] in shared] for name in judged}
    return found if shared else {}


def _quality(rows: Sequence[Row], seed: int) -> Row:
    judged = [row for row in rows if row["confidence"] is not None]
    told: Row = {"n": len(rows), "unparsed": 1 - len(judged) / len(rows)}
    if len(judged) < 10 or len({row["correct"] for row in judged}) < 2:
        return told
    confidence = np.array([row["confidence"] for row in judged])
    correct = np.array([row["correct"] for row in judged])
    groups = np.array([row["group"] for row in judged])
    calibrated = cross_fitted_isotonic(confidence, correct, seed=seed, groups=groups)

    def interval(statistic: Callable[..., float | None], *columns: Any) -> list[float | None]:
        return _shown(bootstrap_interval(statistic, *columns, seed=seed, groups=groups))

    long = np.array([row["answer_characters"] for row in judged])
    shorter = long <= np.median(long)
    return told | {
        "right": float(correct.mean()),
        "auroc_of_shorter_half": auroc(confidence[shorter], correct[shorter]),
        "auroc_of_longer_half": auroc(confidence[~shorter], correct[~shorter]) if not shorter.all() else None,
        "auroc": interval(auroc, confidence, correct),
        "accuracy_at_0.5": interval(accuracy_at, confidence, correct),
        "ece": interval(ece, confidence, correct),
        "ece_isotonic": interval(ece, calibrated, correct),
    }


def _costs(rows: Sequence[Row]) -> Row:
    """Return means a verification."""
    told = {
        "new_prompt_tokens": _mean(_new(row["usage"]) for row in rows),
        "output_tokens": _mean(_total(row["usage"], "output_tokens") for row in rows),
        "seconds": _mean(row["seconds"] for row in rows),
        "seconds_median": round(float(np.median([row["seconds"] for row in rows])), 2),
    }
    answers = [row["answered"] for row in rows if "answered" in row]
    if answers:
        told["answer_new_prompt_tokens"] = _mean(_new([answer["usage"]]) for answer in answers)
        told["answer_seconds"] = _mean(answer["seconds"] for answer in answers)
    return told


def _new(usage: Sequence[Row]) -> int:
    """Return how many tokens of prompts were read anew, not from a cache."""
    return _total(usage, "input_tokens") - _total(usage, "cached_input_tokens")


def _total(usage: Sequence[Row], field: str) -> int:
    return sum(call[field] or 0 for call in usage)


def _mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 2)


def _paired(methods: dict[str, list[Row]], seed: int) -> Iterator[tuple[str, list[float | None]]]:
    """Yield the difference of AUROC of each pair of methods, on the cases that both judged."""
    names = list(methods)
    for first, second in ((a, b) for number, a in enumerate(names) for b in names[number + 1 :]):
        scores = [
            {row["case"]: row for row in methods[name] if row["confidence"] is not None} for name in (first, second)
        ]
        shared = [case for case in scores[0] if case in scores[1]]
        if not shared:
            continue
        left, right = (np.array([some[case]["confidence"] for case in shared]) for some in scores)
        correct = np.array([scores[0][case]["correct"] for case in shared])
        groups = np.array([scores[0][case]["group"] for case in shared])
        found = bootstrap_interval(_difference, left, right, correct, seed=seed, groups=groups)
        yield f"{first} - {second}", _shown(found)


def _difference(left: Any, right: Any, correct: Any) -> float | None:
    one, other = auroc(left, correct), auroc(right, correct)
    return None if one is None or other is None else one - other


def _shown(interval: Interval) -> list[float | None]:
    return [None if value is None else round(value, 4) for value in (interval.estimate, interval.low, interval.high)]
