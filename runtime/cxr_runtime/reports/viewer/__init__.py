"""The film viewer of every page: worklist.html takes it in as text, a server gives it as files.

    const viewer = new FilmViewer(element, { labels, step, legend });
    viewer.show({ name, place, caption, film, heat, outlines, spacing, earlier });
    viewer.clear(node);                     // no film: `node` says why
    viewer.keys.add([{ keys: ["n"], words: "Normal", act }]);   // shown on `?`, switched off with the others
    element.addEventListener("whole", ({ detail }) => ...);     // it fills the window, or gives it back

`labels` is `LABELS`, in whatever language. `viewer.js` says at `show` what a film is, and which letters
are its own (`LETTERS`). The script needs no library, asks for nothing by itself, and runs under a policy that
allows it alone: `script-src` and `style-src` by hash or by address, `img-src` with `data:` or the pictures'
address.
"""

from functools import cache
from importlib.resources import files

from cxr_runtime.reports.viewer.labels import LABELS

__all__ = ["LABELS", "script", "style"]

SCRIPTS = (
    "pixels.js",
    "pane.js",
    "keys.js",
    "bar.js",
    "gestures.js",
    "sight.js",
    "ruler.js",
    "viewer.js",
)  # each after what it needs


@cache
def script() -> str:
    """A plain script, without a module: what follows it on the page can use `FilmViewer`."""
    return "\n".join(_part(name) for name in SCRIPTS)


@cache
def style() -> str:
    """Its style; every name in it begins with `fv-` or `film-viewer`."""
    return _part("viewer.css")


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
