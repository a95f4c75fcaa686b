"""How a calibration looks for people, in the cases that clean data do not have."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from automix_graph.calibration import Band, Calibration, MaxCost, calibrate
from automix_graph.cli.calibration_view import show
from automix_graph.cli.source import Source
from automix_graph.evaluation import Interval, LeftOut, Outcomes, Tier

SURE = np.arange(200) / 200
OUTCOMES = Outcomes(
    tiers=(
        Tier(name="small", quality=SURE > 0.4, cost=1, confidence=SURE, verify_cost=0.5),
        Tier(name="large", quality=np.ones(200), cost=20),
    )
)


@pytest.fixture(scope="module")
def found() -> Calibration:
    return calibrate(OUTCOMES, MaxCost(9.5))


def shown(found: Calibration, left_out: dict[str, int] | None = None) -> str:
    text = io.StringIO()
    reasons = {reason: tuple(map(str, range(count))) for reason, count in (left_out or {}).items()}
    source = Source(outcomes=OUTCOMES, left_out=LeftOut(ids=reasons))
    show(Console(file=text, width=160), found, source, Path("policy.json"))
    return " ".join(text.getvalue().split())


def test_clean_data_need_no_remarks(found: Calibration) -> None:
    text = shown(found)
    assert "drawn at random" not in text
    assert "Left out" not in text
    assert "verification failed" not in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"selection": 150}, ", over 150 rows drawn at random"),
        ({"label": "agreement with the large model"}, "Quality is agreement with the large model: that of the large"),
        (
            {"bands": (Band(low=None, high=None, share=0.1, escalated=1.0, qualities=(0.5, 1.0)),)},
            "verification failed │ 10.0% │ 100.0% │ 0.500 │ 1.000",
        ),
    ],
)
def test_what_data_lack_is_said(found: Calibration, changes: dict[str, Any], told: str) -> None:
    assert told in shown(dataclasses.replace(found, **changes))


def test_questions_that_were_left_out_are_counted(found: Calibration) -> None:
    assert "Left out of 203 questions: 2 failed, 1 unscored." in shown(found, {"failed": 2, "unscored": 1})


def test_a_family_that_could_not_be_used_has_no_figures(found: Calibration) -> None:
    unused = dataclasses.replace(found.compared[0], family="meta", expected=None, verdict="too few rows")
    text = shown(dataclasses.replace(found, compared=(unused,)))
    assert "meta │ – │ – │ – │ –" in text
    assert "meta: too few rows" in text


@pytest.mark.parametrize(
    ("estimate", "low", "high", "told"),
    [
        (None, None, None, "this policy │ – │"),
        (0.5, None, None, "this policy │ 0.500 │"),
        (0.5, 0.25, 0.75, "this policy │ 0.500 [0.250, 0.750] │"),
    ],
)
def test_an_interval_shows_what_is_known(
    found: Calibration, estimate: float | None, low: float | None, high: float | None, told: str
) -> None:
    quality = Interval(estimate=estimate, low=low, high=high, level=0.95, n=200, failed_resamples=0)
    expected = dataclasses.replace(found.expected, quality=quality)
    assert told in shown(dataclasses.replace(found, expected=expected)).replace("┃", "│")
