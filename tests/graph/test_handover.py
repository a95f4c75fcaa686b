"""A record that is at hand is the value of its sealed text, and the text alone is enough."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from automix_graph import AllTiers, Background, create_automix
from automix_graph.graph import handover
from automix_graph.graph.handover import _AtHand, hand_on, taken
from automix_graph.records import Passage, Record
from automix_graph.testing import ScriptedChatModel, StaticRetriever


def record(question: str = "When?") -> Record:
    passages = (Passage(text="In <May>.\nÜber 龙 \ud800", id="p", metadata={"page": 1, "of": [None, 2.5]}),)
    return Record(question=question, language="en", prompts="f", passages=passages, began=1.5)


def test_a_record_is_at_hand_once_and_then_read_from_its_text() -> None:
    given = record()
    sealed = hand_on(given)
    assert taken(sealed) is given
    again = taken(sealed)
    assert again is not given and again == given


def test_another_process_reads_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = hand_on(record())
    monkeypatch.setattr(handover, "_at_hand", _AtHand(10))
    assert taken(sealed) == record()


def test_the_oldest_is_dropped_first() -> None:
    kept = _AtHand(2)
    for name in ("a", "b", "c"):
        kept.keep(name, record(name))
    assert [kept.take(name) and name for name in ("a", "b", "c")] == [None, "b", "c"]


def test_long_records_are_dropped_before_they_fill_the_memory() -> None:
    kept = _AtHand(10, longest=10)
    for name in ("aaaaa", "bbbb", "bbbb", "c", "d"):
        kept.keep(name, record(name))
    assert kept.take("aaaaa") is None and kept.take("bbbb") is not None
    kept.keep("e" * 8, record("e"))
    assert kept.take("c") is not None and kept.take("d") is not None
    kept.keep("f" * 11, record("f"))
    assert kept.take("e" * 8) is kept.take("f" * 11) is None
    assert (kept._length, kept._records) == (0, {})


def test_records_that_are_done_are_not_kept_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = _AtHand(10)
    monkeypatch.setattr(handover, "_at_hand", kept)
    models: Any = {"small": ScriptedChatModel(["In May."]), "large": ScriptedChatModel(["Correct", "In May."])}
    assert AllTiers(**models).record("When?", [Passage(text="In May.")]).error is None
    assert kept._records == {}
    models = {"small": ScriptedChatModel(["In May."]), "large": ScriptedChatModel(["In May.", "Correct"])}
    background = Background(records=tmp_path / "r.jsonl")
    retriever = StaticRetriever(["In May."])
    create_automix(**models, retriever=retriever, mode="shadow", background=background).invoke({"question": "When?"})
    assert background.flush(30) and background.counts.compared == 1
    assert kept._records == {}


@pytest.mark.parametrize("verdict", ["Correct.", "Incorrect.", "Perhaps."])
def test_what_is_at_hand_in_a_graph_is_what_its_text_says(verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Record, Record]] = []

    class Checked(_AtHand):
        def take(self, sealed: str) -> Record | None:
            found = super().take(sealed)
            assert found is not None
            seen.append((found, Record.unseal(sealed)))
            return found

    monkeypatch.setattr(handover, "_at_hand", Checked(10))
    graph = create_automix(
        small=ScriptedChatModel(["In May."], label="small"),
        large=ScriptedChatModel(["In June."], label="large"),
        verifier=ScriptedChatModel([verdict], label="judge"),
        retriever=StaticRetriever(["It was in May.", "Or in June."]),
    )
    graph.invoke({"question": "When was it?"})
    assert len(seen) == (2 if verdict == "Correct." else 3)
    assert all(at_hand == read for at_hand, read in seen)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_the_json_of_a_record_is_that_of_its_fields(value: float) -> None:
    import json

    plain = record()
    assert json.loads(plain.to_json()) == json.loads(json.dumps(dataclasses.asdict(plain)))
    metadata: dict[str, Any] = {"far": value}
    odd = dataclasses.replace(plain, passages=(Passage(text="x", metadata=metadata),))
    assert json.loads(odd.to_json())["passages"][0]["metadata"] == {"far": "Infinity" if value > 0 else "-Infinity"}
