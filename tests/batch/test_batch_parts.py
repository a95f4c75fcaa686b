"""Laws of the parts of a batch: output, group commit, budget, keys and lines, whatever comes in whatever order."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from automix_graph.batch.budget import Budget
from automix_graph.batch.committing import Committer
from automix_graph.batch.options import BatchOptions
from automix_graph.batch.output import Output
from automix_graph.batch.questions import Question
from automix_graph.batch.rows import Keys, line_of
from automix_graph.batch.settings import journal_settings, settings_of
from automix_graph.engines.engine import Charge
from automix_graph.errors import ConfigurationError
from automix_graph.graph import AllTiers
from automix_graph.policies import Threshold
from automix_graph.testing import ScriptedChatModel

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    order=st.permutations(range(6)),
    lengths=st.lists(st.integers(1, 9), min_size=6, max_size=6),
    former=st.binary(max_size=30),
    kept=st.integers(0, 60),
    missing=st.sets(st.integers(0, 5)),
)
def test_the_output_is_the_rows_in_order_whatever_was_there(
    order: list[int], lengths: list[int], former: bytes, kept: int, missing: set[int]
) -> None:
    lines = {position: b"%d" % position * length + b"\n" for position, length in enumerate(lengths)}
    expected = b"".join(lines[position] for position in range(6) if position not in missing)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out")
        path.write_bytes(expected[:kept] + former)
        output = Output(path, order="input", row_at=lines.__getitem__)
        came: set[int] = set()
        for position in order:
            if position in missing:
                continue
            came.add(position)
            output.place(position, position)
            ready = b"".join(lines[n] for n in range(6) if set(range(n + 1)) <= came)
            assert path.read_bytes().startswith(ready)
        output.close()
        assert path.read_bytes() == expected


@given(order=st.permutations(range(4)))
def test_as_completed_is_the_order_in_which_rows_come(order: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        output = Output(Path(folder, "out"), order="completed", row_at=lambda offset: b"%d\n" % offset)
        for position in order:
            output.place(position, position)
        output.close()
        assert Path(folder, "out").read_bytes() == b"".join(b"%d\n" % position for position in order)


async def test_lines_that_come_at_one_time_share_a_write_and_are_told_of_after_it() -> None:
    writes: list[bytes] = []
    told: list[tuple[int, int]] = []

    def write(lines: bytes) -> int:
        assert not told
        writes.append(lines)
        return sum(map(len, writes)) - len(lines)

    committer = Committer(write)
    lines = [b"a\n", b"bb\n", b"ccc\n"]
    await asyncio.gather(
        *(
            committer.commit(line, lambda offset, n=n: told.append((n, offset)))  # type: ignore[misc]  # a default
            for n, line in enumerate(lines)
        )
    )
    await committer.close()
    assert writes == [b"a\nbb\nccc\n"]
    assert told == [(0, 0), (1, 2), (2, 5)]


async def test_a_line_is_written_though_who_waits_is_cancelled() -> None:
    written: list[bytes] = []
    committer = Committer(lambda lines: len(written.append(lines) or b""))  # type: ignore[func-returns-value]
    told: list[int] = []
    waiting = asyncio.create_task(committer.commit(b"a\n", told.append))
    await asyncio.sleep(0)
    waiting.cancel()
    await committer.close()
    assert (written, told) == ([b"a\n"], [0])


async def test_what_cannot_be_written_is_not_told_of() -> None:
    def write(lines: bytes) -> int:
        raise OSError("full")

    committer = Committer(write)
    told: list[int] = []
    with pytest.raises(OSError, match="full"):
        await committer.commit(b"a\n", told.append)
    await committer.close()
    assert told == []


@given(
    costs=st.lists(st.floats(0, 10), min_size=1, max_size=12),
    ceiling=st.floats(0.1, 40),
    concurrency=st.integers(1, 5),
    spent=st.floats(0, 20),
)
@example(costs=[0.1] * 12, ceiling=0.3, concurrency=5, spent=0.0)
def test_only_dearer_questions_than_any_before_pass_the_ceiling(
    costs: list[float], ceiling: float, concurrency: int, spent: float
) -> None:
    async def work() -> tuple[float, int, float]:
        budget = Budget(ceiling, spent=spent, dearest=max(costs))  # so that none is dearer
        total, asked, left = spent, 0, iter(costs)

        async def worker() -> None:
            nonlocal total, asked
            for cost in left:
                if not await budget.admit():
                    return
                asked += 1
                await asyncio.sleep(0)
                total += cost
                await budget.settle(Charge(cost=cost))

        await asyncio.wait_for(asyncio.gather(*(worker() for _ in range(concurrency))), 5)
        return total, asked, max(costs)

    total, asked, dearest = asyncio.run(work())
    assert total <= max(spent, ceiling * (1 + 1e-6))
    if asked < len(costs):
        assert total + dearest * concurrency > ceiling  # it did not stop while there was room for all in work


async def test_the_first_question_is_asked_alone() -> None:
    budget = Budget(1.0)
    assert await budget.admit()
    second = asyncio.create_task(budget.admit())
    await asyncio.sleep(0.01)
    assert not second.done()
    await budget.settle(Charge(failed=True))
    assert await second
    third, fourth = asyncio.create_task(budget.admit()), asyncio.create_task(budget.admit())
    await asyncio.sleep(0.01)
    assert not third.done()
    await budget.settle(Charge(cost=0.4))
    assert await third
    await asyncio.sleep(0.01)
    assert not fourth.done()
    await budget.settle(Charge(cost=0.4))
    assert not await fourth
    assert budget.stop == "budget"


@given(data=st.dictionaries(st.text(), JSON, max_size=4))
@example(data={"answer": "a\u2028b\x85c\u2029d\n\r\x0b\x1c", "zh": "五月"})
@example(data={"lone": "\ud800"})
def test_a_row_is_one_line_for_every_reader(data: Mapping[str, Any]) -> None:
    line = line_of(data)
    assert line.endswith(b"\n")
    assert len(line.decode().splitlines()) == 1
    assert json.loads(line) == data


def test_chinese_stays_readable() -> None:
    assert line_of({"answer": "五月"}) == '{"answer":"五月"}\n'.encode()


@given(
    ids=st.tuples(st.integers() | st.text(), st.integers() | st.text()),
    texts=st.tuples(st.text(), st.text()),
    settings=st.tuples(st.text(max_size=2), st.text(max_size=2)),
)
@example(ids=(1, "1"), texts=("", ""), settings=("", ""))
def test_keys_tell_rows_apart(ids: tuple[Any, Any], texts: tuple[str, str], settings: tuple[str, str]) -> None:
    keys = [Keys(settings[n]).of(Question(id=ids[n], text=texts[n])) for n in range(2)]
    same = ids[0] == ids[1] and texts[0] == texts[1] and settings[0] == settings[1]
    assert (keys[0] == keys[1]) == same


def test_settings_tell_what_decides_the_answers() -> None:
    def settings(policy: Any = None, **values: Any) -> str:
        arguments = {"small": ScriptedChatModel([], label="s"), "large": ScriptedChatModel([], label="l"), **values}
        return journal_settings(settings_of(AllTiers(**arguments), policy), BatchOptions()).fingerprint

    assert settings() == settings()
    others = [
        settings(Threshold(0.5)),
        settings(Threshold(0.6)),
        settings(small=ScriptedChatModel([], label="t")),
        settings(verifier="small"),
        settings(language="zh"),
        settings(layout="document"),
    ]
    assert len({settings(), *others}) == 7


def test_settings_that_json_cannot_hold_are_refused() -> None:
    for settings in ({"model": object()}, {"k": float("nan")}):
        with pytest.raises(ConfigurationError, match="settings hold what JSON cannot"):
            journal_settings(settings, BatchOptions())
