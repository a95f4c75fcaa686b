import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.verification.reading.sentences import MAX_CHARACTERS, sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. It snowed! Did it? Yes.", ["It rained.", "It snowed!", "Did it?", "Yes."]),
        ("Dr. Wu met Mr. J. R. Smith. They spoke.", ["Dr. Wu met Mr. J. R. Smith.", "They spoke."]),
        ("Pi is 3.14. It is no integer.", ["Pi is 3.14.", "It is no integer."]),
        ("Some, e.g. Ann, left, i.e. went.", ["Some, e.g. Ann, left, i.e. went."]),
        ("He lives in the U.S. Army base.", ["He lives in the U.S. Army base."]),
        ("He lives in the U.S. The base closed.", ["He lives in the U.S.", "The base closed."]),
        ("It costs $5 at Foo Inc. However, it works.", ["It costs $5 at Foo Inc.", "However, it works."]),
        ("At 5 p.m. on Monday it closed.", ["At 5 p.m. on Monday it closed."]),
        ("It ended.[12] Then it began.", ["It ended.[12]", "Then it began."]),
        ('"Why?" he asked. "No."', ['"Why?" he asked.', '"No."']),
        ("他来了。她走了！谁？没人", ["他来了。", "她走了！", "谁？", "没人"]),
        ("他说：“好的。”然后走了。", ["他说：“好的。”", "然后走了。"]),
        ("圆周率是3.14。版本v2.0发布了。", ["圆周率是3.14。", "版本v2.0发布了。"]),
        ("真的吗?是的。", ["真的吗?", "是的。"]),
        ("| a | b |\n|---|---|\n| 1. X. Y | 2 |", ["| a | b |", "|---|---|", "| 1. X. Y | 2 |"]),
        ("name\tage\nAnn\t3\nBob\t4", ["name\tage", "Ann\t3", "Bob\t4"]),
        (
            "Items:\n- one. Two.\n- three\n1. four\n（二）五",
            ["Items:", "- one. Two.", "- three", "1. four", "（二）五"],
        ),
        ("A heading\n\nthe text\r\nof it.", ["A heading", "the text\r\nof it."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_a_sentence_goes_on_in_the_next_line_of_wrapped_text() -> None:
    line = "This line is as wide as those of a page that somebody printed, by"
    assert cut(f"{line}\nBach. Next.") == [f"{line}\nBach.", "Next."]
    wide = "这一行和打印出来的页面上的行一样宽所以这个句子还没有结束它会在下一行"
    assert cut(f"{wide}\n继续。然后") == [f"{wide}\n继续。", "然后"]
    assert cut("Short line\nAnother") == ["Short line", "Another"]


@pytest.mark.parametrize("text", ["word " * 300, "x" * 1000, "字" * 1000, "one, two; " * 100, "| " + "1 | " * 300])
def test_a_long_sentence_is_cut(text: str) -> None:
    pieces = cut(text)
    assert len(pieces) > 1
    assert all(len(piece) <= MAX_CHARACTERS for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_long_sentence_is_cut_behind_a_clause_or_a_word() -> None:
    assert all(piece.endswith(("two;", "one,")) for piece in cut("one, two; " * 100))
    assert set(" ".join(cut("word " * 300)).split()) == {"word"}


def test_a_long_text_takes_no_long_time() -> None:
    assert len(cut("This line is wide enough to go on in the next, and never ends, and on\n" * 20_000)) > 1000


@given(st.text(st.sampled_from("aA1 .。!?\n\r\t|-'\"”，,[]中文\u2028\ud800"), max_size=900))
def test_nothing_is_lost_or_invented(text: str) -> None:
    spans = sentences(text)
    assert all(0 < end - start <= MAX_CHARACTERS for start, end in spans)
    gaps = [0, *(place for span in spans for place in span), len(text)]
    assert gaps == sorted(gaps)
    assert not any(text[gaps[i] : gaps[i + 1]].strip() for i in range(0, len(gaps), 2))
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
