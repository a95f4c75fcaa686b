from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from fake_index import CONTENT

from automix_graph.cli.models import models
from automix_graph.errors import ConfigurationError, ModelFileError
from automix_graph.models.cache import model_folder
from automix_graph.models.catalog import CATALOG, find_model

pytestmark = pytest.mark.usefixtures("cache")


def put_in_place(name: str) -> Path:
    """Create files of the right size, as sparse files: loading looks at no more than that."""
    model = find_model(name)
    folder = model_folder(model)
    folder.mkdir(parents=True)
    for file in model.files:
        with (folder / file.name).open("wb") as out:
            out.truncate(file.size)
    return folder


def test_list_is_a_table_for_people() -> None:
    result = CliRunner().invoke(models, ["list"], env={"COLUMNS": "160"})
    assert result.exit_code == 0
    assert all(name in result.output for name in CATALOG)
    assert "1117 MB" in result.output and "Apache-2.0" in result.output
    assert result.output.endswith("Sizes are those on disk; a download is a little smaller.\n")


def test_list_is_json_for_programs(cache: Path) -> None:
    put_in_place("smollm2-135m-instruct")
    result = CliRunner().invoke(models, ["list", "--json"])
    rows = {row["name"]: row for row in json.loads(result.output)}
    assert set(rows) == set(CATALOG)
    assert [name for name, row in rows.items() if row["present"]] == ["smollm2-135m-instruct"]
    assert rows["smollm2-135m-instruct"]["path"].startswith(str(cache))


def test_path_prints_where_a_model_is() -> None:
    folder = put_in_place("all-minilm-l6-v2")
    assert CliRunner().invoke(models, ["path", "all-minilm-l6-v2"]).output.strip() == str(folder)
    file = put_in_place("smollm2-135m-instruct") / "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert CliRunner().invoke(models, ["path", "smollm2-135m-instruct"]).output.strip() == str(file)
    file.write_bytes(CONTENT)
    result = CliRunner().invoke(models, ["path", "smollm2-135m-instruct"])
    assert isinstance(result.exception, ModelFileError) and not result.stdout


def test_errors_are_those_of_the_package() -> None:
    result = CliRunner().invoke(models, ["pull", "nosuch"])
    assert isinstance(result.exception, ConfigurationError)
    assert CliRunner().invoke(models, ["pull", "--all", "all-minilm-l6-v2"]).exit_code == 2


def test_pull_says_the_size_first_and_an_interrupt_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str, **_: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("automix_graph.cli.models.pull", interrupted)
    result = CliRunner().invoke(models, ["pull"])
    assert result.exit_code == 130
    first, last = result.stderr.strip().splitlines()
    assert first == "3 to fetch (1592 MB), 0 present and to be checked"
    assert last == "interrupted; run the same command again to go on where it stopped"
