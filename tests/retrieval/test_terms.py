from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.terms import MAX_QUERY_TERMS, TOKENIZER, index_terms, match_expression

TEXTS = {
    "gpt": "GPT-4 was released in March 2023; GPT-3.5 came before.",
    "cpp": "C++ and C# are programming languages.",
    "fox": "The quick brown foxes were running past Müller's café.",
    "yuan": "元朝宫廷中，西医也被聂斯托利派基督徒使用。",
    "dragon": "西游记里有一条龙。",
    "tokyo": "東京タワーは1958年に完成した。",
    "hangul": "서울은 대한민국의 수도이다.",
    "wide": "ＦＵＬＬ　ＷＩＤＴＨ１２３",
}


@pytest.fixture
def filled(store: FaissStore) -> FaissStore:
    store.add_texts(list(TEXTS.values()), ids=list(TEXTS))
    return store


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("gpt-4", "gpt"),
        ("GPT 4", "gpt"),
        ("version 3.5?", "gpt"),
        ("C++", "cpp"),
        ("c#", "cpp"),
        ("who runs?", "fox"),
        ("muller", "fox"),
        ("Müller’s", "fox"),
        ("cafe", "fox"),
        ("foxes", "fox"),
        ("西医机构是何时创立的？", "yuan"),
        ("元", "yuan"),
        ("龙", "dragon"),
        ("タワー", "tokyo"),
        ("대한민국", "hangul"),
        ("full width123", "wide"),
        ("full", "wide"),
        ("the the the", "fox"),
    ],
)
def test_finds(filled: FaissStore, query: str, expected: str) -> None:
    assert [document.id for document in filled.search(query, "bm25", k=1)] == [expected]


@pytest.mark.parametrize("query", ["", "  ", "?!…", "\"'*", "()", "zebra", "+-#"])
def test_finds_nothing_without_a_known_word(filled: FaissStore, query: str) -> None:
    assert filled.search(query, "bm25", k=5) == []


def test_a_stop_word_does_not_decide(filled: FaissStore) -> None:
    filled.add_texts(["what is the what is the of"], ids=["stop"])
    assert [document.id for document in filled.search("what is the C++ of", "bm25", k=5)] == ["cpp"]


def test_stop_words_alone_are_searched(filled: FaissStore) -> None:
    filled.add_texts(["The Who"], ids=["band"])
    assert filled.search("The Who", "bm25", k=1)[0].id == "band"


def test_every_character_of_a_run_begins_a_term() -> None:
    assert {term[0] for term in index_terms("天地玄黄").split()} == set("天地玄黄")


def test_a_long_query_has_a_bounded_number_of_terms(filled: FaissStore) -> None:
    query = " ".join(f"word{n}" for n in range(12_000))
    assert len(query) > 100_000
    expression = match_expression(query)
    assert expression is not None
    assert expression.count(" OR ") == MAX_QUERY_TERMS - 1
    assert filled.search(f"cafe {query}", "bm25")[0].id == "fox"


@settings(max_examples=200, deadline=None)
@given(st.text() | st.text(alphabet="\"'*()^:-+#. ANDORNEAR龙の\0\t{}") | st.text(alphabet='NEAR("a" ,5)*:^'))
def test_no_text_is_an_invalid_query(query: str) -> None:
    expression = match_expression(query)
    if expression is not None:
        TABLE.execute("SELECT bm25(t) FROM t WHERE t MATCH ?", [expression]).fetchall()


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_a_text_is_found_by_itself(text: str) -> None:
    expression = match_expression(text)
    TABLE.execute("BEGIN")
    TABLE.execute("INSERT INTO t (rowid, x) VALUES (1, ?)", [index_terms(text)])
    try:
        # Characters newer than SQLite's Unicode tables are no terms; FTS5 then has nothing to match.
        known = TABLE.execute("SELECT count(*) FROM v").fetchone()[0] > 0
        if expression is not None and known:
            assert TABLE.execute("SELECT rowid FROM t WHERE t MATCH ?", [expression]).fetchall() == [(1,)]
    finally:
        TABLE.execute("ROLLBACK")


TABLE = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
TABLE.execute(f"CREATE VIRTUAL TABLE t USING fts5(x, content='', tokenize=\"{TOKENIZER}\")")
TABLE.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'row')")


@pytest.fixture(scope="module", autouse=True)
def _close_table() -> object:
    yield
    TABLE.close()
