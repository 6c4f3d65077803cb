"""The worklist's page around its rows: policy, style, head, viewer and script."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from cxr_runtime.heat.colour import legend
from cxr_runtime.names import printable
from cxr_runtime.reports import wording
from cxr_runtime.reports.exhibit import RunFacts
from cxr_runtime.reports.tally import Tally

ROWS_MARK = "<!--films-->"  # where the rows go

# Nothing may be fetched, and only the page's own style and script run, whatever a film is called
# (W3C Content Security Policy 3).
POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
    "base-uri 'none'; form-action 'none'"
)
ALARM = '<p class="alarm" role="alert">{}</p>'
MARK = '<svg class="mark" aria-hidden="true"><use href="#mark-{}"/></svg>'
ALWAYS_OFFERED = ("all", "flagged", "not_flagged")  # filters shown even if they would show no film


def page(run: RunFacts, counts: Tally, pictures: str) -> str:
    """The whole page, with ROWS_MARK in place of its rows.

    Args:
        run: what the page says of the run.
        counts: of its films.
        pictures: a sentence on which films have pictures in the file.
    """
    style, script = _part("worklist.css"), _part("worklist.js")
    return Template(_part("worklist.html")).substitute(
        policy=POLICY.format(style=_digest(style), script=_digest(script)),
        style=style,
        script=script,
        films=counts.films,
        alarm="" if run.is_calibrated else ALARM.format(escape(wording.UNCALIBRATED_NOTICE)),
        filters="".join(_filters(counts)),
        legend=_legend(run.heat_threshold),
        inputs=", ".join(f"<bdi>{escape(printable(name))}</bdi>" for name in run.inputs),
        **{name: escape(printable(text)) for name, text in _texts(run, pictures).items()},
    )


def _texts(run: RunFacts, pictures: str) -> dict[str, str]:
    others = f"{run.passed_over} other files were passed over: no film by their name."
    return {
        "finished": wording.finished(run),
        "operating_point": wording.operating_point(run),
        "model": f"{run.model} ({run.model_sha256[:12]})",
        "backend": run.backend,
        "heat": f"{run.heat_method}, coloured from {run.heat_threshold:.2f}",
        "notice": wording.RESEARCH_NOTICE,
        "heat_notice": wording.HEAT_NOTICE,
        "legend_label": f"Colours of the heat map: blue from {run.heat_threshold:.2f}, red up to 1",
        "pictures": pictures,
        "product": run.product,
        "licence": run.licence,
        "passed_over": others if run.passed_over else "",
    }


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(part: str) -> str:
    return b64encode(sha256(part.encode()).digest()).decode()


def _filters(counts: Tally) -> Iterator[str]:
    """One button a kind of film that there is, with its count."""
    kinds = [
        ("all", "All", counts.films),
        ("flagged", "Flagged", counts.flagged),
        ("review", "Review", counts.review),
        ("not_flagged", "Not flagged", counts.not_flagged),
        ("rejected", "Rejected", counts.rejected),
        ("failed", "Failed", counts.failed),
        ("outside-lungs", "Heat outside lungs", counts.outside_lungs),
    ]
    for tag, word, films in kinds:
        if films or tag in ALWAYS_OFFERED:
            mark = "" if tag in ("all", "outside-lungs") else MARK.format(tag)
            pressed = "true" if tag == "all" else "false"
            yield (
                f'<button type="button" class="{tag}" data-filter="{tag}" aria-pressed="{pressed}">'
                f"{mark}{word} <b>{films}</b></button>"
            )


def _legend(threshold: float) -> str:
    steps = legend(threshold)
    bars = "".join(
        f'<rect x="{10 * place}" width="10" height="8" fill="rgb{step.rgb}"/>'
        for place, step in enumerate(steps)
    )
    return (
        f'{threshold:.2f}<svg viewBox="0 0 {10 * len(steps)} 8" preserveAspectRatio="none" '
        f'aria-hidden="true">{bars}</svg>1'
    )
