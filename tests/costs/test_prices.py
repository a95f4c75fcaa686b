import dataclasses
import math
from decimal import Decimal
from fractions import Fraction

import genai_prices
import pytest

from automix_graph.costs import Price, Prices
from automix_graph.errors import ConfigurationError
from automix_graph.records import Call, Usage


def call(model: str = "local:x", usage: Usage | None = None) -> Call:
    usage = usage or Usage(input_tokens=1_000_000, output_tokens=100_000, cached_input_tokens=400_000)
    return Call(stage="verify", model=model, usage=usage, seconds=1.0)


def test_cached_tokens_have_their_own_price() -> None:
    assert Prices({"local:x": Price(2.0, 10.0, 0.5)}).cost(call()) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.1 * 10)


def test_cached_tokens_without_a_price_are_charged_as_input() -> None:
    assert Prices({"local:x": (2.0, 10.0)}).cost(call()) == pytest.approx(3.0)


def test_list_prices_are_found_by_provider_and_model() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    assert Prices().cost(call("openai:gpt-5-mini", usage)) == pytest.approx(0.25)
    assert Prices({"openai:gpt-5-mini": (1.0, 1.0)}).cost(call("openai:gpt-5-mini", usage)) == pytest.approx(1.0)
    assert Prices().cost(call("mistralai:mistral-large-latest", usage)) is not None


@pytest.mark.parametrize("model", ["local:smollm2-135m-instruct", "openai:no-such-model", "nobody:x", "Fake"])
def test_an_unknown_price_is_none_never_zero(model: str) -> None:
    assert Prices().cost(call(model)) is None


def test_a_local_model_is_free_only_if_the_user_says_so() -> None:
    assert Prices({"local:x": (0.0, 0.0)}).cost(call()) == 0.0


@pytest.mark.parametrize("usage", [Usage(), Usage(input_tokens=1), Usage(output_tokens=1)])
def test_missing_usage_has_no_cost(usage: Usage) -> None:
    assert Prices({"local:x": (1.0, 1.0)}).cost(call(usage=usage)) is None


@pytest.mark.parametrize("model", ["local:x", "openai:gpt-5-mini"])
@pytest.mark.parametrize(
    "usage",
    [
        Usage(input_tokens=10, output_tokens=1, cached_input_tokens=11),
        Usage(input_tokens=-1, output_tokens=1),
        Usage(input_tokens=10, output_tokens=-1),
        Usage(input_tokens=10, output_tokens=1, cached_input_tokens=-1),
        Usage(input_tokens=10, output_tokens=1, cache_write_tokens=-1),
        Usage(input_tokens=10, output_tokens=1, cached_input_tokens=6, cache_write_tokens=6),
    ],
)
def test_usage_that_contradicts_itself_has_no_cost(model: str, usage: Usage) -> None:
    assert Prices({"local:x": (1.0, 1.0)}).cost(call(model, usage)) is None


def test_cache_writes_have_a_list_price() -> None:
    plain = Usage(input_tokens=10_000, output_tokens=1)
    written = Usage(input_tokens=10_000, output_tokens=1, cache_write_tokens=9_000)
    costs = [Prices().cost(call("anthropic:claude-sonnet-4-5", usage)) for usage in (plain, written)]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[1] > costs[0]


def test_prices_of_any_number_type_give_plain_floats() -> None:
    cost = Prices({"local:x": (Decimal("2.0"), Fraction(10), Decimal("0.5"))}).cost(call())  # type: ignore[dict-item]
    assert type(cost) is float


@pytest.mark.parametrize("price", [(1.0,), (-1.0, 2.0), ("a", 1.0), (math.inf, 1.0), 5])
def test_a_price_that_is_none_is_refused(price: object) -> None:
    with pytest.raises(
        ConfigurationError, match=r"'local:x'.*Price\(input, output\).*million tokens, each zero or more"
    ):
        Prices({"local:x": price})  # type: ignore[dict-item]  # the point of the test


def test_a_price_is_the_given_one_else_the_listed_one() -> None:
    prices = Prices({"local:x": (2.0, 10.0)})
    assert prices.price("local:x") == Price(2.0, 10.0)
    assert prices.price("local:y") is None
    listed = prices.price("openai:gpt-5-mini")
    assert listed is not None
    usage = Usage(input_tokens=1_000_000, output_tokens=100_000, cached_input_tokens=400_000)
    assert Prices({"a": listed}).cost(call("a", usage)) == pytest.approx(prices.cost(call("openai:gpt-5-mini", usage)))


@pytest.mark.parametrize(
    ("label", "provider", "model"),
    [
        ("openai:gpt-5-mini", "openai", "gpt-5-mini"),
        ("google_genai:gemini-2.5-flash", "google", "gemini-2.5-flash"),
        ("xai:grok-4", "x-ai", "grok-4"),
        # a colon in the name of the model
        ("bedrock:anthropic.claude-3-5-sonnet-20241022-v2:0", "aws", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
    ],
)
def test_a_list_price_is_that_of_genai_prices(label: str, provider: str, model: str) -> None:
    tokens = genai_prices.Usage(input_tokens=900, output_tokens=70, cache_read_tokens=400)
    expected = float(genai_prices.calc_price(tokens, model, provider_id=provider).total_price)
    found = Prices().cost(call(label, Usage(input_tokens=900, output_tokens=70, cached_input_tokens=400)))
    assert found == pytest.approx(expected, rel=1e-12)
    assert found != Prices().cost(call(label, Usage(input_tokens=900, output_tokens=70)))
    assert found != Prices().cost(call(label, Usage(input_tokens=900, output_tokens=0, cached_input_tokens=400)))


def test_a_known_model_of_an_unknown_provider_has_no_price() -> None:
    assert Prices().price("nobody:gpt-5-mini") is None
    assert Prices().price("gpt-5-mini") is None


def test_a_reply_from_a_cache_costs_nothing_whatever_is_known() -> None:
    replayed = dataclasses.replace(call("nobody:x"), cached=True)
    assert Prices().cost(replayed) == 0.0
    assert [each.cost for each in Prices().charge([replayed, call("nobody:x")])] == [0.0, None]
