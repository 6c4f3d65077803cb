"""Scripts and styles of the pages, by their digest: a browser keeps them until they change."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cxr_runtime.reports import verdicts, viewer

SCRIPTS = ("asking.js", "live.js", "list.js", "beside.js", "depth.js", "room.js")  # each after what it needs
KINDS = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
KEPT = {"cache-control": "public, max-age=31536000, immutable"}


@cache
def parts() -> dict[str, str]:
    """All of them, by name."""
    return {
        "viewer.js": "\n".join((viewer.script(), verdicts.script())),
        "viewer.css": "\n".join((viewer.style(), verdicts.style())),
        "room.js": "\n".join(_read(name) for name in SCRIPTS),
        "room.css": _read("room.css"),
    }


@cache
def address(name: str) -> str:
    """Where a page asks for one."""
    return f"/static/{sha256(parts()[name].encode()).hexdigest()[:16]}/{name}"


def part(request: Request) -> Response:
    """GET /static/DIGEST/NAME; no name leads to a file."""
    name = request.path_params["name"]
    if name not in parts() or request.url.path != address(name):
        raise HTTPException(404, "There is no such part.")
    return Response(parts()[name], media_type=KINDS[name.rpartition(".")[2]], headers=KEPT)


def _read(name: str) -> str:
    return files("cxr_runtime.server").joinpath("pages", name).read_text(encoding="utf-8")
