"""The calls of a question that ends with an error are those of the last record that a node has handed on."""

from typing import Any
from uuid import uuid4

import pytest
from langgraph.types import Command

from automix_graph.graph.call_listener import CallListener
from automix_graph.graph.node import update_of
from automix_graph.records import Call, Record, Usage

CALL = Call(stage="small_answer", model="m", usage=Usage(input_tokens=3, output_tokens=1), seconds=0.1)
SEALED = Record(question="When?", language="en", prompts="0" * 64, calls=(CALL,)).seal()


@pytest.mark.parametrize("returned", [{"record": SEALED}, Command(update={"record": SEALED}, goto="large_answer")])
async def test_reads_the_record_of_whatever_a_node_returns(returned: Any) -> None:
    listener = CallListener()
    await listener.on_chain_end(returned, run_id=uuid4())
    for other in (None, "text", {"answer": "May"}, Command(goto="large_answer")):
        await listener.on_chain_end(other, run_id=uuid4())
    assert listener.calls_before(TimeoutError()) == (CALL,)


def test_what_is_no_update_has_none() -> None:
    assert update_of("text") is update_of(None) is None
    assert update_of(Command(update={"a": 1})) == update_of({"a": 1}) == {"a": 1}
