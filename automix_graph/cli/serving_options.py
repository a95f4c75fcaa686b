"""Options that say where a server listens, whom it answers, and how much it takes on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from automix_graph.serving.settings import ServingSettings

Command = TypeVar("Command", bound=Callable[..., Any])

_GIVEN: Final = "automix_graph.serving"


def _gather(context: click.Context, option: click.Parameter, value: Any) -> None:
    context.meta.setdefault(_GIVEN, {})[option.name] = value


_option: Final = functools.partial(click.option, callback=_gather, expose_value=False, show_default=True)
_OPTIONS = (
    _option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 is all of this machine's."),
    _option("--port", type=click.IntRange(0, 65535), default=8000, help="Port to listen on; 0 takes a free one."),
    _option(
        "--keys-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Bearer keys, one a line. Default: those in the environment variable AUTOMIX_API_KEYS, if any.",
    ),
    _option(
        "--insecure-public",
        is_flag=True,
        help="Listen to other machines without keys. Anybody who reaches the port can then spend your money.",
    ),
    _option(
        "--cors-origin",
        "cors_origins",
        multiple=True,
        metavar="URL",
        help="Web site whose pages may call this server from a browser, such as https://app.example; may be repeated.",
    ),
    _option(
        "--allow-host",
        "allowed_hosts",
        multiple=True,
        metavar="NAME",
        help="Name in the Host header that is answered to; may be repeated. Default: loopback names where there are no "
        "keys and only this machine is listened to, else all.",
    ),
    _option("--max-concurrent", type=click.IntRange(min=1), default=256, help="Requests in work; more get 429."),
    _option("--max-body-bytes", type=click.IntRange(min=1), default=1 << 20, help="Of a request; longer get 413."),
    _option(
        "--max-question-characters", type=click.IntRange(min=1), default=20_000, help="Of a question; longer get 413."
    ),
    _option(
        "--deadline",
        type=click.FloatRange(min=0, min_open=True),
        default=120.0,
        help="Seconds for a request; then 504.",
    ),
    _option(
        "--grace",
        type=click.FloatRange(min=0),
        default=30.0,
        help="Seconds that requests in work have to end once the server is told to stop.",
    ),
    _option(
        "--ignore-parameter",
        "ignored_parameters",
        multiple=True,
        metavar="NAME",
        help="Parameter of chat completions to drop instead of refusing, such as temperature, for clients that insist "
        "on it; may be repeated.",
    ),
    _option("--langserve/--no-langserve", default=None, help="LangServe under /automix.  [default: if installed]"),
)


@dataclass(frozen=True, kw_only=True)
class ServingOptions:
    """What the options say.

    Attributes:
        host: address to listen on.
        port: to listen on.
        keys_file: of bearer keys; None: the environment has them, or nobody.
        insecure_public: whether to listen to others without keys.
        cors_origins: of pages that may call.
        allowed_hosts: names that are answered to.
        max_concurrent: requests in work.
        max_body_bytes: of a request.
        max_question_characters: of a question.
        deadline: seconds for a request.
        grace: seconds to end in.
        ignored_parameters: of chat completions.
        langserve: whether LangServe's routes are wanted; None: if it is installed.
    """

    host: str
    port: int
    keys_file: Path | None
    insecure_public: bool
    cors_origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    max_concurrent: int
    max_body_bytes: int
    max_question_characters: int
    deadline: float
    grace: float
    ignored_parameters: tuple[str, ...]
    langserve: bool | None

    def settings(self) -> ServingSettings:
        """Return the settings of the server.

        Raises:
            ConfigurationError: the keys cannot be read, or others would be listened to without keys.
        """
        from automix_graph.serving.gate.keys import read_keys
        from automix_graph.serving.listening import LOOPBACK_HOSTS, is_loopback, require_safe
        from automix_graph.serving.settings import ServingSettings

        keys = read_keys(self.keys_file)
        require_safe(self.host, has_keys=bool(keys), insecure=self.insecure_public)
        known = LOOPBACK_HOSTS if is_loopback(self.host) and not keys else ()
        return ServingSettings(
            keys=keys,
            max_body_bytes=self.max_body_bytes,
            max_question_characters=self.max_question_characters,
            max_concurrent=self.max_concurrent,
            deadline_seconds=self.deadline,
            cors_origins=self.cors_origins,
            allowed_hosts=(*known, *self.allowed_hosts),
            ignored_parameters=frozenset(self.ignored_parameters),
            langserve=self.langserve,
        )


def serving_options(command: Command) -> Command:
    """Add the options to a command; `given_serving` returns what they say."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given_serving() -> ServingOptions:
    """Return what the running command was told of serving."""
    return ServingOptions(**click.get_current_context().meta[_GIVEN])
