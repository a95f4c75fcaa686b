from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automix_graph.errors import ConfigurationError
from automix_graph.retrieval import FaissStore
from automix_graph.testing.embeddings import HashEmbeddings

KEYS = ["a", "b.c", 'quo"te', "back\\slash", "键", "", "a b", "a\0", "a\x01", "\\u0000"]
NULS = ["a", "a\0", "a\0\0", "a\0\1", "a\1", "a\1\1", "a\1\2", "a\2", "a\\\0", "a\\", "a\\u0000", "\\\\u0001"]
TEXTS = st.sampled_from([*"ab键'", *NULS])
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -2.0]) | TEXTS
METADATA = st.dictionaries(st.sampled_from(KEYS), SCALARS | st.lists(SCALARS, max_size=2), max_size=4)
ORDERED = st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | TEXTS
OPERATORS = st.one_of(
    st.fixed_dictionaries({"$eq": SCALARS}),
    st.fixed_dictionaries({"$ne": SCALARS}),
    st.fixed_dictionaries({"$in": st.lists(SCALARS, max_size=3)}),
    st.fixed_dictionaries({"$nin": st.lists(SCALARS, max_size=3)}),
    *(st.fixed_dictionaries({operator: ORDERED}) for operator in ("$gt", "$gte", "$lt", "$lte")),
)
CONDITION = SCALARS | OPERATORS | st.fixed_dictionaries({"$not": OPERATORS})
FILTERS = st.recursive(
    st.dictionaries(st.sampled_from(KEYS), CONDITION, max_size=2),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"$or": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"$not": inner}),
    ),
    max_leaves=4,
)


def kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return repr(value)
    return "number" if isinstance(value, int | float) else type(value).__name__


def equal(left: Any, right: Any) -> bool:
    return kind(left) == kind(right) and left == right


def passes(metadata: dict[str, Any], conditions: dict[str, Any]) -> bool:
    """What the documentation of filters says, in Python."""
    return all(_condition(metadata, key, value) for key, value in conditions.items())


def _condition(metadata: dict[str, Any], key: str, value: Any) -> bool:
    match key:
        case "$and":
            return all(passes(metadata, part) for part in value)
        case "$or":
            return any(passes(metadata, part) for part in value)
        case "$not":
            return not passes(metadata, value)
    field = metadata.get(key)
    operators = value if isinstance(value, dict) else {"$eq": value}
    return all(_operator(field, name, operand, metadata, key) for name, operand in operators.items())


def _operator(field: Any, name: str, operand: Any, metadata: dict[str, Any], key: str) -> bool:
    if name in ("$gt", "$gte", "$lt", "$lte"):
        if kind(field) != kind(operand):
            return False
        return {"$gt": field > operand, "$gte": field >= operand, "$lt": field < operand, "$lte": field <= operand}[
            name
        ]
    if name == "$not":
        return not _condition(metadata, key, operand)
    wanted = operand if name in ("$in", "$nin") else [operand]
    return any(equal(field, item) for item in wanted) is (name in ("$eq", "$in"))


@settings(max_examples=25, deadline=None)
@given(st.lists(METADATA, min_size=1, max_size=6), st.lists(FILTERS, min_size=1, max_size=5))
def test_agrees_with_a_brute_force_model(metadatas: list[dict[str, Any]], filters: list[dict[str, Any]]) -> None:
    with FaissStore(HashEmbeddings(4)) as store:
        ids = [str(n) for n in range(len(metadatas))]
        store.add_texts(["same words"] * len(ids), metadatas, ids=ids)
        for conditions in filters:
            expected = {id_ for id_, metadata in zip(ids, metadatas, strict=True) if passes(metadata, conditions)}
            for search_type in ("similarity", "bm25", "hybrid", "mmr"):
                found = store.search("same words", search_type, k=10, filter=conditions)
                assert {document.id for document in found} == expected, search_type
            by_function = store.similarity_search("same", k=10, filter=lambda m, c=conditions: passes(m, c))
            assert {document.id for document in by_function} == expected


def test_a_nul_is_a_character_like_any_other(store: FaissStore) -> None:
    metadatas = [{"tenant": "acme", "acl\0x": 1}, {"tenant": "acme\0evil"}]
    store.add_texts(["own", "planted"], metadatas, ids=["own", "planted"])
    for conditions, expected in (
        ({"tenant": "acme"}, {"own"}),
        ({"tenant": {"$ne": "acme"}}, {"planted"}),
        ({"tenant": "acme\0evil"}, {"planted"}),
        ({"tenant": {"$in": ["acme\0x", "b"]}}, set()),
        ({"tenant": {"$in": ["acme\0evil", "b"]}}, {"planted"}),
        ({"tenant": {"$nin": ["acme\0evil", "b"]}}, {"own"}),
        ({"acl": 1}, set()),
        ({"acl\0x": 1}, {"own"}),
        ({"acl\0y": 1}, set()),
    ):
        found = store.search("own planted", "hybrid", k=9, filter=conditions)
        assert {document.id for document in found} == expected, conditions


@pytest.mark.parametrize("operator", ["$eq", "$lt", "$in"])
def test_texts_compare_as_in_python_with_whatever_characters(store: FaissStore, operator: str) -> None:
    store.add_texts(NULS, [{"a": text} for text in NULS], ids=NULS)
    for text in NULS:
        found = store.similarity_search(
            "x", k=99, filter={"a": {operator: [text, "none"] if operator == "$in" else text}}
        )
        expected = {other for other in NULS if other < text} if operator == "$lt" else {text}
        assert {document.id for document in found} == expected, repr(text)


def test_finds_a_rare_match_far_down_the_ranking() -> None:
    n = 5_000
    with FaissStore(HashEmbeddings(4)) as store:
        texts = ["near near near"] * (n - 1) + ["near far away else"]
        store.add_texts(texts, [{"n": i} for i in range(n)], ids=[str(i) for i in range(n)])
        for search_type in ("similarity", "bm25", "hybrid", "mmr"):
            for wanted in ({"n": n - 1}, lambda metadata: metadata["n"] == n - 1):
                found = store.search("near near near", search_type, k=3, filter=wanted)
                assert [document.id for document in found] == [str(n - 1)], search_type


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"a": {"$foo": 1}}, r"unknown filter operator '\$foo'.*\$eq"),
        ({"$nor": []}, r"unknown filter operator '\$nor'.*\$and"),
        ({"a": {"$in": "abc"}}, r"'abc'; it takes a list"),
        ({"a": {"$gt": None}}, r"compares numbers or strings"),
        ({"a": {"$gt": True}}, r"compares numbers or strings"),
        ({"a": [1]}, r"'\$eq' got \[1\], a list"),
        ({"a": {"$in": [[1]]}}, r"'\$in' got \[1\], a list"),
        ({"a": {}}, r"empty mapping"),
        ({"a": math.nan}, r"must be finite"),
        ({"a": 2**63}, r"64 bits"),
        ({"a": "\ud800"}, r"lone surrogate"),
        ({"a": {"$in": ["b", "\ud800"]}}, r"lone surrogate"),
        ({"\ud800": 1}, r"lone surrogate"),
        ({1: 1}, r"filter key 1 is a int"),
        ({"$and": {"a": 1}}, r"takes a list"),
        ({"$or": []}, r"takes a list"),
        ({"$not": 3}, r"it must be a mapping"),
    ],
)
def test_says_what_is_wrong(store: FaissStore, conditions: Any, message: str) -> None:
    store.add_texts(["x"])
    for search_type in ("similarity", "bm25", "hybrid", "mmr"):
        with pytest.raises(ConfigurationError, match=message):
            store.search("x", search_type, filter=conditions)


def test_a_deep_filter_is_refused(store: FaissStore) -> None:
    store.add_texts(["x"])
    outside: dict[str, Any] = {"a": 1}
    inside: dict[str, Any] = {"$eq": 1}
    for _ in range(5_000):
        outside, inside = {"$not": outside}, {"$not": inside}
    for conditions in (outside, {"a": inside}):
        with pytest.raises(ConfigurationError, match="levels deep"):
            store.search("x", "hybrid", filter=conditions)


def test_many_values_fit(store: FaissStore) -> None:
    store.add_texts(["x", "y"], [{"n": 1}, {"n": 100_001}])
    found = store.similarity_search("x", filter={"n": {"$in": list(range(100_000))}})
    assert [document.page_content for document in found] == ["x"]


def test_an_error_in_a_function_leaves_the_store_usable(store: FaissStore) -> None:
    store.add_texts(["x", "y"], ids=["x", "y"])

    def fail(metadata: dict[str, Any]) -> bool:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine") as held:
        store.similarity_search("x", filter=fail)
    store.delete(["x"])  # while the traceback still holds the reader's frames
    assert held and [document.id for document in store.similarity_search("x")] == ["y"]
