"""Policies fitted to columns: exact numbers, brute force, and populations whose truth is known."""

import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from automix_graph.calibration.binning import Binning, quantile_bins
from automix_graph.calibration.fit_optimal_stopping import fit_optimal_stopping
from automix_graph.calibration.fit_pomdp import fit_pomdp
from automix_graph.calibration.fit_thresholds import fit_double_threshold, fit_threshold
from automix_graph.calibration.fit_utility import fit_utility
from automix_graph.policies import Bins, ColumnPolicy, Judged, follow

Column = NDArray[np.float64]
Fit = Callable[[Column, Column, Column, float, float], ColumnPolicy]

FITS: dict[str, Fit] = {
    "threshold": lambda sure, ours, theirs, cost, lam: fit_threshold(
        sure, small=ours, large=theirs, cost=cost, lam=lam
    ),
    "double": lambda sure, ours, theirs, cost, lam: fit_double_threshold(
        sure, small=ours, large=theirs, cost=cost, lam=lam
    ),
    "binned": lambda sure, ours, theirs, cost, lam: fit_utility(sure, small=ours, large=theirs, cost=cost, lam=lam),
    "isotonic": lambda sure, ours, theirs, cost, lam: fit_utility(
        sure, small=ours, large=theirs, cost=cost, lam=lam, shape="isotonic"
    ),
    "pomdp": lambda sure, ours, theirs, cost, lam: fit_pomdp([sure], [ours, theirs], costs=[1, cost], lam=lam),
    "stopping": lambda sure, ours, theirs, cost, lam: fit_optimal_stopping(
        [sure], [ours, theirs], costs=[1, cost], lam=lam
    ),
}


def column(confidence: Any) -> Judged:
    sure = np.asarray(confidence, dtype=np.float64)
    return Judged(confidence=sure, correct=sure > 0.5)


def in_parts(low: float, middle: float, high: float) -> Callable[[Column], Column]:
    return lambda sure: np.select([sure < 0.3, sure < 0.7], [low, middle], high)


def drawn(small: Callable[[Column], Column], large: Callable[[Column], Column], n: int, seed: int) -> list[Column]:
    random = np.random.default_rng(seed)
    sure = random.random(n)
    return [sure, *((random.random(n) < chance(sure)).astype(float) for chance in (small, large))]


def worth(
    policy: ColumnPolicy, small: Callable[[Column], Column], large: Callable[[Column], Column], price: float
) -> float:
    """Return what a policy adds to keeping everything, over the whole population: its escalations' mean gain."""
    sure = (np.arange(30_000) + 0.5) / 30_000
    return float(np.mean(np.where(policy.accepts([column(sure)]), 0.0, large(sure) - small(sure) - price)))


@pytest.mark.parametrize("seed", range(5))
def test_value_in_the_middle_of_the_scale_is_found_and_missed_by_one_threshold(seed: int) -> None:
    # The gain is -0.4 below 0.3, 0.5 up to 0.7, and 0 above, for a price of 0.2: the middle is worth 0.3 * 0.4 = 0.12,
    # and whatever else escalates loses. One threshold has to take the lower part along: 0.12 - 0.6 * 0.3 < 0, so that
    # it keeps everything.
    small, large = in_parts(0.6, 0.4, 0.9), in_parts(0.2, 0.9, 0.9)
    sure, ours, theirs = drawn(small, large, 3000, seed)
    found = {name: worth(fit(sure, ours, theirs, 20.0, 0.01), small, large, 0.2) for name, fit in FITS.items()}
    assert min(found[name] for name in ("double", "binned", "pomdp", "stopping")) > 0.105
    assert max(found[name] for name in ("threshold", "isotonic")) < 0.005


@pytest.mark.parametrize("name", FITS)
def test_a_confidence_that_tells_nothing_keeps_or_escalates_all(name: str) -> None:
    flat = in_parts(0.5, 0.5, 0.5)
    for large, everything in ((0.9, True), (0.6, False), (0.4, False)):
        sure, ours, theirs = drawn(flat, in_parts(large, large, large), 3000, 1)
        sure[0] = 0.999  # a threshold of 1 keeps a confidence of exactly 1 only
        kept = FITS[name](sure, ours, theirs, 20.0, 0.01).accepts([column(sure)])
        assert kept.mean() < 0.02 if everything else kept.mean() > 0.98


@pytest.mark.parametrize("name", FITS)
def test_informative_confidence_is_used(name: str) -> None:
    # Small is right with the probability of its confidence, large always with 0.9: the gain 0.9 - c is above 0.2 for c
    # below 0.7, which is worth the integral of 0.7 - c over [0, 0.7], 0.245.
    small, large = (lambda sure: sure), in_parts(0.9, 0.9, 0.9)
    sure, ours, theirs = drawn(small, large, 3000, 2)
    assert worth(FITS[name](sure, ours, theirs, 20.0, 0.01), small, large, 0.2) > 0.235


@settings(deadline=None)
@given(
    values=st.lists(st.integers(0, 12), min_size=1, max_size=80),
    most=st.integers(1, 14),
    least=st.integers(1, 10),
)
def test_bins_are_filled_and_few(values: list[int], most: int, least: int) -> None:
    sure = np.array(values) / 12
    bins = quantile_bins(sure, most=most, least_rows=least)
    rows = np.bincount(bins.indices(sure), minlength=bins.count)
    assert bins.count <= most
    assert bins.count == 1 or rows.min() >= least
    assert not set(bins.edges) & set(np.unique(sure)[:-1].tolist())


def test_votes_have_a_bin_each_and_an_atom_costs_the_rest_none() -> None:
    votes = np.repeat(np.arange(9) / 8, 30)
    assert quantile_bins(votes, most=10, least_rows=20).edges == tuple((2 * k + 1) / 16 for k in range(8))
    uneven = np.repeat(np.arange(5) / 4, [25, 400, 20, 30, 400])
    assert quantile_bins(uneven, most=10, least_rows=20).edges == (0.125, 0.375, 0.625, 0.875)
    atom = np.concatenate([np.linspace(0, 0.5, 450), np.ones(550)])
    rows = np.bincount(quantile_bins(atom, most=10, least_rows=20).indices(atom))
    assert rows.tolist() == [100] * 4 + [50, 550]


def test_a_bin_edge_survives_neighbouring_floats() -> None:
    low = 0.5
    high = float(np.nextafter(low, 1.0))
    bins = quantile_bins([low] * 5 + [high] * 5, most=2, least_rows=5)
    assert (bins.index(low), bins.index(high)) == (0, 1)


def test_gains_are_smoothed_towards_what_confidence_should_tell() -> None:
    # Mean gains 0.1 and 0.5 over 40 rows each; nearest non-increasing curve 0.3 and 0.3, which counts as 30 rows.
    # What is within and between bins says less: 0.09 and 0.25 against 0.2 squared.
    sure, ours = [0.2] * 40 + [0.8] * 40, [0] * 80
    theirs = [1] * 4 + [0] * 36 + [1] * 20 + [0] * 20
    fitted = fit_utility(sure, small=ours, large=theirs, cost=[10, 30] * 40, lam=0.01)
    assert fitted.gain.bins == Bins((0.5,))
    assert fitted.gain.values == pytest.approx(((40 * 0.1 + 30 * 0.3) / 70, (40 * 0.5 + 30 * 0.3) / 70))
    assert (fitted.cost, fitted.lam, fitted.best) == (20.0, 0.01, None)
    monotone = fit_utility(sure, small=ours, large=theirs, cost=20, lam=0.01, shape="isotonic")
    assert monotone.gain.values == pytest.approx((0.3,))
    assert monotone.gain.bins == Bins(())
    # What does fall with confidence is taken as it is, and the better answer is what a floor is compared with.
    falling = fit_utility(sure, small=ours, large=theirs[::-1], cost=20, lam=0.01, abstain_below=0.3)
    assert falling.gain.values == pytest.approx((0.5, 0.1))
    assert falling.best is not None
    assert falling.best.values == pytest.approx((0.5, 0.1))
    assert falling.moves([column([0.2, 0.8])], 2).tolist() == [1, -1]


@pytest.mark.parametrize("name", FITS)
def test_rows_of_one_question_count_as_one(name: str) -> None:
    sure, ours, theirs = drawn(lambda c: c, in_parts(0.9, 0.9, 0.9), 300, 3)
    twice = [np.concatenate([each, each[:150]]) for each in (sure, ours, theirs)]
    groups = np.concatenate([np.arange(300), np.arange(150)])
    weighed: dict[str, Callable[..., Any]] = {
        "threshold": lambda sure, ours, theirs, **g: fit_threshold(
            sure, small=ours, large=theirs, cost=20, lam=0.01, **g
        ),
        "double": lambda sure, ours, theirs, **g: fit_double_threshold(
            sure, small=ours, large=theirs, cost=20, lam=0.01, **g
        ),
        "binned": lambda sure, ours, theirs, **g: (
            fit_utility(sure, small=ours, large=theirs, cost=20, lam=0.01, **g).gain.bins
        ),
        "isotonic": lambda sure, ours, theirs, **g: (
            fit_utility(sure, small=ours, large=theirs, cost=20, lam=0.01, shape="isotonic", **g).gain.bins
        ),
        "pomdp": lambda sure, ours, theirs, **g: fit_pomdp([sure], [ours, theirs], costs=[1, 20], lam=0.01, **g).table,
        "stopping": lambda sure, ours, theirs, **g: (
            fit_optimal_stopping([sure], [ours, theirs], costs=[1, 20], lam=0.01, **g).table
        ),
    }
    assert weighed[name](*twice, groups=groups) == weighed[name](sure, ours, theirs)


@settings(deadline=None, max_examples=40)
@given(data=st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), min_size=2, max_size=25))
def test_thresholds_are_the_best_there_are(data: list[tuple[int, bool, bool]]) -> None:
    sure, ours, theirs = np.array(data, dtype=np.float64).T
    sure = sure / 10
    fine, price = Binning(most=100, least_rows=1), 0.3

    def net(policy: ColumnPolicy) -> float:
        return float(np.sum(np.where(policy.accepts([column(sure)]), 0.0, theirs - ours - price)))

    def best(bands: Any) -> float:
        return max(float(np.sum((theirs - ours - price)[(sure >= low) & (sure < high)])) for low, high in bands)

    ends = [k / 20 for k in range(21)]
    given_ = {"small": ours, "large": theirs, "cost": 30.0, "lam": 0.01, "binning": fine}
    assert net(fit_threshold(sure, **given_)) == pytest.approx(best((0.0, end) for end in ends))
    assert net(fit_double_threshold(sure, **given_)) == pytest.approx(best(itertools.product(ends, ends)))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), lam=st.sampled_from([0.002, 0.005, 0.01, 0.02]), n=st.integers(60, 400))
def test_with_two_tiers_optimal_stopping_is_the_utility_policy(seed: int, lam: float, n: int) -> None:
    sure, ours, theirs = drawn(lambda c: 0.8 * c, lambda c: 0.6 + 0.2 * np.sin(9 * c), n, seed)
    utility = fit_utility(sure, small=ours, large=theirs, cost=20, lam=lam)
    stopping = fit_optimal_stopping([sure], [ours, theirs], costs=[1, 20], lam=lam)
    asked = [column(np.linspace(0, 1, 500))]
    for quality in stopping.quality[1]:
        if quality in (0.0, 1.0):
            return  # the estimate was clipped to what a quality can be
    assert stopping.accepts(asked).tolist() == utility.accepts(asked).tolist()


def test_pomdp_counts_by_hand() -> None:
    # 60 rows at 0.2: 10 easy, 30 need large, 20 unsolvable; 40 at 0.8: 32 easy (large wrong on 8 of these), 4, 4.
    rows = [(0.2, 1, 1)] * 10 + [(0.2, 0, 1)] * 30 + [(0.2, 0, 0)] * 20
    rows += [(0.8, 1, 1)] * 24 + [(0.8, 1, 0)] * 8 + [(0.8, 0, 1)] * 4 + [(0.8, 0, 0)] * 4
    sure, ours, theirs = np.array(rows).T
    policy = fit_pomdp([sure], [ours, theirs], costs=[1, 20], lam=0.01)
    assert policy.prior == pytest.approx((43 / 103, 35 / 103, 25 / 103))
    easy, needs, lost = policy.observation[0]
    assert (easy, needs, lost) == (
        pytest.approx((11 / 44, 33 / 44)),
        pytest.approx((31 / 36, 5 / 36)),
        pytest.approx((21 / 26, 5 / 26)),
    )
    assert policy.quality == ((1.0, 0.0, 0.0), (pytest.approx(34 / 42), 1.0, 0.0))
    # Bayes' rule with these numbers: the gain at 0.2 is 0.4549, at 0.8 it is -0.0366 by hand.
    weights = np.array(policy.prior)[:, None] * np.array(policy.observation[0])
    gains = (np.array([34 / 42 - 1, 1, 0]) @ weights) / weights.sum(axis=0)
    for lam, table in ((gains[0] / 20 + 1e-6, [0, 0]), (gains[0] / 20 - 1e-6, [1, 0])):
        assert fit_pomdp([sure], [ours, theirs], costs=[1, 20], lam=lam).table == (table,)


def test_pomdp_states_that_no_row_shows_go_by_their_definition() -> None:
    sure = [0.2] * 50 + [0.8] * 50
    policy = fit_pomdp([sure], [[1] * 100, [1] * 100], costs=[1, 20], lam=0.0)
    assert policy.quality == ((1.0, 0.0, 0.0), (1.0, 1.0, 0.0))


def test_three_tiers_are_fitted_to_skip_what_is_useless() -> None:
    # Below 0.5 the middle model is as weak as the small one, above it as good as the large one.
    random = np.random.default_rng(5)
    n = 4000
    first, second = random.random(n), random.random(n)
    chances = [np.where(first < 0.5, low, high) for low, high in ((0.2, 0.4), (0.2, 0.9), (0.9, 0.9))]
    qualities = [(random.random(n) < chance).astype(float) for chance in chances]
    for fit in (fit_optimal_stopping, fit_pomdp):
        policy = fit([first, second], qualities, costs=[1, 4, 30], lam=0.01)
        paths = follow(policy, [column(first), column(second)])
        assert np.mean(paths.asked[first < 0.48][:, 2]) > 0.99
        assert np.mean(paths.end[first > 0.52] == 1) > 0.98
    # Optimal: 0.9 - 0.3 in one half, 0.9 - 0.04 in the other.
    stopping = fit_optimal_stopping([first, second], qualities, costs=[1, 4, 30], lam=0.01)
    paths = follow(stopping, [column(first), column(second)])
    true = np.stack(chances)[paths.end, np.arange(n)] - 0.01 * (paths.asked @ [0, 4, 30])
    assert np.mean(true) == pytest.approx((0.6 + 0.86) / 2, abs=0.01)
    assert not paths.asked[first < 0.48][:, 1].any()


def test_a_joint_table_by_hand() -> None:
    # Bins of both confidences, rows, and how many of these the middle model gets right; the small one is right in 12 of
    # 40 and 28 of 40 by its own confidence.
    cells = {(0.2, 0.2): (30, 6), (0.2, 0.8): (10, 5), (0.8, 0.2): (10, 5), (0.8, 0.8): (30, 24)}
    rows = [(a, b, k < right) for (a, b), (n, right) in cells.items() for k in range(n)]
    first, second, middle = np.array(rows, dtype=np.float64).T
    small = np.concatenate([np.arange(40) < 12, np.arange(40) < 28]).astype(float)
    policy = fit_optimal_stopping(
        [first, second], [small, middle, np.ones(80)], costs=[1, 2, 3], lam=0.0, binning=Binning(pseudo_rows=10.0)
    )
    assert policy.bins == (Bins((0.5,)), Bins((0.5,)))
    # One row a bin, spread as the second confidence falls by itself: 30 + 1 of 40 + 2.
    assert policy.mass == pytest.approx((31 / 84, 11 / 84, 11 / 84, 31 / 84))
    # By its own confidence alone, whatever the second one is: the means are monotone already, and need no smoothing.
    assert policy.quality[0] == pytest.approx((0.3, 0.3, 0.7, 0.7))
    # By the second confidence 11 and 29 of 40. Within cells the squares are 2 (30 * 0.16 + 10 * 0.25), over 80 - 4; the
    # means lie 0.075 (30 rows) and 0.225 (10 rows) off, and two of four are fitted.
    within = 2 * (30 * 0.16 + 10 * 0.25) / 76
    between = (2 * (30 * 0.075**2 + 10 * 0.225**2) - 2 * within) / 80
    weight = within / between
    assert weight > 10
    assert policy.quality[1] == pytest.approx(
        (
            (6 + weight * 0.275) / (30 + weight),
            (5 + weight * 0.725) / (10 + weight),
            (5 + weight * 0.275) / (10 + weight),
            (24 + weight * 0.725) / (30 + weight),
        )
    )
    assert policy.quality[2] == pytest.approx((1, 1, 1, 1))


def test_combinations_that_no_row_shows_are_worth_what_the_own_confidence_says() -> None:
    together, right = [0.2] * 50 + [0.8] * 50, [0.0] * 50 + [1.0] * 50
    policy = fit_optimal_stopping(
        [together, together], [right, right, [1.0] * 100], costs=[1, 2, 3], lam=0.01, binning=Binning(pseudo_rows=0)
    )
    assert policy.quality == ((0, 0, 1, 1), (0, 1, 0, 1), (1, 1, 1, 1))
    assert policy.mass == pytest.approx((51 / 104, 1 / 104, 1 / 104, 51 / 104))


def test_few_rows_still_tell_high_from_low() -> None:
    random = np.random.default_rng(0)
    policy = fit_optimal_stopping(random.random((5, 60)), random.random((6, 60)), costs=[1] * 6, lam=0.01)
    assert [bins.count for bins in policy.bins] == [3] * 5
    many = fit_optimal_stopping(random.random((6, 400)), random.random((7, 400)), costs=[1] * 7, lam=0.01)
    assert [bins.count for bins in many.bins] == [3] * 6


def two_opinions(n: int, seed: int) -> tuple[list[Column], list[Column]]:
    """Draw confidences that tell of their own answers alone, as far as two models agree on what is hard."""
    random = np.random.default_rng(seed)
    easy = random.random(n)
    first, second = (0.6 * easy + 0.4 * random.random(n) for _ in range(2))
    chances = (first, 0.2 + 0.8 * second, np.full(n, 0.95))
    return [first, second], [(random.random(n) < chance).astype(float) for chance in chances]


def net_of(policy: ColumnPolicy, sures: list[Column]) -> float:
    paths = follow(policy, [column(sure) for sure in sures])
    chances = np.stack([sures[0], 0.2 + 0.8 * sures[1], np.full(sures[0].size, 0.95)])
    return float(np.mean(chances[paths.end, np.arange(paths.end.size)] - paths.asked @ [0.01, 0.04, 0.2]))


def best_net(sures: list[Column]) -> float:
    """Return what knowing the chances is worth: keep, ask the middle model, or skip it, by the first confidence."""
    first, second = sures
    skip, ask = 0.95 - 0.2, np.maximum(0.2 + 0.8 * second, 0.95 - 0.2) - 0.04
    place = Bins.equal(200).indices(first)
    asked = (np.bincount(place, weights=ask) / np.bincount(place))[place]
    return float(np.mean(np.maximum.reduce([first, asked, np.full(first.size, skip)]))) - 0.01


@pytest.mark.parametrize(("n", "lost"), [(300, 0.006), (1000, 0.002), (3000, 0.0018)])
def test_combinations_that_add_nothing_cost_next_to_nothing(n: int, lost: float) -> None:
    unseen, _ = two_opinions(50_000, 99)
    nets = []
    for seed in range(15):
        sures, qualities = two_opinions(n, seed)
        nets.append(net_of(fit_optimal_stopping(sures, qualities, costs=[1, 4, 20], lam=0.01), unseen))
    assert np.mean(nets) == pytest.approx(best_net(unseen) - lost / 2, abs=lost / 2)


GOOD: dict[str, Any] = {"small": [0, 1] * 50, "large": [1] * 100, "cost": 20.0, "lam": 0.01}


@pytest.mark.parametrize("fit", [fit_threshold, fit_double_threshold, fit_utility])
@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"confidence": [float("nan")] + [0.5] * 99}, "confidence holds nan at row 0"),
        ({"confidence": [1.5] + [0.5] * 99}, "confidence holds 1.5"),
        ({"confidence": []}, "confidence is empty"),
        ({"small": [2] * 100}, "small holds 2"),
        ({"large": [1] * 99}, "large has 99"),
        ({"cost": -1}, "cost holds -1.0"),
        ({"cost": [np.inf] * 100}, "cost holds inf"),
        ({"lam": float("nan")}, "lam is nan"),
        ({"binning": Binning(least_rows=51)}, "there are 100 questions, and two bins of 51 take 102"),
        ({"groups": ["q"] * 100}, "there are 1 questions"),
        ({"groups": ["q"] * 99}, "groups has 99"),
        ({"groups": [None] * 100}, "groups holds None"),
    ],
)
def test_columns_that_cannot_be_fitted_are_refused(fit: Any, wrong: dict[str, Any], complaint: str) -> None:
    arguments = {"confidence": [0.2, 0.8] * 50, **GOOD, **wrong}
    with pytest.raises(ValueError, match=complaint):
        fit(arguments.pop("confidence"), **arguments)


@pytest.mark.parametrize("fit", [fit_pomdp, fit_optimal_stopping])
@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"confidences": []}, "2 qualities, 0 confidences and 2 costs"),
        ({"costs": [1, 5, 20]}, "2 qualities, 1 confidences and 3 costs"),
        ({"confidences": [[float("nan")] * 100]}, "confidence of tier 0 holds nan"),
        ({"qualities": [[0, 1] * 50, [1] * 99]}, "quality of tier 1 has 99"),
        ({"costs": [1, -1]}, "cost holds -1.0"),
        ({"lam": -1}, "lam is -1"),
        ({"binning": Binning(least_rows=60)}, "two bins of 60 take 120"),
    ],
)
def test_tiers_that_cannot_be_fitted_are_refused(fit: Any, wrong: dict[str, Any], complaint: str) -> None:
    tiers = {"confidences": [[0.2, 0.8] * 50], "qualities": [[0, 1] * 50, [1] * 100], "costs": [1, 20], "lam": 0.01}
    arguments = {**tiers, **wrong}
    with pytest.raises(ValueError, match=complaint):
        fit(arguments.pop("confidences"), arguments.pop("qualities"), **arguments)


def test_other_numbers_are_checked() -> None:
    tiers: Any = ([[0.2, 0.8] * 50], [[0, 1] * 50, [1] * 100])
    for wrong in (0.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="laplace is"):
            fit_pomdp(*tiers, costs=[1, 20], lam=0.01, laplace=wrong)
    with pytest.raises(ValueError, match="solved is 1"):
        fit_pomdp(*tiers, costs=[1, 20], lam=0.01, solved=1.0)
    with pytest.raises(ValueError, match="shape is 'smooth'"):
        fit_utility([0.2, 0.8] * 50, **GOOD, shape="smooth")  # type: ignore[arg-type]
    for binning in ({"most": 0}, {"least_rows": 0}, {"pseudo_rows": -1.0}, {"pseudo_rows": float("nan")}):
        with pytest.raises(ValueError, match="is no binning"):
            Binning(**binning)  # type: ignore[arg-type]


def test_a_million_rows_take_seconds() -> None:
    random = np.random.default_rng(0)
    n = 1_000_000
    first, second = random.random((2, n))
    qualities = [(random.random(n) < chance).astype(float) for chance in (first, second, 0.9)]
    begin = time.process_time()
    fit_utility(first, small=qualities[0], large=qualities[2], cost=20, lam=0.01)
    stopping = fit_optimal_stopping([first, second], qualities, costs=[1, 5, 20], lam=0.01)
    assert len(stopping.mass) == 100
    assert time.process_time() - begin < 15.0
