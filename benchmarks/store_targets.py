"""What the store was to reach, beside FAISS alone and langchain-community's store."""

from __future__ import annotations

from typing import Any

from targets import at_least, at_most

Result = dict[str, Any]


def targets_of(result: Result) -> list[Result]:
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
