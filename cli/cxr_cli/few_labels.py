"""`cxr-triage calibrate --unlabelled` and `--choose`: what can be said with no labels, and with few."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from cxr_runtime.errors import UsageError

if TYPE_CHECKING:
    from cxr_calibration.statistics.intervals import Estimate


def only_one(labels: Path | None, unlabelled: Path | None, choose: int | None, scan: Path | None) -> None:
    """Refuse a command that asks for none, or for more than one, of the ways to calibrate.

    Raises:
        UsageError: it does; or films are to be chosen of no scan.
    """
    ways = {"--labels": labels, "--unlabelled": unlabelled, "--choose": choose}
    asked = [name for name, given in ways.items() if given is not None]
    if not asked:
        raise UsageError(
            "--labels is missing; add `--labels FILE.csv`, or `--unlabelled DIR` where there are no labels, "
            "or `--choose 60 --scan DIR` to know which films to label; see `cxr-triage calibrate --help`"
        )
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} exclude each other; give one of them")
    if choose is not None and scan is None:
        raise UsageError("--choose needs the scan to choose from; add `--scan DIR`")


def expected_lines(folder: Path, model: str) -> str:
    """Of films without labels, what the threshold is expected to do; nothing is written."""
    from cxr_calibration.unlabelled import NEXT_STEP, expect_without_labels
    from cxr_cli.progress import terminal_or_lines

    site = expect_without_labels(folder, model, progress=terminal_or_lines())
    expected, mixture = site.expected, site.expected.mixture
    shift = mixture.shift
    views = "whatever the views" if site.knows_views else "if views are mixed as in the calibration"
    return "\n".join(
        [
            f"{site.films} films look like those of the calibration; nobody has said what they are",
            f"their scores are shifted by {shift.value:+.1f} ({shift.low:+.1f} to {shift.high:+.1f}) on the "
            f"scale of the network; {_shares(mixture.abnormal)} of them are expected to be abnormal",
            f"{site.point.name}: expected sensitivity {_shares(expected.sensitivity)}, specificity "
            f"{_shares(expected.specificity)}, {views}",
            "the threshold stays as it is: no way to move it without labels has been found to do better. "
            f"{NEXT_STEP}",
        ]
    )


def chosen_lines(films: int, scan: Path, model: str, out: Path | None) -> str:
    """Write which films of a scan to read, and say what to do with the file."""
    from cxr_calibration.labels.choosing import TO_READ_FILE, write_films_to_read
    from cxr_calibration.labels.scoring_films import scores_of_scan, unknown_films
    from cxr_runtime.model.folder import open_model
    from cxr_runtime.model.known_films import read_known_films

    opened = open_model(model, allow_uncalibrated=True)
    known = read_known_films(opened.folder, opened.manifest.model_sha256)
    path = (out or scan) / TO_READ_FILE
    total = write_films_to_read(unknown_films(scores_of_scan(opened, scan), known), films, path)
    return (
        f"{films} of {total} films to read: {path}\n"
        "write 0 (normal) or 1 (abnormal) into the column label, do not look at the scores, and leave the "
        f"weights as they are; then `cxr-triage calibrate --labels {quote(str(path))} "
        f"--scan {quote(str(scan))} --model {quote(model)}`"
    )


def _shares(estimate: "Estimate") -> str:
    from cxr_calibration.statistics.intervals import percent_interval

    return percent_interval(estimate)
