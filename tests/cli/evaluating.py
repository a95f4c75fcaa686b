"""``automix evaluate`` with few resamples, in this process."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from automix_graph.cli.evaluate import evaluate

QUICK = ("--resamples", "20")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(evaluate, [*arguments, *QUICK])


def found(*arguments: str) -> dict[str, Any]:
    result = invoke(*arguments, "--json")
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    return data
