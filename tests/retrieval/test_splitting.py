"""Sections that are cut into chunks."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from automix_graph.errors import ConfigurationError
from automix_graph.retrieval.loaders import Section
from automix_graph.retrieval.splitting import Splitter


def test_a_short_section_stays_exactly_as_it_is() -> None:
    text = "  one\n\n two。三！ \n"
    [chunk] = Splitter(chunk_size=len(text), chunk_overlap=0).split(Section(text=text))
    assert (chunk.text, chunk.start) == (text, 0)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab。，！ \n.", min_size=1, max_size=300), st.integers(1, 40), st.floats(0, 0.9))
@example(" a a", 3, 0.75)
def test_chunks_are_short_parts_of_the_text_in_order(text: str, size: int, share: float) -> None:
    chunks = list(Splitter(chunk_size=size, chunk_overlap=int(size * share)).split(Section(text=text)))
    starts = [chunk.start for chunk in chunks]
    assert starts == sorted(starts)
    for chunk in chunks:
        assert len(chunk.text) <= size
        assert text[chunk.start : chunk.start + len(chunk.text)] == chunk.text


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab。，！ \n.", min_size=1, max_size=300), st.integers(1, 40))
def test_chunks_lose_nothing_but_space(text: str, size: int) -> None:
    chunks = Splitter(chunk_size=size, chunk_overlap=0).split(Section(text=text))
    assert "".join("".join(chunk.text for chunk in chunks).split()) == "".join(text.split())


def test_chinese_is_cut_at_sentences() -> None:
    sentences = ["元朝宫廷中也有西医。", "他们治疗皇亲贵族！", "中医师为何反对？", "因为理论不同。"]
    chunks = Splitter(chunk_size=20, chunk_overlap=0).split(Section(text="".join(sentences)))
    assert [chunk.text for chunk in chunks] == ["".join(sentences[:2]), "".join(sentences[2:])]


def test_chunks_know_their_heading() -> None:
    section = Section(text="intro words\nA\nalpha words\nB\nbeta words", headings=((12, "A"), (26, "B")))
    chunks = list(Splitter(chunk_size=14, chunk_overlap=0).split(section))
    assert [(chunk.text, chunk.heading) for chunk in chunks] == [
        ("intro words\nA", None),
        ("alpha words\nB", "A"),
        ("beta words", "B"),
    ]


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (-1, 0), (10, 10), (10, -1)])
def test_refuses_impossible_sizes(size: int, overlap: int) -> None:
    with pytest.raises(ConfigurationError, match="chunk_"):
        Splitter(chunk_size=size, chunk_overlap=overlap)


def test_a_row_stays_whole_up_to_twice_the_size() -> None:
    splitter = Splitter(chunk_size=100, chunk_overlap=0)
    text = "word " * 40
    assert [chunk.text for chunk in splitter.split(Section(text=text, row=True))] == [text]
    assert len(list(splitter.split(Section(text=text)))) > 1
    assert len(list(splitter.split(Section(text=text + "x", row=True)))) > 1
