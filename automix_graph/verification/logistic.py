"""Logistic regression: numbers that go with a correct answer, turned into the probability that it is correct.

A small value with its coefficients, the fit that finds them and the file that keeps them. It knows no verifier: what a
feature is called and what it measures is up to whoever fits and asks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from automix_graph.errors import ConfigurationError
from automix_graph.files import replace_file
from automix_graph.prompts.invalid import problems_of

SCHEMA_VERSION: Final = 1

_LEAST_ROWS: Final = 10
_LEAST_SPREAD: Final = 1e-12
"""Relative to its largest value: a feature that varies less than this is constant but for rounding."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Logistic:
    """Give the probability ``1 / (1 + exp(-(intercept + sum of weight * feature)))``.

    Attributes:
        intercept: the log-odds where every feature is 0.
        weights: the change of the log-odds for each unit of a feature, by the feature's name.

    Raises:
        ConfigurationError: there is no weight, a name is empty, or a number is not finite.

    Example:
        >>> scale = Logistic(intercept=-1.0, weights={"mean": 2.0})
        >>> scale.probability({"mean": 0.5})
        0.5
    """

    intercept: float
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if not isinstance(self.weights, Mapping) or not self.weights:
            raise ConfigurationError(
                f"weights are {self.weights!r}; give a mapping of at least one feature to a number"
            )
        for name in self.weights:
            if not isinstance(name, str) or not name:
                raise ConfigurationError(f"the name of a feature is {name!r}; use a text that is not empty")
        object.__setattr__(self, "intercept", _number("intercept", self.intercept))
        weights = {name: _number(f"weight of {name!r}", weight) for name, weight in self.weights.items()}
        object.__setattr__(self, "weights", weights)

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability in [0, 1] that these features belong to a correct answer.

        Raises:
            ConfigurationError: a feature is missing, unknown or not finite.
        """
        if features.keys() != self.weights.keys():
            missing, unknown = sorted(self.weights.keys() - features), sorted(features.keys() - self.weights)
            raise ConfigurationError(
                f"features do not fit the weights: missing {missing}, unknown {unknown}; give {sorted(self.weights)}",
                code="bad-fit",
            )
        terms = [weight * _number(f"feature {name!r}", features[name]) for name, weight in self.weights.items()]
        odds = self.intercept + sum(terms)
        if math.isnan(odds):
            raise ConfigurationError(
                "the features are so large that their sum is no number; scale them down", code="bad-fit"
            )
        return _sigmoid(odds)

    def save(self, path: str | Path) -> None:
        """Write the coefficients as JSON; the file is there as a whole or not at all.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        path = Path(path)
        content = {"schema_version": SCHEMA_VERSION, "intercept": self.intercept, "weights": dict(self.weights)}
        text = json.dumps(content, indent=2, allow_nan=False) + "\n"
        try:
            replace_file(path, text.encode())
        except OSError as error:
            raise ConfigurationError(
                f"coefficients cannot be written to {path.name!r}: {error}", code="file-unwritable"
            ) from error

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read coefficients that `save` wrote.

        Raises:
            ConfigurationError: the file cannot be read, has another schema, lacks a key or has an unknown one, or holds
                something else than finite numbers.
        """
        path = Path(path)
        try:
            content = _Content.model_validate_json(path.read_bytes())
        except OSError as error:
            raise ConfigurationError(f"coefficients cannot be read: {error}", code="bad-fit") from error
        except ValidationError as error:
            raise ConfigurationError(
                f"{path.name!r} holds no coefficients of schema_version {SCHEMA_VERSION}: {problems_of(error)}; fit "
                "and save again",
                code="bad-fit",
            ) from error
        return cls(intercept=content.intercept, weights=content.weights)


def check_scale(scale: object) -> None:
    """Refuse what is no scale.

    Raises:
        ConfigurationError: it is no `Logistic`.
    """
    if not isinstance(scale, Logistic):
        raise ConfigurationError(
            f"scale is {scale!r}; give a Logistic: what a fit returned, or Logistic.load(path) of a saved one"
        )


class _Content(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    schema_version: Literal[1]
    intercept: FiniteFloat
    weights: dict[Annotated[str, Field(min_length=1)], FiniteFloat] = Field(min_length=1)


def fit_logistic(features: Mapping[str, ArrayLike], correct: ArrayLike, *, ridge: float = 1.0) -> Logistic:
    """Fit a logistic regression to answers that are known to be correct or not.

    Features are standardised, and ``sum of log-losses + ridge / 2 * |weights|²`` is minimised over intercept and
    weights; the intercept is free. The coefficients returned are those of the features as given. A constant feature
    tells nothing and gets the weight 0, which is where the minimum lies.

    Args:
        features: values by the feature's name, each of shape (n,), finite.
        correct: whether each answer is correct, shape (n,), of booleans, or zeros and ones.
        ridge: strength of the penalty, above 0; it keeps the weights finite where the classes can be separated.

    Raises:
        ConfigurationError: shapes differ, there are fewer than 10 answers, all or none of them are correct, a number is
            not finite, or the ridge is not a number above 0.

    Example:
        >>> mean = [-2.0, -1.5, -1.2, -1.0, -0.9, -0.8, -0.5, -0.3, -0.2, -0.1]
        >>> scale = fit_logistic({"mean": mean}, [False] * 4 + [True, False] + [True] * 4)
        >>> scale.probability({"mean": -0.1}) > 0.8
        True
    """
    if _number("ridge", ridge) <= 0:
        raise ConfigurationError(f"ridge is {ridge!r}; use a number above 0")
    if not isinstance(features, Mapping):
        raise ConfigurationError(
            f"features are a {type(features).__name__}; give a mapping of names to values", code="bad-fit"
        )
    labels = _labels(correct)
    columns = [_column(name, values, len(labels)) for name, values in features.items()]
    if not columns:
        raise ConfigurationError("there is no feature; give at least one, by its name")
    centres = np.array([centre for _, centre, _ in columns])
    scales = np.array([scale for _, _, scale in columns])
    solution = _minimise(np.column_stack([column for column, _, _ in columns]), labels, ridge)
    weights = solution[1:] / scales
    return Logistic(
        intercept=float(solution[0] - weights @ centres), weights=dict(zip(features, weights.tolist(), strict=True))
    )


def _minimise(standardised: Vector, labels: Vector, ridge: float) -> Vector:
    """Return intercept and weights at the minimum; the Hessian is given, so few steps lead to all digits."""
    from scipy.optimize import minimize
    from scipy.special import expit

    n = len(labels)
    design = np.column_stack([np.ones(n), standardised])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0

    def loss(beta: Vector) -> float:
        odds = design @ beta
        return float((np.logaddexp(0.0, odds) - labels * odds).sum() + 0.5 * penalty @ beta**2) / n

    def gradient(beta: Vector) -> Vector:
        return np.asarray((design.T @ (expit(design @ beta) - labels) + penalty * beta) / n)

    def hessian(beta: Vector) -> Vector:
        p = expit(design @ beta)
        return np.asarray(((design.T * (p * (1.0 - p))) @ design + np.diag(penalty)) / n)

    found: Any = minimize(
        loss, np.zeros(design.shape[1]), jac=gradient, hess=hessian, method="trust-exact", options={"gtol": 1e-10}
    )
    if not np.abs(gradient(found.x)).max() < 1e-6:
        raise ConfigurationError(
            f"the fit did not reach its minimum: {found.message}; use a larger ridge", code="bad-fit"
        )
    return np.asarray(found.x, dtype=float)


def _labels(correct: ArrayLike) -> Vector:
    try:
        given = np.asarray(correct)
    except ValueError as error:  # rows of different lengths
        raise ConfigurationError(
            "correct holds something else than booleans; give shape (n,)", code="bad-fit"
        ) from error
    if given.ndim != 1:
        raise ConfigurationError(
            f"correct has shape {given.shape}; give one boolean for each answer, shape (n,)", code="bad-fit"
        )
    if len(given) < _LEAST_ROWS:
        raise ConfigurationError(f"there are {len(given)} answers; a fit needs at least {_LEAST_ROWS}")
    if given.dtype.kind not in "biuf" or not np.isin(given, (0, 1)).all():
        raise ConfigurationError(
            "correct holds something else than booleans; give True or False for each answer", code="bad-fit"
        )
    if given.min() == given.max():
        raise ConfigurationError(
            f"all {len(given)} answers are {'correct' if given[0] else 'incorrect'}; a fit needs both kinds",
            code="bad-fit",
        )
    return given.astype(float)


def _column(name: str, values: ArrayLike, n: int) -> tuple[Vector, float, float]:
    """Return a feature standardised, its centre and its scale."""
    try:
        column = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"feature {name!r} holds something else than numbers", code="bad-fit") from error
    if column.shape != (n,):
        raise ConfigurationError(f"feature {name!r} has shape {column.shape}; there are {n} answers, so give ({n},)")
    with np.errstate(over="ignore", invalid="ignore"):
        centre, scale = column.mean(), column.std()
    if not np.isfinite(column).all() or not np.isfinite(scale):
        raise ConfigurationError(f"feature {name!r} holds numbers that are not finite, or too large to square")
    if np.ptp(column) <= _LEAST_SPREAD * np.abs(column).max():
        return np.zeros(n), float(centre), 1.0
    return (column - centre) / scale, float(centre), float(scale)


def _number(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]  # what is no number is refused below
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ConfigurationError(f"{name} is {value!r}; it must be a finite number")
    return number


def _sigmoid(odds: float) -> float:
    """Return ``1 / (1 + exp(-odds))`` without an overflow on either side."""
    if odds >= 0:
        return 1.0 / (1.0 + math.exp(-odds))
    power = math.exp(odds)
    return power / (1.0 + power)
