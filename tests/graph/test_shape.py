from pathlib import Path

import pytest
from scene import MakeScene

ROOT = Path(__file__).parents[2]


def test_the_shape_of_the_graph_is_the_one_in_the_readme(make_scene: MakeScene) -> None:
    mermaid = make_scene(small=[], judge=[]).graph.get_graph().draw_mermaid()
    assert mermaid == (Path(__file__).parent / "two_tiers.mermaid").read_text(encoding="utf-8")
    for page in ("README.md", "README.zh-CN.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert f"```mermaid\n{mermaid}```" in text, f"{page} does not show the graph as it is"


@pytest.mark.parametrize("schema", ["get_input_jsonschema", "get_output_jsonschema"])
def test_schemas_describe_input_and_output(make_scene: MakeScene, schema: str) -> None:
    graph = make_scene(small=[], judge=[]).graph
    properties = getattr(graph, schema)()["properties"]
    answered = ["answer", "route", "confidence", "verdict", "documents", "usage", "cost", "degraded", "degraded_reason"]
    assert set(properties) == ({"question", "messages"} if "input" in schema else {*answered, "messages"})
