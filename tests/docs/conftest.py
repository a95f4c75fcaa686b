"""The docs site, built once for all tests and processes."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
_NEEDED = ("mkdocs", "material", "mkdocstrings_handlers", "latex2mathml")


def build(folder: Path) -> None:
    """Build the site with every warning an error; what is told of the build stands in a file beside it."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    folder.with_suffix(".log").write_text(done.stdout + done.stderr, encoding="utf-8")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        pytest.skip(f"the docs site needs {', '.join(missing)}: pip install --group docs")
    own = tmp_path_factory.getbasetemp()
    shared = own if os.environ.get("PYTEST_XDIST_WORKER") is None else own.parent
    folder = shared / "docs-site"
    with FileLock(shared / "docs-site.lock"):
        if not folder.with_suffix(".log").is_file():
            build(folder)
    return folder
