"""The examples in docstrings run, and every public name has a docstring."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import automix_graph
import automix_graph.agents
import automix_graph.auditing
import automix_graph.batch
import automix_graph.calibration
import automix_graph.costs
import automix_graph.engines
import automix_graph.evaluation
import automix_graph.graph
import automix_graph.langgraph_server
import automix_graph.models
import automix_graph.policies
import automix_graph.prompts
import automix_graph.recording
import automix_graph.retrieval
import automix_graph.serving
import automix_graph.shadow
import automix_graph.testing
import automix_graph.verification

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(automix_graph.__path__, "automix_graph.")
    if module.name not in {"automix_graph.__main__", "automix_graph.models.llama_server"}
)
PUBLIC = [
    automix_graph,
    automix_graph.agents,
    automix_graph.auditing,
    automix_graph.batch,
    automix_graph.calibration,
    automix_graph.costs,
    automix_graph.engines,
    automix_graph.evaluation,
    automix_graph.graph,
    automix_graph.langgraph_server,
    automix_graph.models,
    automix_graph.policies,
    automix_graph.prompts,
    automix_graph.recording,
    automix_graph.retrieval,
    automix_graph.serving,
    automix_graph.shadow,
    automix_graph.testing,
    automix_graph.verification,
]


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    examples = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(examples) > 25


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_every_public_name_is_there_and_documented(module: object) -> None:
    names = module.__all__  # type: ignore[attr-defined]  # each of them has one
    assert list(names) == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    for name in names:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert value.__doc__, name
