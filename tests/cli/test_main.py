import subprocess
import sys
from collections.abc import Sequence

import click
import pytest
from click.testing import CliRunner

from automix_graph.cli.main import automix

pytestmark = pytest.mark.integration


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    command = [sys.executable, "-m", "automix_graph", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["ask"],
        ["audit"],
        ["batch"],
        ["calibrate"],
        ["demo"],
        ["evaluate"],
        ["explain"],
        ["index"],
        ["models"],
        ["models", "pull"],
        ["plan"],
        ["record"],
        ["serve"],
    ],
)
def test_every_command_has_help(command: Sequence[str]) -> None:
    result = CliRunner().invoke(automix, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_help_lists_the_commands() -> None:
    output = CliRunner().invoke(automix, ["--help"]).output
    assert [line.split()[0] for line in output.split("Commands:")[1].strip().splitlines()] == [
        "ask",
        "audit",
        "batch",
        "calibrate",
        "demo",
        "evaluate",
        "explain",
        "index",
        "models",
        "plan",
        "record",
        "serve",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["ask", "Q?", "--index", "no-such-folder"], 1, "no-such-folder"),
        (["ask", "Q?"], 2, "--index"),
        (["models", "path", "no-such-model"], 1, "no-such-model"),
        (["nonsense"], 2, "nonsense"),
        (["index", "no-such-file", "--out", "x"], 2, "no-such-file"),
    ],
)
def test_an_error_is_one_line_and_a_status(
    arguments: Sequence[str], status: int, message: str, tmp_path: object
) -> None:
    result = run(*arguments)
    assert result.returncode == status
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    if status == 1:
        assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_summaries_are_the_short_help_of_the_commands(width: int) -> None:
    with click.Context(automix) as context:
        ours, usual = (click.HelpFormatter(width=width, max_width=width) for _ in range(2))
        automix.format_commands(context, ours)
        click.Group.format_commands(automix, context, usual)
    assert ours.getvalue() == usual.getvalue() != ""


def test_help_imports_no_subcommand() -> None:
    code = (
        "import sys; sys.argv = ['automix', '--help']\n"
        "from automix_graph.cli.main import _SUMMARIES, main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in _SUMMARIES if f'automix_graph.cli.{name}' in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (result.stderr.strip(), "serve" in result.stdout) == ("[]", True)


def test_help_does_not_load_the_graph() -> None:
    code = (
        "import sys; sys.argv = ['automix', '--help']\n"
        "from automix_graph.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'langgraph', 'langchain_core', 'faiss', 'openai', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"
