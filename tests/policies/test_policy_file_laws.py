"""Laws of policy files: what is loaded is what was saved; a file that was changed is another policy, or is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_saved import policies

from automix_graph.errors import ConfigurationError
from automix_graph.policies import Policy, load_policy, load_provenance, policy_to_data, save_policy
from automix_graph.policies.forms import _FORMS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("policies")


def loads_or_is_refused(path: Path) -> None:
    """Check that a file holds a policy that saving keeps, or is refused by name."""
    try:
        policy = load_policy(path)
    except ConfigurationError as error:
        assert str(path) in str(error)
        with pytest.raises(ConfigurationError):
            load_provenance(path)
        return
    again = path.with_name("again.json")
    save_policy(policy, again)
    assert load_policy(again) == policy


def test_the_strategy_has_every_kind_of_policy() -> None:
    found: set[str] = set()

    @settings(max_examples=300, database=None, derandomize=True, deadline=None)
    @given(policies)
    def collect(policy: Policy) -> None:
        found.add(policy_to_data(policy)["policy"])

    collect()
    assert found == set(_FORMS)


@settings(max_examples=80, deadline=None)
@given(policy=policies, data=st.data())
def test_a_file_with_other_bytes(policy: Policy, data: st.DataObject, folder: Path) -> None:
    path = folder / "bytes.json"
    save_policy(policy, path)
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 6)))
    content[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from([b"1e999", b"NaN", b"[", b"}", b"-1", b"0"]))
    path.write_bytes(content)
    loads_or_is_refused(path)


@settings(max_examples=80, deadline=None)
@given(policy=policies, data=st.data())
def test_a_file_with_other_values(policy: Policy, data: st.DataObject, folder: Path) -> None:
    path = folder / "values.json"
    save_policy(policy, path)
    content = json.loads(path.read_text(encoding="utf-8"))
    place = data.draw(st.sampled_from(list(places(content))))
    path.write_text(json.dumps(replaced(content, place, data.draw(JSON))), encoding="utf-8")
    loads_or_is_refused(path)


def places(value: Any, here: tuple[Any, ...] = ()) -> Any:
    """Go through the places of all values of JSON data."""
    yield here
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*here, key))


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Return JSON data with another value at a place."""
    if not place:
        return new
    key, *rest = place
    if isinstance(value, dict):
        return {**value, key: replaced(value[key], tuple(rest), new)}
    return [*value[:key], replaced(value[key], tuple(rest), new), *value[key + 1 :]]
