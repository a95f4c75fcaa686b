"""What MkDocs calls while it builds the site: pages that are made rather than written, formulas, links out of ``docs``.

Every page that is made here has its one source elsewhere: docstrings, the command line's own help, the README and other
files of the repository. This module only says when; the modules beside it say what.
"""

from __future__ import annotations

from pathlib import Path

from api_pages import api_pages
from command_page import command_page
from formulas import math_fence
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from repository_pages import example_pages, repository_pages, site_links

ROOT = Path(__file__).parents[2]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Teach Markdown formulas, and put the pages that are made into the navigation."""
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {})
    fences["custom_fences"] = [{"name": "math", "class": "math", "format": math_fence}]
    assert isinstance(config.nav, list)
    config.nav = [_with_made_pages(item) for item in config.nav]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    made = {**api_pages(), "reference/cli.md": command_page(), **repository_pages(ROOT)}
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links that leave ``docs`` to the page that shows the file."""
    if page.file.generated_by is not None:
        return markdown
    return site_links(markdown, source=f"docs/{page.file.src_uri}", page=page.file.src_uri)


def _with_made_pages(item: object) -> object:
    """Replace the pages that introduce others which are made, wherever they stand, by sections with all of them."""
    if isinstance(item, list):
        return [_with_made_pages(part) for part in item]
    if not isinstance(item, dict):
        return item
    sections = {pages[0]: pages for pages in (list(api_pages()), list(example_pages(ROOT)))}
    return {
        title: sections[part] if isinstance(part, str) and part in sections else _with_made_pages(part)
        for title, part in item.items()
    }
