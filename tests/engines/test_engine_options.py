"""Engines without a cluster: the desk, options that are refused, and what is said where Ray cannot be used."""

import asyncio
import logging
import pickle
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from automix_graph.batch.budget import Budget
from automix_graph.cli.main import automix
from automix_graph.engines import EngineError, RayEngine
from automix_graph.engines.desk import Desk
from automix_graph.engines.engine import Charge, OpenGate
from automix_graph.engines.ray_connection import connected, require_ray
from automix_graph.engines.ray_errors import sealed
from automix_graph.engines.ray_room import places, tell_of_waiting
from automix_graph.errors import ConfigurationError, MissingExtraError


@pytest.mark.parametrize("command", ["batch", "record", "index"])
@pytest.mark.parametrize("option", [("--ray-address", "auto"), ("--ray-actors", "2")])
def test_options_of_ray_are_refused_without_it(tmp_path: Path, command: str, option: tuple[str, str]) -> None:
    data = tmp_path / "in.jsonl"
    data.write_text('{"id": 1, "question": "When?"}\n')
    arguments = {
        "batch": [str(data), str(tmp_path / "out.jsonl"), "--index", str(tmp_path)],
        "record": [str(data), "--out", str(tmp_path / "out.jsonl"), "--index", str(tmp_path)],
        "index": [str(data), "--out", str(tmp_path / "index")],
    }[command]
    result = CliRunner().invoke(automix, [command, *arguments, *option])
    assert result.exit_code == 2
    assert f"{option[0]} is for --engine ray" in result.output


def test_ray_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'automix-graph\[ray\]'"):
        require_ray()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense"])
def test_a_cluster_that_cannot_be_reached_is_named(address: str) -> None:
    pytest.importorskip("ray", reason="needs the ray extra: pip install 'automix-graph[ray]'")
    with pytest.raises(ConfigurationError, match=f"no Ray cluster can be reached at '{address}'"), connected(address):
        pass


@pytest.mark.parametrize("values", [{"actors": 0}, {"actors": True}, {"cpus": 0}, {"gpus": -1}])
def test_engines_that_cannot_be_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(values))):
        RayEngine(**values)  # type: ignore[arg-type]  # one field each


async def test_a_block_that_is_given_again_is_asked_about_what_nobody_has_handed_in() -> None:
    desk = Desk(OpenGate)
    assert await desk.left([1, 2, 3]) == [1, 2, 3]
    assert [await desk.admit(1), await desk.admit(2)] == ["ask", "ask"]
    handing_in = asyncio.create_task(desk.hand_in(1, b"one", Charge()))
    taken = await desk.take(())
    assert not handing_in.done(), "an actor goes on only when the row is kept for good"
    assert await desk.left([1, 2, 3]) == [2, 3]
    assert [await desk.admit(1), await desk.admit(2)] == ["done", "ask"]
    await desk.hand_in(1, b"again", Charge())
    await desk.close()
    assert (taken.results, (await desk.take((1,))).results) == (((1, b"one"),), ())
    await handing_in


async def test_a_desk_stops_where_rows_fail_one_after_the_other() -> None:
    desk = Desk(partial(Budget, None, failures=2))
    for position in (1, 2):
        assert await desk.admit(position) == "ask"
        handing_in = asyncio.create_task(desk.hand_in(position, b"", Charge(failed=True)))
        await desk.take(())
        keeping = asyncio.create_task(desk.take((position,)))
        await handing_in
        keeping.cancel()
    assert (await desk.admit(3), await desk.stop(), await desk.left([3])) == ("stop", "failures", [])


async def test_who_waits_for_actors_is_told_once_where_none_begins(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(OpenGate)
    there = SimpleNamespace(begun=SimpleNamespace(remote=desk.begun))
    ray = SimpleNamespace(available_resources=dict, cluster_resources=lambda: {"CPU": 2.0})
    monkeypatch.setattr("automix_graph.engines.ray_room._PATIENCE_SECONDS", 0.01)
    with caplog.at_level(logging.WARNING):
        await tell_of_waiting(ray, there)
        assert caplog.messages == ["no actor has begun after 0 s; 0 of 2 CPUs of the Ray cluster are free"]
        await desk.left([1])
        await tell_of_waiting(ray, there)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("machines", "cpus", "gpus", "room"),
    [
        ([{"CPU": 3.0}, {"CPU": 1.0}], 1, 0, 4),
        ([{"CPU": 3.0}, {"CPU": 1.0}], 2, 0, 1),
        ([{"CPU": 3.0, "GPU": 1.0}, {"CPU": 1.0}], 0.5, 0.5, 2),
        ([{"memory": 1.0}], 1, 0, 0),
        ([], 1, 0, 0),
    ],
)
def test_an_actor_has_its_place_on_one_machine(
    machines: list[dict[str, float]], cpus: float, gpus: float, room: int
) -> None:
    assert places(machines, cpus=cpus, gpus=gpus) == room


def test_errors_that_cannot_be_sent_keep_their_kind() -> None:
    class Local(Exception):
        pass

    error = pickle.loads(sealed(Local("x")))
    assert isinstance(error, EngineError)
    assert (str(error), error.code) == ("an actor raised Local; see its log on the cluster", "ray-cluster")


async def test_an_error_ends_the_job() -> None:
    desk = Desk(OpenGate)
    await desk.fail(b"first")
    await desk.fail(b"second")
    assert ((await desk.take(())).error, await desk.admit(5), await desk.left([5])) == (b"first", "stop", [])
    await asyncio.wait_for(desk.ended(), 1)
