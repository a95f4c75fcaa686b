"""Pages made of files outside ``docs``: the examples, the architecture, the changelog, the errors.

Each is said in one place of the repository and only shown here. Links between such files and pages of ``docs`` are led
to the pages of the site.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

_PAGES = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "automix_graph/cli/explanations.md": "errors.md",
    "docs/concepts": "concepts/cascade.md",
    "docs/reports": "reports/README.md",
}
"""Pages by the file or folder to which links are led."""
_SHOWN = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")
"""Files that pages show whole."""
_ERRORS = """\
# Errors

Every error of this package has a `code` that stays the same when the words of its message change. `automix explain
CODE` says what stands here. What to do in situations that have no error is in [Troubleshooting](troubleshooting.md).

"""
_LANGUAGES = {
    ".conf": "text",
    ".json": "json",
    ".jsonl": "json",
    ".md": "markdown",
    ".py": "python",
    ".sh": "bash",
    ".toml": "toml",
    ".txt": "text",
    ".yaml": "yaml",
    ".yml": "yaml",
    "Dockerfile": "docker",
}
"""How files of examples are highlighted, by suffix or name; others are not shown."""
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")


def repository_pages(root: Path) -> dict[str, str]:
    """Return pages by their path in the site's sources."""
    pages = {
        _PAGES[file]: site_links((root / file).read_text(encoding="utf-8"), source=file, page=_PAGES[file])
        for file in _SHOWN
    }
    pages["errors.md"] = _ERRORS + (root / "automix_graph/cli/explanations.md").read_text(encoding="utf-8")
    return {**pages, **example_pages(root)}


def site_links(text: str, *, source: str, page: str) -> str:
    """Return Markdown whose links to files of the repository lead to pages of the site.

    Args:
        text: the Markdown.
        source: the file that it comes from, as a path in the repository; links are relative to it.
        page: the page that it becomes, as a path in ``docs``.

    Example:
        >>> site_links("[e](../examples/agent/README.md#l)", source="docs/agents.md", page="agents.md")
        '[e](examples/agent.md#l)'
        >>> site_links("[s](docs/store.md)", source="ARCHITECTURE.md", page="project/architecture.md")
        '[s](../store.md)'
    """

    def led(link: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        target = _page_of(file)
        if target is None:
            return link[0]
        return posixpath.relpath(target, posixpath.dirname(page) or ".") + (link[2] or "")

    return _LINK.sub(led, text)


def _page_of(file: str) -> str | None:
    """Return the path in ``docs`` of the page that shows a file of the repository; None where there is none."""
    if file in _PAGES:
        return _PAGES[file]
    if file.startswith("docs/"):
        return file.removeprefix("docs/")
    if file in {"examples", "examples/README.md"}:
        return "examples/index.md"
    if file.startswith("examples/"):
        return f"examples/{file.split('/')[1].removesuffix('.py')}.md"
    return None


def example_pages(root: Path) -> dict[str, str]:
    """Return a list of the examples, and a page for each: a program, or a folder with a README and other files."""
    folder = root / "examples"
    programs = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
    folders = [path.parent for path in sorted(folder.glob("*/README.md"))]
    pages = {f"examples/{path.stem}.md": _program(path, root) for path in programs}
    pages |= {f"examples/{path.name}.md": _folder(path, root) for path in folders}
    readme = folder / "README.md"
    if readme.is_file():
        overview = site_links(readme.read_text(encoding="utf-8"), source="examples/README.md", page="examples/index.md")
    else:
        lines = [f"- [{_title(text)}]({Path(page).name})" for page, text in sorted(pages.items())]
        overview = "\n".join(["# Examples", "", *lines]) + "\n"
    return {"examples/index.md": overview, **pages}


def _title(page: str) -> str:
    return page.split("\n", maxsplit=1)[0].removeprefix("# ")


def _program(path: Path, root: Path) -> str:
    """Return a program as a page, under the first sentence of its docstring."""
    title = path.read_text(encoding="utf-8").removeprefix('"""').split("\n")[0].removesuffix('"""').rstrip(".")
    return f"# {title}\n\n{_listing(path, root)}"


def _folder(path: Path, root: Path) -> str:
    """Return a folder as a page: its README, and behind it every other file that is text."""
    readme = path / "README.md"
    page = f"examples/{path.name}.md"
    text = site_links(readme.read_text(encoding="utf-8"), source=readme.relative_to(root).as_posix(), page=page)
    # Not what lies below: that may be documents or secrets of whoever has tried the example.
    files = sorted(file for file in path.iterdir() if file.is_file() and file != readme)
    shown = [_listing(file, root) for file in files if file.suffix in _LANGUAGES or file.name in _LANGUAGES]
    return "\n".join([text.rstrip(), "", "## Files", "", *shown])


def _listing(path: Path, root: Path) -> str:
    language = _LANGUAGES[path.suffix if path.suffix in _LANGUAGES else path.name]
    code = path.read_text(encoding="utf-8").rstrip("\n")
    return f"`{path.relative_to(root).as_posix()}`\n\n````{language}\n{code}\n````\n"
