"""Recorded questions for tests of evaluations on records."""

from automix_graph.records import Call, Draft, Record, Recorded, Stage, Usage, Verdict, Verification

PRICES = {"s": (1.0, 4.0), "l": (10.0, 40.0, 1.0)}
"""USD per million tokens: a small model, and a large one that charges a tenth for cached input."""


def call(
    stage: Stage, model: str, read: int | None = 1000, written: int | None = 10, cached: int | None = None
) -> Call:
    usage = Usage(input_tokens=read, output_tokens=written, cached_input_tokens=cached)
    return Call(stage=stage, model=model, usage=usage, seconds=0.5)


CALLS = (
    call("small_answer", "s", 1000, 50),
    call("verify", "l", 1200, 1, cached=100),
    call("large_answer", "l", 1300, 60, cached=1100),
)
KEPT = Verification(method="m", verdict=Verdict.CORRECT, confidence=0.4)
"""By a verifier whose own threshold is below 0.4."""
REJECTED = Verification(method="m", verdict=Verdict.INCORRECT, confidence=0.1)
FAILED = Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="no verdict")


def recorded(
    name: str,
    *,
    small: float | None = 1.0,
    large: float | None = 1.0,
    verification: Verification | None = KEPT,
    calls: tuple[Call, ...] = CALLS,
    settings: str = "f",
) -> Recorded:
    """A question with the answers and scores of the tiers that are not None."""
    scores = {tier: score for tier, score in (("small", small), ("large", large)) if score is not None}
    record = Record(
        question=f"question {name}?",
        language="en",
        prompts="p",
        drafts=(Draft(tier="small", text="a"), Draft(tier="large", text="b")),
        verifications=() if verification is None else (verification,),
        calls=calls,
    )
    return Recorded(id=name, settings=settings, record=record, scores=scores)
