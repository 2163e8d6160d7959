"""Starts the whole app on one port: `rxbackup serve`.

Two processes: this one binds the port, watches and stops the other one, which holds the app. Reflex decides a
good deal while it is imported, so the environment is complete before the app's process imports it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, cast

from rxbackup.errors import Busy, RxbackupError, UsageError
from rxbackup.serving.logs import write_logs
from rxbackup.serving.page import ensure_page
from rxbackup.serving.quiet import redacted
from rxbackup.settings import Settings

PORTS = range(1, 65536)
STOP_SECONDS = 9
"""How long the app may take to stop before it is killed; the promise is ten."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the app listens.

    Attributes:
        host: a host name or an IP address, "0.0.0.0" for every interface.
        port: 1 to 65535.
    """

    host: str
    port: int

    @property
    def url(self) -> str:
        """An address that a person on this machine can open."""
        host = {"0.0.0.0": "localhost", "::": "localhost"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost"


def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 8800) -> None:
    """Run the app until SIGTERM or SIGINT.

    Raises:
        Busy: something listens on that port already.
        UsageError: the host is not an address of this machine.
        PageMissing, PageBuildFailed: there is no page to serve.
        SystemExit: the app's process ended by itself; it has said why.
    """
    address = Address(host, port)
    _ensure_free(address)
    page = ensure_page(say=_say)
    if not address.is_local and not (settings.public_url or "").startswith("https://"):
        _say(
            f"Warning: {host} can be reached from other machines without encryption. Put a TLS proxy in front, "
            "bind to 127.0.0.1, and set RXBACKUP_PUBLIC_URL=https://…"
        )
    settings = settings.model_copy(update=_paths(settings))
    _prepare_environment(page, settings)

    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    server = Server(
        "rxbackup.rxbackup:app",
        address=_bindable(address.host),
        port=address.port,
        interface=Interfaces.ASGI,
        workers=1,  # Reflex keeps the state of open pages in memory; long work runs in worker processes anyway
        log_level=LogLevels.warning,
        workers_kill_timeout=STOP_SECONDS,
    )
    logging.getLogger("_granian").addFilter(_is_news)
    server.serve(target_loader=partial(_load_app, settings, address, os.getpid()), wrap_loader=False)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _is_news(record: logging.LogRecord) -> bool:
    """Drop what the app's process has already explained in its own words."""
    return "Unexpected exit from worker" not in record.getMessage()


def _bindable(host: str) -> str:
    return "127.0.0.1" if host == "localhost" else host


def _ensure_free(address: Address) -> None:
    """Refuse a port that is taken: the server binds with SO_REUSEPORT and would share it silently."""
    if address.port not in PORTS:
        raise UsageError(f"{address.port} is not a port.", hint="Choose one from 1024 to 65535 with `--port`.")
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, target = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
    except PermissionError as error:
        raise UsageError(
            f"This user may not listen on port {address.port}.", hint="Choose a port above 1023 with `--port`."
        ) from error
    except socket.gaierror as error:
        raise UsageError(f"{address.host}:{address.port} is not an address to listen on.") from error
    except OSError as error:
        if error.errno in {98, 48}:  # EADDRINUSE on Linux and on macOS
            raise Busy(
                f"Something else listens on {address.host}:{address.port} already.",
                hint="Stop it, or choose another port with `--port`.",
            ) from error
        raise UsageError(f"This machine cannot listen on {address.host}: {error.strerror}.") from error


def _paths(settings: Settings) -> dict[str, Path]:
    """The paths among the settings, made absolute: the current folder changes below."""
    found = {"data_dir": settings.data_dir, "key_file": settings.key_file}
    return {name: path.absolute() for name, path in found.items() if path is not None}


def _prepare_environment(page: Path, settings: Settings) -> None:
    """Tell Reflex where the built page is, and that there is nothing to compile."""
    for name, path in _paths(settings).items():  # for the worker processes, which read them again
        os.environ[f"RXBACKUP_{name.upper()}"] = str(path)
    os.environ.update(
        {
            "REFLEX_ENV_MODE": "prod",
            "__REFLEX_SKIP_COMPILE": "true",
            "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
            "REFLEX_WEB_WORKDIR": str(page),
            "REFLEX_TELEMETRY_ENABLED": "false",
            "REFLEX_CHECK_LATEST_VERSION": "false",
            "REFLEX_STATE_MANAGER_MODE": "memory",
        }
    )
    # Reflex reads rxconfig.py from the current folder: it must be ours, not one that happens to lie where we start.
    os.chdir(page)


def _load_app(settings: Settings, address: Address, parent: int) -> Callable[..., Any]:
    """Open everything and build the ASGI app; runs in the app's process."""
    signal.signal(signal.SIGTERM, _stop_while_starting)
    signal.signal(signal.SIGINT, _stop_while_starting)
    threading.Thread(target=_follow_parent, args=(parent,), name="parent watch", daemon=True).start()
    write_logs(settings.log_format)
    from rxbackup.serving import lifespan

    try:
        lifespan.open_services(settings, address.url)
        # By name, as every server names its app: what is served stands above the one who serves.
        return cast("Callable[..., Any]", import_module("rxbackup.rxbackup").app())
    except RxbackupError as error:
        _say(f"{error.message}\n{error.hint}")
        lifespan.close_services()
        sys.exit(error.exit_code)
    except SystemExit:
        lifespan.close_services()
        raise
    except Exception:  # noqa: BLE001 - the last resort of this process
        # Not foreseen, so the log gets everything; a person who only wants to know gets one line.
        _say(redacted(traceback.format_exc()))
        _say("rxbackup could not start: the reason is the last line above. `rxbackup doctor` may know more.")
        lifespan.close_services()
        sys.exit(1)


def _stop_while_starting(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM before the server listens: stop cleanly instead of at the next chance."""
    del frame
    sys.exit(128 + number)


def _follow_parent(parent: int) -> None:
    """Stop the app when the watching process was killed: a second `serve` must find the port free."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
