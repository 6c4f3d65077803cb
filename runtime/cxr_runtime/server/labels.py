"""Every word that the scripts of the worklist's page say."""

import json

from markupsafe import Markup

from cxr_runtime.language import _, later
from cxr_runtime.reports import verdicts, viewer

_OWN = {
    "search": later("Search"),
    "score": later("score"),
    "similar": later("Similar films"),
    "similarMeans": later(
        "Films of this folder in which the network saw most of the same. Alike is not the same disease."
    ),
    "likeness": later("likeness"),
    "compare": later("Show side by side"),
    "earlierFilm": later("Earlier film"),
    "hidden": later("Say what it is: then the score is shown"),
    "gone": later("The film's file is gone or has changed: this is the small picture that the store keeps"),
    "noFile": later("The film's file is not where it was scored."),
    "noPicture": later("The store keeps no picture of this film."),
    "fromFile": later(
        "This is the film as its file has it, not turned or inverted: the store keeps no picture of it"
    ),
    "late": later("The film does not come at full size: this is the small picture that the store keeps"),
    "seenBy": later("Opened by"),
    "openBy": later("Also open:"),
    "placeOf": later("{place} of {count}"),
    "away": later("The server does not answer. What you say now may not be kept."),
    "crowded": later("Too many pages are open here: this one does not hear of new films."),
}


def script_labels() -> Markup:
    """Every word of the scripts, in the language of this moment, as JSON."""
    said = {**viewer.LABELS, **verdicts.LABELS, **_OWN}
    text = json.dumps({name: _(word) for name, word in said.items()}, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))  # "<" could end the element that holds it
