"""What every measure of the report is, in one line, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from automix_graph.evaluation.report.numerals import Kind

_AUTOMIX: Final = "AutoMix, arXiv 2310.12963"
_ROUTELLM: Final = "RouteLLM, arXiv 2406.18665"
_ROUTERBENCH: Final = "RouterBench, arXiv 2403.12031"
_GUO: Final = "Guo et al. 2017, arXiv 1706.04599"
_HANLEY: Final = "Hanley and McNeil 1982"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A measure.

    Attributes:
        label: for people.
        kind: how its numbers are written.
        meaning: what it is, with its formula.
        source: where the formula comes from; empty where it is a plain mean.
    """

    label: str
    kind: Kind
    meaning: str
    source: str = ""


TIER_DEFINITIONS: Final[dict[str, Definition]] = {
    "small": Definition(label="quality, small", kind="quality", meaning="P_S: mean quality of the first tier alone"),
    "small_cost": Definition(
        label="cost, small", kind="amount", meaning="C_S: mean cost of asking the first tier alone"
    ),
    "large": Definition(label="quality, large", kind="quality", meaning="P_L: mean quality of the last tier alone"),
    "large_cost": Definition(
        label="cost, large", kind="amount", meaning="C_L: mean cost of asking the last tier alone"
    ),
    "oracle": Definition(
        label="quality, oracle", kind="quality", meaning="mean quality of the best answer to each question"
    ),
    "oracle_cost": Definition(
        label="cost, oracle", kind="amount", meaning="mean cost of the cheapest tier that answers best, asked alone"
    ),
    "ibc_base": Definition(
        label="IBC, base",
        kind="amount",
        meaning="(P_L − P_S) / (C_L − C_S): what the large model adds for its cost",
        source=_AUTOMIX,
    ),
    "apgr": Definition(
        label="APGR",
        kind="ratio",
        meaning="integral of PGR over the share escalated, least confident first; at random 0.5",
        source=_ROUTELLM,
    ),
    "cpt50": Definition(
        label="CPT 50%", kind="ratio", meaning="least share escalated that recovers half of the gap", source=_ROUTELLM
    ),
    "cpt80": Definition(
        label="CPT 80%", kind="ratio", meaning="least share escalated that recovers 80% of the gap", source=_ROUTELLM
    ),
    "aiq": Definition(
        label="AIQ",
        kind="ratio",
        meaning="area under the non-decreasing convex hull of quality over cost, divided by the range of cost",
        source=_ROUTERBENCH,
    ),
    "auroc": Definition(
        label="AUROC, small answer right",
        kind="ratio",
        meaning="chance that a right answer has a higher confidence than a wrong one",
        source=_HANLEY,
    ),
    "auroc_escalation_helps": Definition(
        label="AUROC, escalation helps",
        kind="ratio",
        meaning="chance that a question that the large model answers better has a lower confidence than another",
        source=_HANLEY,
    ),
    "ece": Definition(
        label="ECE",
        kind="ratio",
        meaning="mean distance of confidence from the share of right answers, in ten bins of equal width; 0 is best",
        source=_GUO,
    ),
    "brier": Definition(
        label="Brier score",
        kind="ratio",
        meaning="mean of (confidence − right)²; 0 is best, 0.25 is always saying 0.5",
        source="Brier 1950",
    ),
}

POLICY_DEFINITIONS: Final[dict[str, Definition]] = {
    "quality": Definition(label="quality", kind="quality", meaning="P_M: mean quality of the answers given"),
    "cost": Definition(
        label="cost", kind="amount", meaning="C_M: mean cost, of all answers and verifications asked for"
    ),
    "escalated": Definition(label="escalated", kind="share", meaning="share of questions that left the first tier"),
    "ibc": Definition(label="IBC", kind="amount", meaning="(P_M − P_S) / (C_M − C_S)", source=_AUTOMIX),
    "ibc_lift": Definition(
        label="IBC lift",
        kind="relative",
        meaning="IBC above that of the line between the models: (IBC − base) / base",
        source=_AUTOMIX,
    ),
    "pgr": Definition(label="PGR", kind="ratio", meaning="gap recovered: (P_M − P_S) / (P_L − P_S)", source=_ROUTELLM),
    "break_even_pgr": Definition(
        label="PGR to break even",
        kind="ratio",
        meaning="(C_M − C_S) / (C_L − C_S): PGR of a random mix that costs as much",
    ),
    "gain_over_small": Definition(label="quality over small", kind="difference", meaning="P_M − P_S"),
    "gain_over_large": Definition(label="quality over large", kind="difference", meaning="P_M − P_L"),
    "gain_over_random_mix": Definition(
        label="quality over random mix",
        kind="difference",
        meaning="P_M less the quality of a random mix of the same cost, or of the large model alone if that is cheaper",
    ),
}
