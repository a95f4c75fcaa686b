import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.calibration.splitting import one_row_per_group, split_rows

LABELS = st.lists(
    st.one_of(st.text(max_size=3), st.integers(), st.tuples(st.integers(0, 3), st.text(max_size=2))),
    min_size=2,
    max_size=40,
).filter(lambda labels: len(set(labels)) > 1)


@given(LABELS, st.integers(0, 2**64), st.floats(0.01, 0.99), st.randoms())
def test_groups_stay_whole_and_go_the_same_way_in_any_order(labels: list, seed: int, share: float, random) -> None:
    split = split_rows(labels, seed=seed, selection_share=share)
    selected = {labels[row] for row in split.selection}
    certifying = {labels[row] for row in split.certification}
    assert not selected & certifying
    assert selected
    assert certifying
    assert sorted([*split.selection, *split.certification]) == list(range(len(labels)))

    shuffled = random.sample(labels, len(labels))
    again = split_rows(shuffled, seed=seed, selection_share=share)
    assert {shuffled[row] for row in again.selection} == selected


def test_the_share_is_met_and_seeds_differ() -> None:
    labels = [f"q{number}" for number in range(1000)]
    halves = [split_rows(labels, seed=seed, selection_share=0.5).selection for seed in range(50)]
    assert {half.size for half in halves} == {500}
    # the share of one half in another is 0.5 with a standard deviation of 0.016
    overlaps = [np.intersect1d(halves[0], half).size / 500 for half in halves[1:]]
    assert max(abs(overlap - 0.5) for overlap in overlaps) < 0.08
    assert split_rows(labels, seed=0, selection_share=0.123).selection.size == 123
    # each group is as likely as any other
    times = np.bincount(np.concatenate(halves), minlength=1000)
    assert times.var() == pytest.approx(50 * 0.25, rel=0.25)


def test_unequal_groups_come_near_the_share() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(300), generator.integers(1, 10, 300))
    split = split_rows(labels, seed=1, selection_share=0.3)
    assert abs(split.selection.size - 0.3 * labels.size) <= 5


def test_equal_names_are_one_group_however_they_are_written() -> None:
    plain = ["a", "b", 1, 2, 0.5, "c", 7, 8]
    others = [np.str_("a"), np.str_("b"), 1.0, np.int64(2), np.float32(0.5), "c", np.float64(7), Fraction(8)]
    for seed in range(30):
        expected = split_rows(plain[:7], seed=seed).selection.tolist()
        assert split_rows(others[:7], seed=seed).selection.tolist() == expected
    array = np.array(["x", "y", "z", "x"])
    assert split_rows(array, seed=3).selection.tolist() == split_rows(array.tolist(), seed=3).selection.tolist()


def test_names_that_look_alike_are_not_the_same() -> None:
    # each seed orders "1" and 1 anew, and not always alike
    first = [split_rows(["1", 1], seed=seed, selection_share=0.5).selection.item() for seed in range(60)]
    assert set(first) == {0, 1}
    assert split_rows([("a", "b"), ("ab", "")], seed=0).selection.size == 1


def test_other_processes_split_alike() -> None:
    code = (
        "from automix_graph.calibration.splitting import split_rows;"
        "print(split_rows([f'q{i}' for i in range(20)] + [('a', 1), None.__class__], seed=5).selection.tolist())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_one_row_per_group() -> None:
    labels = ["a", "b", "a", "c", "a", "b"]
    drawn = [one_row_per_group(labels, seed=seed) for seed in range(200)]
    for rows in drawn:
        assert sorted(labels[row] for row in rows) == ["a", "b", "c"]
        assert rows.tolist() == sorted(rows.tolist())
    times = np.bincount(np.concatenate(drawn), minlength=6)
    assert times[3] == 200
    assert times[[0, 2, 4]].min() > 40
    assert times[[1, 5]].min() > 70
    assert one_row_per_group(labels, seed=1).tolist() == one_row_per_group(labels, seed=1).tolist()


def test_refusals() -> None:
    with pytest.raises(ValueError, match="groups names 1 group"):
        split_rows(["a", "a"], seed=0)
    with pytest.raises(ValueError, match="groups names 0 group"):
        split_rows([], seed=0)
    with pytest.raises(ValueError, match="seed is -1"):
        split_rows(["a", "b"], seed=-1)
    with pytest.raises(ValueError, match=r"selection_share is 1\.0"):
        split_rows(["a", "b"], seed=0, selection_share=1.0)
    with pytest.raises(ValueError, match="groups holds None at row 1"):
        split_rows(["a", None], seed=0)
