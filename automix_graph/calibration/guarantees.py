"""Guarantees on kept answers: Learn then Test with a fixed sequence of rules (arXiv 2110.01052).

Two risks can be kept below alpha with confidence 1 - delta:

- ``error``: the mean loss of an answer that is kept from the small model, which is 1 - quality: among the answers that
  are kept, how many are wrong.
- ``regret``: the mean over ALL questions of what keeping loses against always asking the large model, which is
  max(large - small, 0) where the answer is kept and 0 where it is not.

What is guaranteed: over the draw of the certification rows, the rule that is returned has a risk of at most alpha on
further questions with probability at least 1 - delta. It holds for any model, verifier and confidence, however bad, and
for any number of rows; what bad ones cost is that nothing is certified.

What it stands on:

- The rows are independent draws from the traffic to come (exchangeable with it). Where that drifts, by other topics,
  documents, models or prompts, the guarantee is about traffic that is gone. Several rows of one question are no
  independent draws: take one of them (`one_row_per_group`).
- The rules and their order were chosen without the certification rows, as by `error_grid` or `threshold_grid` on the
  selection rows of `split_rows`. A rule chosen among several by how it does on these rows is certified by nothing.
- One guarantee was asked for. Of ten, each at delta = 0.1, one is to be expected to be wrong.

What it does not say: that this calibration is among the good ones; that each kind of question has this risk; that the
risk of one month is below alpha, which is the mean over few questions; or that the quality it was measured with is what
users mean.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.certificate import Certificate, Reason, Refusal, Risk
from automix_graph.calibration.fixed_sequence import fixed_sequence
from automix_graph.calibration.levels import require_level
from automix_graph.calibration.p_values import binomial_p_value, hoeffding_bentkus_p_value
from automix_graph.calibration.sample_size import least_rows, rows_needed
from automix_graph.calibration.tally import Tally, tally
from automix_graph.calibration.upper_bounds import clopper_pearson_upper, hoeffding_bentkus_upper
from automix_graph.columns import fractions, outcomes, same_length
from automix_graph.errors import ConfigurationError


def certify_error(
    confidence: ArrayLike,
    quality: ArrayLike,
    *,
    thresholds: ArrayLike,
    alpha: float,
    delta: float,
    graded: bool = False,
) -> Certificate:
    """Certify the loosest threshold at which kept answers lose at most alpha in the mean.

    Given how many answers a rule keeps, the number of wrong ones is binomial, so that the test is exact.

    Args:
        confidence: shape (n,), in [0, 1], and NaN where the verification failed: such an answer is never kept.
        quality: of the small answers, shape (n,): 0 and 1 for wrong and right, or in [0, 1] if ``graded``.
        thresholds: shape (m,), in [0, 1], chosen on other rows; tested from the strictest (highest) on.
        alpha: the risk that is tolerated, in (0, 1).
        delta: the probability, in (0, 1), with which the guarantee may fail.
        graded: whether answers may be half right. It is a property of the scorer, not of these rows.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length, or a level lies outside
            (0, 1).

    Example:
        >>> confidence, quality = [0.9] * 40 + [0.3] * 40, [1] * 40 + [0] * 40
        >>> certify_error(confidence, quality, thresholds=[0.8, 0.1], alpha=0.1, delta=0.1).threshold
        0.8
    """
    rules = tally(confidence, 1.0 - _quality("quality", quality, graded), thresholds)
    return _certify_thresholds(rules, "error", alpha, delta, graded)


def certify_regret(
    confidence: ArrayLike,
    *,
    small: ArrayLike,
    large: ArrayLike,
    thresholds: ArrayLike,
    alpha: float,
    delta: float,
    graded: bool = False,
) -> Certificate:
    """Certify the loosest threshold that loses at most alpha a question against always asking the large model.

    Only losses count: where the small answer is the better one, nothing is offset.

    Args:
        confidence: shape (n,), in [0, 1], and NaN where the verification failed: such an answer is never kept, and the
            row counts.
        small: quality of the small answers, shape (n,): 0 and 1 for wrong and right, or in [0, 1] if ``graded``.
        large: quality of the large answers, likewise.
        thresholds: shape (m,), in [0, 1], chosen on other rows; tested from the strictest (highest) on.
        alpha: the risk that is tolerated, in (0, 1).
        delta: the probability, in (0, 1), with which the guarantee may fail.
        graded: whether answers may be half right. It is a property of the scorer, not of these rows.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length, or a level lies outside
            (0, 1).

    Example:
        >>> confidence, small, large = [0.9] * 40 + [0.3] * 40, [1] * 40 + [0] * 40, [1] * 80
        >>> levels = {"alpha": 0.1, "delta": 0.1}
        >>> certify_regret(confidence, small=small, large=large, thresholds=[0.8, 0.1], **levels).threshold
        0.8
    """
    ours, theirs = _quality("small", small, graded), _quality("large", large, graded)
    same_length({"small": ours, "large": theirs})
    rules = tally(confidence, np.maximum(theirs - ours, 0.0), thresholds)
    return _certify_thresholds(rules, "regret", alpha, delta, graded)


def certify_sequence(
    *,
    risk: Risk,
    kept: ArrayLike,
    loss: ArrayLike,
    n: int,
    alpha: float,
    delta: float,
    graded: bool = False,
) -> Certificate:
    """Certify the last of a sequence of rules of any kind, the first of which is the strictest.

    Args:
        risk: ``error``: the mean is over the rows that a rule keeps; ``regret``: over all rows.
        kept: how many of the rows each rule keeps, shape (m,).
        loss: the sum of the losses of those, shape (m,), 0 <= loss <= kept; whole numbers unless ``graded``.
        n: all rows.
        alpha: the risk that is tolerated, in (0, 1).
        delta: the probability, in (0, 1), with which the guarantee may fail.
        graded: whether a loss may lie between 0 and 1.

    Raises:
        ConfigurationError: the numbers are no such numbers, or a level lies outside (0, 1).

    Example:
        >>> certify_sequence(risk="error", kept=[50, 90], loss=[1, 12], n=100, alpha=0.1, delta=0.1).position
        0
    """
    require_level("delta", delta)
    counts, losses = np.asarray(kept), np.asarray(loss, dtype=np.float64)
    same_length({"kept": counts, "loss": losses})
    if (counts > n).any() or (losses > counts).any():
        raise ConfigurationError(
            f"some rule keeps more than the {n} rows, or loses more than it keeps; count them again"
        )
    rows = counts if risk == "error" else np.full(counts.shape, n)
    test = hoeffding_bentkus_p_value if graded else binomial_p_value
    p_values = test(losses, rows, alpha=alpha)
    position = fixed_sequence(p_values, delta=delta)
    shown = _strictest(rows) if position is None else position
    bound = hoeffding_bentkus_upper if graded else clopper_pearson_upper
    certificate = Certificate(
        risk=risk,
        alpha=alpha,
        delta=delta,
        graded=graded,
        n=n,
        position=position,
        threshold=None,
        kept=int(counts[shown]),
        loss=float(losses[shown]),
        p_value=float(p_values[shown]),
        upper_bound=bound(losses[shown].item(), int(rows[shown]), delta=delta),
        refusal=None,
    )
    return (
        certificate
        if position is not None
        else replace(certificate, refusal=_refusal(certificate, first_rows=int(rows[0])))
    )


def _certify_thresholds(rules: Tally, risk: Risk, alpha: float, delta: float, graded: bool) -> Certificate:
    certificate = certify_sequence(
        risk=risk, kept=rules.kept, loss=rules.loss, n=rules.n, alpha=alpha, delta=delta, graded=graded
    )
    if certificate.position is None:
        return certificate
    return replace(certificate, threshold=float(rules.thresholds[certificate.position]))


def _quality(name: str, quality: ArrayLike, graded: bool) -> NDArray[np.float64]:
    """Return a column of qualities, refusing grades where the binomial test would be asked about them."""
    if graded:
        return fractions(name, quality)
    try:
        return outcomes(name, quality).astype(np.float64)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}, or say graded=True if answers may be half right") from error


def _strictest(rows: NDArray[np.int64]) -> int:
    """Return the position of the first rule with any row, or of the last rule."""
    some = np.flatnonzero(rows)
    return int(some[0]) if some.size else rows.size - 1


def _refusal(certificate: Certificate, *, first_rows: int) -> Refusal:
    """Say why nothing was certified, from what the strictest rule with any row did."""
    alpha, delta, observed = certificate.alpha, certificate.delta, certificate.observed
    needed = None
    if observed is not None:
        needed = rows_needed(observed, alpha=alpha, delta=delta, graded=certificate.graded)
    if needed is not None:
        needed = math.ceil(needed * certificate.n / certificate.rows)
    reason: Reason
    if observed is None or not first_rows:
        reason = "nothing-kept"
    elif observed >= alpha:
        reason = "risk-too-high"
    else:
        reason = "too-few-rows"
    return Refusal(reason=reason, least_rows=least_rows(alpha=alpha, delta=delta), rows_needed=needed)
