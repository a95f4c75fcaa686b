"""Metadata filters: a mapping of conditions, compiled to SQL with every key and value bound.

Reads only the ``metadata`` column of ``passages``; knows nothing of searching.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from automix_graph.errors import ConfigurationError
from automix_graph.retrieval.entries import is_text

Filter = Mapping[str, Any] | Callable[[dict[str, Any]], bool]
"""Conditions on metadata as a mapping, or a function of the metadata."""

_COMPARISONS: Final = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_FIELD_OPERATORS: Final = ("$eq", "$ne", *_COMPARISONS, "$in", "$nin", "$not")
_LOGICAL_OPERATORS: Final = ("$and", "$or", "$not")
_INT64: Final = 2**63
_MAX_DEPTH: Final = 32

_METADATA: Final = r"""
    CASE WHEN instr(passages.metadata, '\u000') = 0 THEN passages.metadata ELSE replace(replace(replace(
        passages.metadata, '\\', '\u005c'), '\u0001', '\u0001\u0002'), '\u0000', '\u0001\u0001') END"""
"""Metadata whose texts are as `_without_nul` makes them. JSON has these two characters as escapes and no other way, and
what looks like one behind a backslash no longer does when the backslash is an escape itself."""

Sql = tuple[str, list[Any]]


def compile_filter(conditions: Mapping[str, Any]) -> Sql:
    """Return a mapping of conditions as an SQL expression over ``passages`` and its parameters.

    A key is the name of a metadata field, taken literally (``{"a.b": 1}`` asks for the field ``a.b``), with a value it
    must equal or a mapping of operators: ``$eq $ne $gt $gte $lt $lte $in $nin $not``. All conditions of a mapping must
    hold; ``$and`` and ``$or`` take a list of mappings, ``$not`` takes one. Values are strings, numbers, booleans and
    None, and compare only within their type: ``1 == 1.0``, but neither equals ``True`` or ``"1"``. A missing field
    reads as None, as ``metadata.get(key)`` does. ``$ne``, ``$nin`` and ``$not`` are the exact complements.

    Example:
        >>> sql, parameters = compile_filter({"year": {"$gte": 1990}})
        >>> parameters
        ['year', 1990]

    Raises:
        ConfigurationError: an unknown operator, or a value that an operator cannot take.
    """
    return _mapping(conditions, depth=0)


def _mapping(conditions: Any, *, depth: int) -> Sql:
    if not isinstance(conditions, Mapping):
        raise ConfigurationError(
            f"filter {conditions!r} is a {type(conditions).__name__}; it must be a mapping", code="bad-filter"
        )
    return _join("AND", [_condition(key, value, depth=depth + 1) for key, value in conditions.items()])


def _condition(key: Any, value: Any, *, depth: int) -> Sql:
    if depth > _MAX_DEPTH:
        raise ConfigurationError(
            f"filter is nested more than {_MAX_DEPTH} levels deep; write it flatter", code="bad-filter"
        )
    if not isinstance(key, str):
        raise ConfigurationError(
            f"filter key {key!r} is a {type(key).__name__}; metadata fields have string names", code="bad-filter"
        )
    _require_text(key)
    if key == "$not":
        return _negated(_mapping(value, depth=depth))
    if key in ("$and", "$or"):
        return _junction(key, value, depth=depth)
    if key.startswith("$"):
        raise _unknown(key, _LOGICAL_OPERATORS)
    if isinstance(value, Mapping):
        return _operators(key, value, depth=depth)
    return _member(key, [value], operator="$eq")


def _junction(operator: str, value: Any, *, depth: int) -> Sql:
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence) or not value:
        raise ConfigurationError(
            f"filter operator {operator!r} got {value!r}; it takes a list of one or more mappings", code="bad-filter"
        )
    return _join("AND" if operator == "$and" else "OR", [_mapping(part, depth=depth) for part in value])


def _operators(field: str, operators: Mapping[Any, Any], *, depth: int) -> Sql:
    if not operators:
        raise ConfigurationError(
            f"filter on {field!r} is an empty mapping; give a value or one of {', '.join(_FIELD_OPERATORS)}",
            code="bad-filter",
        )
    return _join("AND", [_operator(field, name, value, depth=depth) for name, value in operators.items()])


def _operator(field: str, name: Any, value: Any, *, depth: int) -> Sql:
    match name:
        case "$eq":
            return _member(field, [value], operator=name)
        case "$ne":
            return _negated(_member(field, [value], operator=name))
        case "$in":
            return _member(field, _values(name, value), operator=name)
        case "$nin":
            return _negated(_member(field, _values(name, value), operator=name))
        case "$not":
            return _negated(_condition(field, value, depth=depth + 1))
        case "$gt" | "$gte" | "$lt" | "$lte":
            return _comparison(field, name, value)
        case _:
            raise _unknown(name, _FIELD_OPERATORS)


def _values(name: str, value: Any) -> list[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    raise ConfigurationError(
        f"filter operator {name!r} got {value!r}; it takes a list, tuple or set of values", code="bad-filter"
    )


def _member(field: str, values: list[Any], *, operator: str) -> Sql:
    """Whether the field is one of the values, told apart by JSON type."""
    texts = [_without_nul(value) for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    parts: list[Sql] = []
    for value in values:
        _require_scalar(value, operator=operator)
    if texts:
        parts.append(_exists(field, *_one_of("f.type = 'text'", texts)))
    if numbers:
        parts.append(_exists(field, *_one_of("f.type IN ('integer', 'real')", numbers)))
    parts += [_exists(field, f"f.type = '{json.dumps(value)}'", []) for value in (True, False) if _holds(values, value)]
    if _holds(values, None):
        parts.append(_negated(_exists(field, "f.type <> 'null'", [])))
    return _join("OR", parts)


def _one_of(condition: str, values: list[Any]) -> Sql:
    if len(values) == 1:
        return f"{condition} AND f.atom = ?", values
    # One parameter however many values, because SQLite limits the number of parameters.
    packed = json.dumps(values, ensure_ascii=False)
    return f"{condition} AND f.atom IN (SELECT value FROM json_each(?))", [packed]


def _comparison(field: str, name: str, value: Any) -> Sql:
    _require_scalar(value, operator=name)
    if value is None or isinstance(value, bool):
        raise ConfigurationError(
            f"filter operator {name!r} got {value!r}; it compares numbers or strings", code="bad-filter"
        )
    comparison = f"f.atom {_COMPARISONS[name]} ?"
    if isinstance(value, str):
        return _exists(field, f"f.type = 'text' AND {comparison}", [_without_nul(value)])
    return _exists(field, f"f.type IN ('integer', 'real') AND {comparison}", [value])


def _exists(field: str, condition: str, parameters: list[Any]) -> Sql:
    # json_each compares the name itself, where a JSON path would need quoting that SQLite cannot do for every name.
    sql = f"EXISTS (SELECT 1 FROM json_each({_METADATA}) AS f WHERE f.key = ? AND {condition})"
    return sql, [_without_nul(field), *parameters]


def _without_nul(text: str) -> str:
    r"""Return a text as another one without NUL, where every text that JSON functions of SQLite give would end.

    Different texts stay different, and in the same order: ``\x00`` becomes ``\x01\x01``, and ``\x01`` ``\x01\x02``.
    """
    return text.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")


def _join(word: str, parts: Sequence[Sql]) -> Sql:
    if not parts:
        return ("1" if word == "AND" else "0"), []
    return "(" + f" {word} ".join(sql for sql, _ in parts) + ")", [value for _, values in parts for value in values]


def _negated(part: Sql) -> Sql:
    return f"NOT {part[0]}", part[1]


def _holds(values: list[Any], wanted: bool | None) -> bool:
    return any(value is wanted for value in values)


def _require_scalar(value: Any, *, operator: str) -> None:
    if not isinstance(value, str | int | float | bool | None):
        raise ConfigurationError(
            f"filter operator {operator!r} got {value!r}, a {type(value).__name__}; "
            "values are strings, numbers, booleans and None (for anything else pass a function of the metadata)",
            code="bad-filter",
        )
    if isinstance(value, str):
        _require_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigurationError(
            f"filter operator {operator!r} got {value!r}; numbers must be finite", code="bad-filter"
        )
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise ConfigurationError(
            f"filter operator {operator!r} got {value!r}; whole numbers must fit 64 bits", code="bad-filter"
        )


def _require_text(text: str) -> None:
    if not is_text(text):
        raise ConfigurationError(
            f"filter has {text!r}, with a lone surrogate, which no stored text can have: decode it properly",
            code="bad-filter",
        )


def _unknown(operator: Any, known: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        f"unknown filter operator {operator!r}; known here are {', '.join(known)}", code="bad-filter"
    )
