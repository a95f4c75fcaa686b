"""Tables of repeated splits: means over splits, their 95 % intervals, and shares with exact binomial intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import stats

Row = dict[str, Any]


def summarised(rows: Sequence[Row]) -> Row:
    """Return the summaries of all rows of all splits, by setting, n, target and policy, and by method beside ours."""
    targeted, beside = defaultdict(list), defaultdict(list)
    for row in rows:
        if "target" in row:
            targeted[row["setting"], row["target"], row["policy"], row["n"]].append(row)
        else:
            beside[row["setting"], row["trained_for"], row["method"], row["n"]].append(row)
    return {
        "targets": [
            dict(zip(("setting", "target", "policy", "n"), key, strict=True)) | _targeted(found)
            for key, found in targeted.items()
        ],
        "beside": [
            dict(zip(("setting", "trained_for", "method", "n"), key, strict=True)) | _beside(found)
            for key, found in beside.items()
        ],
    }


def _targeted(rows: Sequence[Row]) -> Row:
    used = [row for row in rows if "refused" not in row]
    found: Row = {
        "splits": len(rows),
        "refused": len(rows) - len(used),
        "reasons": dict(Counter(row["refused"] for row in rows if "refused" in row)),
        "families": dict(Counter(row["family"] for row in used if "family" in row)),
        "quality": _mean([row["quality"] for row in used]),
        "cost": _mean([row["cost"] for row in used]),
    }
    if risks := [row["risk"] for row in used if row.get("risk")]:
        above = sum(risk["above"] for risk in risks)
        found |= {
            "risk": _mean([risk["mean"] for risk in risks]),
            "kept": _mean([risk["kept"] for risk in risks]),
            # What is guaranteed is over all calibrations; one that certifies nothing violates nothing.
            "violations": _share(above, len(rows)),
        }
    return found


def _beside(rows: Sequence[Row]) -> Row:
    used = [row for row in rows if "failed" not in row]
    return {
        "splits": len(used),
        "failed": dict(Counter(row["failed"] for row in rows if "failed" in row)),
        "theirs": {key: _mean([row["theirs"][key] for row in used]) for key in ("quality", "cost")},
        "ours": _mean([row["ours"] for row in used]),
        "difference": _mean([row["ours"] - row["theirs"]["quality"] for row in used]),
    }


def _mean(values: Sequence[float]) -> Row | None:
    """Return a mean over splits with its 95 % interval by the normal approximation."""
    if not values:
        return None
    mean = float(np.mean(values))
    apart = 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return {"mean": mean, "low": mean - apart, "high": mean + apart}


def _share(count: int, n: int) -> Row:
    """Return a share with the 95 % interval of Clopper and Pearson."""
    found = stats.binomtest(count, n).proportion_ci(0.95, method="exact")
    return {"count": count, "of": n, "low": float(found.low), "high": float(found.high)}


def markdown(result: Row) -> str:
    """Return the tables."""
    sizes = sorted({row["n"] for row in result["targets"]})
    lines: list[str] = []
    for setting in result["settings"]:
        lines += [f"### {setting.capitalize()}", "", *_target_table(result, setting, sizes), ""]
        lines += [*_guarantee_table(result, setting), "", *_beside_table(result, setting, sizes), ""]
    return "\n".join(lines)


def _target_table(result: Row, setting: str, sizes: Sequence[int]) -> Iterator[str]:
    yield "| target | policy | " + " | ".join(f"n = {n}" for n in sizes) + " |"
    yield "|---|---|" + "---|" * len(sizes)
    rows = [row for row in result["targets"] if row["setting"] == setting and not _guaranteed(row)]
    named = dict.fromkeys((row["target"], row["policy"]) for row in rows)
    for target, policy in named:
        cells = [_cell(_row(rows, n, target=target, policy=policy)) for n in sizes]
        yield f"| `{target}` | {policy} | " + " | ".join(cells) + " |"


def _guaranteed(row: Row) -> bool:
    return "--delta" in row["target"]


def _row(rows: Sequence[Row], n: int, **wanted: str) -> Row | None:
    return next(
        (row for row in rows if row["n"] == n and all(row[key] == value for key, value in wanted.items())), None
    )


def _cell(row: Row | None) -> str:
    if row is None or row["quality"] is None:
        return "refused" if row else "–"
    told = f"{row['quality']['mean']:.4f} ± {_half(row['quality']):.4f} at {row['cost']['mean']:.2f}"
    return told + (f" ({row['refused']} refused)" if row["refused"] else "")


def _half(mean: Row) -> float:
    return float(mean["high"] - mean["mean"])


def _guarantee_table(result: Row, setting: str) -> Iterator[str]:
    yield "| guarantee | n | violated | 95 % interval | refused | risk | kept | quality | cost |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in sorted((row for row in result["targets"] if row["setting"] == setting and _guaranteed(row)), key=_key):
        start = f"| `{row['target']}` | {row['n']} |"
        if row["quality"] is None:
            yield f"{start} 0 of {row['splits']} | – | {row['refused']} | – | – | – | – |"
            continue
        share = row["violations"]
        yield (
            f"{start} {share['count']} of {share['of']} | [{share['low']:.2f}, {share['high']:.2f}] | {row['refused']} "
            f"| {row['risk']['mean']:.3f} | {row['kept']['mean']:.2f} | {row['quality']['mean']:.3f} "
            f"| {row['cost']['mean']:.2f} |"
        )


def _key(row: Row) -> tuple[str, int]:
    return row["target"], row["n"]


def _beside_table(result: Row, setting: str, sizes: Sequence[int]) -> Iterator[str]:
    yield "| automix-llm, trained for | " + " | ".join(f"n = {n}" for n in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    rows = [row for row in result["beside"] if row["setting"] == setting]
    for method, trained_for in dict.fromkeys((row["method"], row["trained_for"]) for row in rows):
        cells = []
        for n in sizes:
            row = _row(rows, n, method=method, trained_for=trained_for)
            if row is None or row["difference"] is None:
                cells.append("–")
                continue
            theirs, difference = row["theirs"], row["difference"]
            failed = f"; {sum(row['failed'].values())} failed" if row["failed"] else ""
            cells.append(
                f"{difference['mean']:+.4f} ± {_half(difference):.4f} "
                f"({theirs['quality']['mean']:.3f} at {theirs['cost']['mean']:.2f}{failed})"
            )
        yield f"| {method}, {trained_for} | " + " | ".join(cells) + " |"
