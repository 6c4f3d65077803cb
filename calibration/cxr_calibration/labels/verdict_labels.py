"""Labels from what readers and laboratories said of films in a store (`cxr-triage serve`)."""

from dataclasses import dataclass
from pathlib import Path

from cxr_calibration.labels.labels import Label, read_labels
from cxr_runtime.errors import UsageError
from cxr_runtime.names import printable
from cxr_runtime.outcome import Triage
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.verdicts import FilmVerdicts

LOPSIDED = 2.0  # times as large a share of flagged films that were read: the others say too little
ONLY_SEEN = (
    "Labels of readers who had the score before them: {count} of {all}. A truth that has not seen it is "
    "surer: `cxr-triage serve DIR --blinded`."
)
DISPUTED = "Films left out because readers disagree about them: {count}."
UNSURE = "Films left out because nobody could tell: {count}."
ELSEWHERE = "Labels that rest on verdicts of another machine, or changed since they were given: {count}."
LOPSIDED_READING = (
    "Of the flagged films {flagged:.0%} were read, of the others {others:.0%}: what is measured of these may "
    "not hold. `cxr-triage calibrate --choose` says which to read."
)


@dataclass(frozen=True)
class Labels:
    """Labels, and what must be known of them."""

    labels: tuple[Label, ...]
    remarks: tuple[str, ...] = ()


def labels_in(path: Path) -> Labels:
    """The labels of a file, or of the verdicts in an output folder.

    Raises:
        UsageError: the file is wrong, or nothing was said of any film in the folder.
        StoreError: the folder holds no store that can be used.
    """
    return labels_of_store(path) if path.is_dir() else Labels(read_labels(path))


def labels_of_store(folder: Path) -> Labels:
    """What is known of films by the verdicts on them; those that readers disagree about are left out.

    A test that found disease, and a CT that found none, stand above readers (`FilmVerdicts.is_abnormal`).

    Raises:
        UsageError: nothing was said of any film, or only what decides nothing.
        StoreError: the folder holds no store that can be used.
    """
    with Desk.to_read(folder) as desk:
        said, label = dict(desk.verdicts.every()), desk.label()
        outcomes = {row.sha256: row for row in desk.outcomes(None) if row.sha256}
        patients = {
            sha256: identity.issued_patient
            for sha256 in said
            if label and (identity := desk.identities.of(sha256, label)) is not None
        }
    decided = {sha256: film for sha256, film in said.items() if film.is_abnormal is not None}
    if not decided:
        raise UsageError(
            f"{printable(str(folder))} holds no verdict that says what a film is; read films with "
            "`cxr-triage serve DIR`, or give --labels FILE.csv"
        )
    labels = [
        Label(
            line=number,
            file=outcomes[sha256].file if sha256 in outcomes else sha256,
            path=folder / sha256,
            sha256=sha256,
            abnormal=bool(film.is_abnormal),
            patient=patients.get(sha256, ""),
        )
        for number, (sha256, film) in enumerate(decided.items(), start=1)
    ]
    triages = {sha256: row.triage for sha256, row in outcomes.items()}
    return Labels(tuple(labels), tuple(_remarks(said, decided, triages)))


def _remarks(
    said: dict[str, FilmVerdicts], decided: dict[str, FilmVerdicts], triages: dict[str, Triage | None]
) -> list[str]:
    disputed = sum(film.is_disputed for sha256, film in said.items() if sha256 not in decided)
    unsure = len(said) - len(decided) - disputed
    seen = sum(
        not any(one.is_blinded for one in film.readings) for film in decided.values() if not film.tests
    )
    elsewhere = sum(not all(one.is_ours for one in film.standing) for film in decided.values())
    counted = (
        (DISPUTED, disputed),
        (UNSURE, unsure),
        (ONLY_SEEN, seen),
        (ELSEWHERE, elsewhere),
    )
    shares = [_share_read(decided, triages, kind) for kind in (Triage.FLAGGED, Triage.NOT_FLAGGED)]
    lopsided = Triage.NOT_FLAGGED in triages.values() and shares[0] > LOPSIDED * shares[1]
    remarks = [sentence.format(count=films, all=len(decided)) for sentence, films in counted if films]
    told = LOPSIDED_READING.format(flagged=shares[0], others=shares[1])
    return [*remarks, *([told] if lopsided else [])]


def _share_read(decided: dict[str, FilmVerdicts], triages: dict[str, Triage | None], kind: Triage) -> float:
    films = [sha256 for sha256, triage in triages.items() if triage is kind]
    return sum(sha256 in decided for sha256 in films) / max(len(films), 1)
