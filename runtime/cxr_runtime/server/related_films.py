"""Films that stand beside a film: the patient's film before it, and those that are most like it."""

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cxr_runtime.identity import Identity
from cxr_runtime.language import _, number
from cxr_runtime.names import folder_and_name, printable
from cxr_runtime.outcome import Outcome
from cxr_runtime.reports import wording
from cxr_runtime.reports.verdicts import SOURCE_WORDS, TEST_WORDS, VERDICT_WORDS
from cxr_runtime.server.asked_film import found, hides_score
from cxr_runtime.server.door import room_of, visitor_of
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import Listed, one
from cxr_runtime.store.similar import Similar
from cxr_runtime.store.verdicts import FilmVerdicts, Said, Source, standing

MOST_SIMILAR = 5  # films that are shown
MOST_FOUND = 20  # of which they are chosen


def similar(request: Request) -> Response:
    """GET /film/KEY/similar: `{films, summary}`, the most similar films with what was said of them.

    Where patients are kept, the patient's other films are left out, and of every other patient one is shown;
    likewise what the reader must not know yet is left out.
    """
    room, visitor, key = room_of(request), visitor_of(request), request.path_params["key"]
    with room.reading() as desk:
        film = found(desk, key)
        if hides_score(request, room, desk, visitor, film):
            raise HTTPException(403, _("Similar films are shown after the verdict."))
        near = room.similar.of(desk, film, MOST_FOUND, _of_the_patient(desk, film))
        known = [each for each in near if not hides_score(request, room, desk, visitor, each.film)]
        shown = _of_many_patients(desk, known)[:MOST_SIMILAR]
        said = [standing(desk.verdicts.of(each.film.outcome.sha256)) for each in shown]
        films = [_told(desk, each, of_film) for each, of_film in zip(shown, said, strict=True)]
    return JSONResponse({"films": films, "summary": _summary(said)})


def _of_many_patients(desk: Desk, near: list[Similar]) -> list[Similar]:
    """Of each patient the most similar film, where patients are kept."""
    of_each = dict[str, Similar]()
    for each in near:
        identity = _identity(desk, each.film)
        person = identity.person if identity is not None else ""
        of_each.setdefault(person or f"film {each.film.key}", each)
    return list(of_each.values())


def _told(desk: Desk, similar: Similar, said: FilmVerdicts) -> dict[str, Any]:
    outcome = similar.film.outcome
    identity = desk.identities.of(outcome.sha256, desk.label())
    return {
        "key": similar.film.key,
        "name": next(iter(wording.owner(identity)), "")
        if identity
        else folder_and_name(printable(outcome.file))[1],
        "result": outcome.status.value if outcome.triage is None else outcome.triage.value,
        "score": _score(outcome),
        "likeness": number(similar.cosine, 2),
        "said": [{"verdict": each.verdict.value, "words": _words(each)} for each in said.standing],
    }


def _words(said: Said) -> str:
    if said.source is Source.READING:
        who, what = said.reader, _(VERDICT_WORDS[said.verdict])
    else:
        who, what = _(SOURCE_WORDS[said.source]), _(TEST_WORDS[said.verdict])
    return f"{who}: {what}"


def _summary(said: list[FilmVerdicts]) -> str:
    """What is known of similar films, in a sentence; "" where there are none."""
    if not said:
        return ""
    known = [each for each in said if each.standing]
    if not known:
        return _("None was read yet.")
    abnormal = sum(each.is_abnormal is True for each in known)
    return _("{count} read, {abnormal} abnormal", count=number(len(known)), abnormal=number(abnormal))


def earlier(desk: Desk, film: Listed, is_hidden: Callable[[Listed], bool]) -> dict[str, str] | None:
    """The person's film before this one, where patients are kept, and how the score has changed.

    Args:
        desk: open.
        film: this one.
        is_hidden: whether the reader must not know the score of a film yet.
    """
    own, label = _identity(desk, film), desk.label()
    if own is None or not own.patient or not own.studied:
        return None
    for sha256, date in desk.films_of_patient(own.patient, label, before=own.studied):
        identity = desk.identities.of(sha256, label)
        other = one(desk, sha256) if identity is not None and identity.person == own.person else None
        if other is not None:
            told = {"key": sha256, "date": date, "score": "", "change": ""}
            if not is_hidden(other):
                told["score"] = _score(other.outcome)
                told["change"] = _change(other.outcome, film.outcome)
            return told
    return None


def _identity(desk: Desk, film: Listed) -> Identity | None:
    """Whose film it is, where that is kept."""
    label = desk.label()
    return desk.identities.of(film.outcome.sha256, label) if film.outcome.sha256 and label else None


def _of_the_patient(desk: Desk, film: Listed) -> frozenset[str]:
    """All films of a film's Patient ID, also where two persons have the same; none where none is kept."""
    identity = _identity(desk, film)
    if identity is None or not identity.patient:
        return frozenset()
    return frozenset(sha256 for sha256, _date in desk.films_of_patient(identity.patient, desk.label()))


def _change(before: Outcome, now: Outcome) -> str:
    """How the score has changed, in words; "" where the two cannot be compared."""
    if before.score is None or now.score is None or before.model_sha256 != now.model_sha256:
        return ""
    change = now.score - before.score
    if abs(change) < 0.5:
        return _("the score is the same")
    size = number(abs(change), 0)
    return _("{size} more now", size=size) if change > 0 else _("{size} less now", size=size)


def _score(outcome: Outcome) -> str:
    return "" if outcome.score is None else number(outcome.score, 0)
