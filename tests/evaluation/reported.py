"""Evaluations to report, and a reader of pages."""

from html.parser import HTMLParser

import numpy as np

from automix_graph.evaluation import Evaluation, LeftOut, Outcomes, Tier, evaluate
from automix_graph.policies import AcceptCorrect, Policy, Threshold
from automix_graph.records import Call, Draft, Record, Recorded, Usage, Verdict, Verification

CONFIDENCE = [0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1]
SMALL = [1, 1, 0, 1, 0, 1, 0, 0]
LARGE = [1, 1, 1, 0, 1, 1, 1, 0]


def two(
    small: object = SMALL, large: object = LARGE, confidence: object = CONFIDENCE, *, times: int = 1, **costs: float
) -> Outcomes:
    """Two tiers; costs 1, 20 and 0.5 for a verification unless others are given."""
    first = Tier(
        name="small",
        quality=np.tile(small, times),  # type: ignore[call-overload]
        cost=costs.get("small_cost", 1.0),
        confidence=np.tile(confidence, times),  # type: ignore[call-overload]
        verify_cost=costs.get("verify_cost", 0.5),
    )
    second = Tier(name="large", quality=np.tile(large, times), cost=costs.get("large_cost", 20.0))  # type: ignore[call-overload]
    return Outcomes(tiers=(first, second))


def three() -> Outcomes:
    return Outcomes(
        tiers=(
            Tier(name="a", quality=[1, 0, 0, 1], cost=1, confidence=[0.9, 0.1, 0.7, 0.4]),
            Tier(name="b", quality=[1, 1, 0, 1], cost=3, confidence=[0.9, 0.8, 0.2, 0.3]),
            Tier(name="c", quality=[1, 1, 1, 0], cost=9),
        )
    )


def evaluated(outcomes: Outcomes, *policies: Policy, n_resamples: int = 20) -> Evaluation:
    left_out = LeftOut.of([("x", "failed"), ("y", "failed"), ("z", "not scored")])
    chosen = policies or (AcceptCorrect(), Threshold(0.35))
    return evaluate(outcomes, chosen, n_resamples=n_resamples, left_out=left_out)


def recorded(position: int, *, text: str = "text") -> Recorded:
    """The record of one question of `SMALL` and `LARGE`; its texts all contain the given one."""
    confidence = CONFIDENCE[position]
    verdict = Verdict.CORRECT if confidence > 0.5 else Verdict.INCORRECT
    usage = Usage(input_tokens=100, output_tokens=5)
    record = Record(
        question=f"question {position} {text}",
        language="en",
        prompts="p",
        drafts=(
            Draft(tier="small", text=f"small draft {position} {text}"),
            Draft(tier="large", text=f"large draft {position} {text}"),
        ),
        verifications=(Verification(method="m", verdict=verdict, confidence=confidence),),
        calls=(
            Call(stage="large_answer", model=f"big {text}", usage=usage, seconds=1.0),
            Call(stage="small_answer", model="little", usage=usage, seconds=1.0),
        ),
    )
    scores = {"small": float(SMALL[position]), "large": float(LARGE[position])}
    return Recorded(
        id=f"q{position} {text}", answers=(f"gold {position} {text}",), record=record, scores=scores, scorer="f1"
    )


def outcomes_of(records: list[Recorded]) -> Outcomes:
    outcomes = two()
    return Outcomes(tiers=outcomes.tiers, ids=tuple(record.id for record in records), unit="USD")


class Page(HTMLParser):
    """What is on a page: its elements in order, and their texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[list[str]] = []
        self.text = ""
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in {"td", "th"}:
            self.cells[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" in self._inside:
            return
        self.text += data
        if {"td", "th"} & set(self._inside):
            self.cells[-1][-1] += data

    def row(self, header: str) -> list[str]:
        """The first row whose header starts so; each cell in one line."""
        return next(
            [" ".join(text.split()) for text in row] for row in self.cells if row and row[0].strip().startswith(header)
        )

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
