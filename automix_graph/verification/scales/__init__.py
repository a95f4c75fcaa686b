"""Measured scales: what the likelihood of a draft under an embedded model is worth as a confidence.

One file for each model, as `Logistic.save` writes it, fitted by ``benchmarks/verification_methods.py --fit`` to
answers that are known to be right or wrong. A scale belongs to its judge; the answers of another small model, another
language or other documents may need one of their own.
"""

from __future__ import annotations

from importlib import resources

from automix_graph.models.catalog import LOCAL_PREFIX
from automix_graph.verification.logistic import Logistic


def measured_scale(label: str) -> Logistic | None:
    """Return the scale of an embedded model, by its label; None where none was measured.

    Example:
        >>> sorted(measured_scale("local:qwen2.5-coder-1.5b-instruct").weights)
        ['content_first', 'content_mean']
        >>> measured_scale("openai:gpt-5")
    """
    if not label.startswith(LOCAL_PREFIX):
        return None
    name = label.removeprefix(LOCAL_PREFIX)
    folder = resources.files(__name__)
    known = {file.name: file for file in folder.iterdir()}
    file = known.get(f"{name}.json")
    if file is None:
        return None
    with resources.as_file(file) as path:
        return Logistic.load(path)
