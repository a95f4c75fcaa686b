"""What a function may return as its score, read strictly: no number is clipped, no text is parsed.

Complaints name types and numbers, and nothing else that was returned: it may hold a draft or a document.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Final

import numpy as np

from automix_graph.errors import ConfigurationError
from automix_graph.records import Verdict, Verification

_ALLOWED: Final = (
    "a verifier function must return a number in [0, 1], a boolean, a mapping with 'confidence' and optionally "
    "'verdict', or a Verification"
)


def read_score(returned: object, *, method: str, threshold: float) -> Verification:
    """Return what a function found, as a verification.

    Args:
        returned: what it returned.
        method: its name.
        threshold: the confidence above which the verdict is CORRECT, where the function gives none.

    Raises:
        ConfigurationError: it is no score.

    Example:
        >>> read_score(0.75, method="overlap", threshold=0.8).verdict.value
        'INCORRECT'
    """
    if isinstance(returned, Verification):
        return returned
    if isinstance(returned, bool | np.bool_):
        return _verification(float(returned), Verdict.CORRECT if returned else Verdict.INCORRECT, method)
    if isinstance(returned, Mapping):
        confidence, verdict = _entries(returned, method)
    else:
        confidence, verdict = _confidence(returned, method, "returned"), None
    return _verification(confidence, verdict or _above(confidence, threshold), method)


def _above(confidence: float, threshold: float) -> Verdict:
    return Verdict.CORRECT if confidence > threshold else Verdict.INCORRECT


def _verification(confidence: float, verdict: Verdict, method: str) -> Verification:
    return Verification(method=method, verdict=verdict, confidence=confidence, verdicts=(verdict,))


def _entries(returned: Mapping[object, object], method: str) -> tuple[float, Verdict | None]:
    if "confidence" not in returned or not returned.keys() <= {"confidence", "verdict"}:
        raise ConfigurationError(
            f"verifier {method!r} returned a mapping without 'confidence', or with another key than 'verdict' beside "
            f"it; {_ALLOWED}",
            code="verifier-result",
        )
    confidence = _confidence(returned["confidence"], method, "returned as 'confidence'")
    if "verdict" not in returned:
        return confidence, None
    verdict = returned["verdict"]
    if verdict == Verdict.CORRECT:
        return confidence, Verdict.CORRECT
    if verdict == Verdict.INCORRECT:
        return confidence, Verdict.INCORRECT
    raise ConfigurationError(
        f"verifier {method!r} returned as 'verdict' a {type(verdict).__name__} that is neither 'CORRECT' nor "
        "'INCORRECT'; leave it out to have the threshold decide",
        code="verifier-result",
    )


def _confidence(value: object, method: str, how: str) -> float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        hint = ", which holds one number as value.item()" if hasattr(value, "item") else ""
        raise ConfigurationError(
            f"verifier {method!r} {how} a {type(value).__name__}{hint}; {_ALLOWED}", code="verifier-result"
        )
    number = float(value)
    if not 0.0 <= number <= 1.0:
        raise ConfigurationError(
            f"verifier {method!r} {how} the {type(value).__name__} {number!r}; {_ALLOWED}", code="verifier-result"
        )
    return number
