"""The app object: pages, gate, API, wall and what runs beside them, put together and nothing else."""

from __future__ import annotations

import reflex as rx
from reflex import constants
from reflex.utils.prerequisites import get_web_dir
from reflex_base.config import get_config
from reflex_base.environment import environment

from rxbackup.api.app import create_api
from rxbackup.serving.built_files import page_paths, script_hashes
from rxbackup.serving.lifespan import open_house, say_ready
from rxbackup.serving.wall import Application, Wall
from rxbackup.settings import Settings
from rxbackup.ui import shell, theme
from rxbackup.ui.gate import AuthGate
from rxbackup.ui.routes import ROUTES
from rxbackup.ui.session import tell
from rxbackup.worker.lifespan import worker_lifespan


def _page_of_reflex_run() -> str | None:
    """Where the page is while one develops: another port than the backend's."""
    return get_config().deploy_url if environment.REFLEX_ENV_MODE.get() == constants.Env.DEV else None


def build_wall(inner: Application) -> Wall:
    """The wall, knowing the addresses that are ours and the files of the page, if this process serves it."""
    own = [address for address in (Settings().public_url, _page_of_reflex_run()) if address]
    if not environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.get():
        return Wall(inner, own=own)
    files = get_web_dir() / "build" / "client"
    return Wall(inner, own=own, script_hashes=script_hashes(files), pages=page_paths(files))


app = rx.App(
    stylesheets=[*theme.STYLESHEETS, "/rxbackup-entry.css"],
    head_components=theme.head(),
    toaster=shell.toaster(),
    extra_app_wraps={(5, "Overlay"): lambda stateful: shell.connection_notice() if stateful else None},
    html_lang="en",
    backend_exception_handler=tell,
    api_transformer=[create_api(), build_wall],
)
app.add_middleware(AuthGate(), index=0)
app.register_lifespan_task(open_house, address=get_config().deploy_url)
app.register_lifespan_task(worker_lifespan)
app.register_lifespan_task(say_ready)
for route in ROUTES:
    app.add_page(route.page, route=route.path, title=route.title, on_load=list(route.on_load))
if app.sio is not None:
    # The wall has asked already. What engineio would ask cannot know the address people use.
    app.sio.eio.cors_allowed_origins = []
