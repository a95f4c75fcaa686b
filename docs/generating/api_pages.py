"""Pages of the Python API: one for each public room, with every name that the room exports.

The text comes from docstrings, which mkdocstrings reads; here is only which names stand where. A name that several
rooms export is described in one of them, and the others link to it.
"""

from __future__ import annotations

import functools
import inspect
import pkgutil
import sys
from importlib import import_module
from types import ModuleType

import automix_graph

_MODULES = ("errors",)
"""Public modules that are no packages; their public names are those that they define."""
_FOLDER = "reference/api"


@functools.cache
def api_pages() -> dict[str, str]:
    """Return the pages by their path in the site's sources: an overview first, then one for each room."""
    homes = _homes()
    rooms = {f"{_FOLDER}/{_file(module.__name__)}": _room(module, homes) for module in public_rooms()}
    return {f"{_FOLDER}/index.md": _overview(homes), **rooms}


def public_rooms() -> list[ModuleType]:
    """Return every package below ``automix_graph`` that exports names, and the public modules, by name.

    Example:
        >>> {"automix_graph.errors", "automix_graph.policies"} <= {room.__name__ for room in public_rooms()}
        True
    """
    found = pkgutil.walk_packages(automix_graph.__path__, "automix_graph.")
    packages = [import_module(module.name) for module in found if module.ispkg]
    rooms = [package for package in packages if getattr(package, "__all__", ())]
    modules = [import_module(f"automix_graph.{name}") for name in _MODULES]
    return sorted([*rooms, *modules], key=lambda module: module.__name__)


def _homes() -> dict[tuple[str, int], str]:
    """Return the room that describes each name: the records' own, then the first that exports it."""
    homes: dict[tuple[str, int], str] = {}
    for module in sorted(public_rooms(), key=lambda module: module.__name__ != "automix_graph.records"):
        for name in public_names(module):
            homes.setdefault((name, id(getattr(module, name))), module.__name__)
    return homes


def public_names(module: ModuleType) -> list[str]:
    """Return what a room exports: its ``__all__``, or else the public classes and functions that it defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def _overview(homes: dict[tuple[str, int], str]) -> str:
    rooms = [f"| [`{room.__name__}`]({_file(room.__name__)}) | {_summary(room)} |" for room in public_rooms()]
    names = [f"| {_link(name, homes)} | {_summary(getattr(automix_graph, name))} |" for name in automix_graph.__all__]
    return "\n".join(
        [
            "# Python API",
            "",
            "Public is what a room's `__all__` lists. Everything else may change between versions.",
            "",
            "## Rooms",
            "",
            "| room | what |",
            "|---|---|",
            *rooms,
            "",
            "## Names of `automix_graph`",
            "",
            "Loaded when they are first used, so that the import costs little more than that of LangGraph.",
            "",
            "| name | what |",
            "|---|---|",
            *names,
            "",
        ]
    )


def _room(module: ModuleType, homes: dict[tuple[str, int], str]) -> str:
    room = module.__name__
    entries = []
    for name in public_names(module):
        home = homes[name, id(getattr(module, name))]
        elsewhere = f"## {name} {{ #{room}.{name} }}\n\nSee [{home}.{name}]({_file(home)}#{home}.{name}).\n"
        entries.append(_entry(f"{room}.{name}") if home == room else elsewhere)
    return "\n".join([f"# {room}", "", f"::: {room}", _MODULE_ALONE, "", *entries])


def _entry(path: str) -> str:
    """Return what mkdocstrings is told to describe.

    Griffe takes a function that is called like its module for the module, so it is asked for inside that.
    """
    if path not in sys.modules:
        return f"::: {path}\n"
    return f'<a id="{path}"></a>\n\n::: {path}.{path.rpartition(".")[2]}\n'


_MODULE_ALONE = """\
    options:
      members: []
      show_root_heading: false
      show_root_toc_entry: false"""


def _link(name: str, homes: dict[tuple[str, int], str]) -> str:
    home = homes[name, id(getattr(automix_graph, name))]
    return f"[`{name}`]({_file(home)}#{home}.{name})"


def _file(room: str) -> str:
    return f"{room.removeprefix('automix_graph.')}.md"


def _summary(thing: object) -> str:
    """Return the first line of a docstring, for a cell of a table."""
    return (inspect.getdoc(thing) or "").split("\n")[0].replace("``", "`").replace("|", r"\|")
