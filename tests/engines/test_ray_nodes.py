"""What takes a Ray cluster of its own: nodes that die, commands that are killed, a job that is a program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the ray extra: pip install 'automix-graph[ray]'")

from clusters import HERE, two_nodes
from endpoint import EMBEDDING, models
from ray_parts import Parts, asked

from automix_graph.batch import BatchOptions, run_batch
from automix_graph.engines import RayEngine
from automix_graph.retrieval import FaissStore
from automix_graph.testing import HashEmbeddings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    # Ray leaves log files and pipes of the processes that it starts to the garbage collector, at any moment afterwards.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = HERE.parents[1]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(f'{{"id": {n}, "question": "When was event {n}?"}}\n' for n in range(40)))
    return path


def test_a_node_that_dies_costs_no_row_that_was_done(tmp_path: Path, data: Path) -> None:
    out, log = tmp_path / "out.jsonl", tmp_path / "log"
    with two_nodes() as cluster:
        (node,) = cluster.worker_nodes

        def kill(now: object) -> None:
            if getattr(now, "done", 0) == 12:
                cluster.remove_node(node, allow_graceful=False)

        options = BatchOptions(concurrency=1)
        make = Parts(log, pause=0.3).graph
        report = run_batch(data, out, make, options=options, engine=RayEngine(actors=2), progress=kill)
        assert not cluster.worker_nodes
    assert report.answered == 40
    assert [json.loads(line)["id"] for line in out.read_bytes().splitlines()] == list(range(40))
    assert 40 <= asked(log).total() <= 41, "only what the node was asking about is asked again"


def test_a_driver_that_is_killed_goes_on_where_it_stopped(tmp_path: Path, data: Path) -> None:
    out, log = tmp_path / "out.jsonl", tmp_path / "log"
    code = (
        "import os, sys, pathlib; sys.path.insert(0, sys.argv[1]); from ray_parts import Parts;"
        "from automix_graph.batch import BatchOptions, run_batch; from automix_graph.engines import RayEngine;"
        "f = pathlib.Path(sys.argv[2]);"
        "run_batch(f / 'in.jsonl', f / 'out.jsonl', Parts(f / 'log').graph, options=BatchOptions(concurrency=1),"
        " engine=RayEngine(address='local', actors=1), progress=lambda now: now.done == 15 and os.kill(os.getpid(), 9))"
    )
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    killed = subprocess.run([sys.executable, "-c", code, str(HERE), str(tmp_path)], check=False, env=environment)
    assert killed.returncode == -9
    done = Path(f"{out}.journal").read_bytes().count(b"\n") - 1
    assert done >= 15
    report = run_batch(data, out, Parts(log).graph)
    assert report.asked == 40 - done
    assert [json.loads(line)["id"] for line in out.read_bytes().splitlines()] == list(range(40))
    assert asked(log).total() <= 40 + 1


def test_the_job_of_the_examples_runs_on_a_cluster_and_goes_on(tmp_path: Path, data: Path) -> None:
    with FaissStore.from_texts(["Events happen."], HashEmbeddings(name="words")) as store:
        store.save(tmp_path / "index")
    job = [sys.executable, str(ROOT / "examples" / "ray" / "job.py"), str(data), str(tmp_path / "out.jsonl")]
    job += [str(tmp_path / "index"), *EMBEDDING, "--small", "openai:small", "--large", "openai:large", "--actors", "1"]
    with models() as (environment, made), two_nodes(**environment) as cluster:
        said = []
        for _ in range(2):
            there = {**os.environ, "RAY_ADDRESS": cluster.address}
            done = subprocess.run(job, check=True, env=there, capture_output=True, text=True)
            said.append(done.stdout.splitlines()[-1])
    assert said == ["40 of 40 rows answered, 0 failed, 0 left"] * 2
    assert sorted(number for model, number in made if model == "small") == list(range(40))
