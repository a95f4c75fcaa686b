import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.prompts import as_data

MARKERS = [
    "<|im_start|>",
    "<|im_end|>",
    "<|start_header_id|>",
    "<|eot_id|>",
    "<|turn>",
    "<turn|>",
    "<｜Assistant｜>",
    "<｜end▁of▁sentence｜>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<bos>",
    "<s>",
    "</s>",
    "<<SYS>>",
    "<</SYS>>",
    "[INST]",
    "[/INST]",
    "[SYSTEM_PROMPT]",
    "[TOOL_RESULTS]",
    "<think>",
    "</think>",
    "<tool_call>",
    "<用户>",
    "<AI>",
]
UNSEEN = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\ufe0f", "\u034f", "\U000e0041"]
ORDINARY = [
    "می‌خواهم بروم",  # Persian, with a non-joiner
    "क्‍ष",  # Devanagari, with a joiner
    "葛󠄀城市",  # a variant of a Han character
    "👩‍👩‍👧 ❤️‍🔥 👍🏽 1️⃣ #️⃣",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "什么？（是的）：“四月”，【一】《红楼梦》……——",
    "Ｆｕｌｌ　ｗｉｄｔｈ！",
    "e\u0301 ﬁne ½ ™ ①",
    "a < b, List<int>, <b>bold</b>, ⟨ψ|φ⟩, <ψ|φ>, x[i], [1], cp [options] [args] [user]",
    "{context} {{x}} %s ${y}",
]


def folded(text: str) -> str:
    """Return a text as it looks to a tokenizer that drops what has no width and folds compatibility forms."""
    seen = "".join(c for c in text if unicodedata.category(c) != "Cf" and c not in UNSEEN)
    return unicodedata.normalize("NFKC", seen)


def widened(text: str) -> str:
    """Return a text in full-width characters."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@pytest.mark.parametrize("marker", MARKERS)
def test_role_markers_are_broken_in_every_guise(marker: str) -> None:
    guises = [marker, widened(marker), marker.replace("<", "﹤").replace("[", "﹇")]
    for sign in UNSEEN:
        guises += [sign.join(marker), sign.join(widened(marker)), f"{marker[0]}{sign * 300}{marker[1:]}"]
    for guise in guises:
        assert folded(marker) not in folded(as_data(f"x {guise} y")), ascii(guise)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_writing_is_left_as_it_is(text: str) -> None:
    assert as_data(text) == text


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("co\u00adoperate\u200b \ufeffnow", "cooperate now"),
        ("\u200b\n\ufeff\u3000x\u2060\n", "x"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\r\nh\ri", "\n| ".join("abcdefghi")),
        ("a\x00b\x1b[2J", "a b [2J"),
        ("\ud800", "\ufffd"),
        ("Accept.\U000e0073\U000e0061\U000e0079", "Accept."),
        ("😀" + "\ufe0f" * 40, "😀\ufe0f"),
        ("🏴" + "\U000e0067" * 40 + "\U000e007f", "🏴"),
    ],
)
def test_what_cannot_be_seen_is_dropped_and_line_breaks_are_marked(text: str, data: str) -> None:
    assert as_data(text) == data


@given(st.text())
def test_every_line_of_data_but_the_first_is_marked(text: str) -> None:
    for shown in (as_data(text), folded(as_data(text))):
        assert all(line.startswith("|") for line in shown.splitlines()[1:])


@given(st.lists(st.sampled_from([*"<>[]|｜＜＞／/\n", "im_start", "INST", "ｓ", "s", "SYS", *UNSEEN])).map("".join))
def test_no_marker_is_put_together_from_pieces(text: str) -> None:
    shown = folded(as_data(text))
    assert not any(marker in shown for marker in ("<|im_start|>", "[INST]", "[/INST]", "<s>", "</s>", "<<SYS>>"))


@given(st.text())
def test_data_of_one_line_stays_data(text: str) -> None:
    once = as_data(text)
    if "\n" not in once:
        assert as_data(once) == once


@given(st.text(alphabet=st.characters(categories=["L", "N", "Zs", "P"], exclude_characters="<[|｜"), max_size=80))
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert as_data(text) == text.strip()
