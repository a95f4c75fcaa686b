"""What the README asks on this machine alone is answered rightly by the models that it names."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def commands(readme: str) -> list[list[str]]:
    """Return the arguments of the commands that make an index and ask it."""
    (block,) = re.findall(r"```bash\n(pip install -e '\.\[local,documents\]'.*?)```", readme, re.DOTALL)
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [words[1:] for words in lines if words[:2] in (["automix", "index"], ["automix", "ask"])]


def test_both_languages_run_the_same_commands() -> None:
    english, chinese = (
        commands((ROOT / name).read_text(encoding="utf-8")) for name in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese
    assert [words[0] for words in english] == ["index", "ask"]
    assert (ROOT / english[0][1]).is_dir()


@pytest.mark.notebooks
def test_the_local_example_is_answered_rightly(tmp_path: Path) -> None:
    index, ask = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    folder = str(tmp_path / "my-index")
    index, ask = ([folder if word == "my-index" else word for word in words] for words in (index, ask))
    for words in (index, [*ask, "--json"]):
        command = [sys.executable, "-m", "automix_graph", *words]
        output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    result = json.loads(output)
    assert "Watt" in result["answer"]
    assert (result["route"], result["verdict"]) == ("small", "CORRECT")
