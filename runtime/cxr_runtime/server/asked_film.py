"""The film that a request is about, and whether its score may be shown to who asks."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from cxr_runtime.language import _
from cxr_runtime.outcome import Status
from cxr_runtime.server.reading_room import ReadingRoom, Visitor
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import Listed, one


def found(desk: Desk, key: str) -> Listed:
    """The film of a key.

    Raises:
        HTTPException: there is none.
    """
    film = one(desk, key)
    if film is None:
        raise HTTPException(404, _("There is no such film in this store."))
    return film


def hides_score(request: Request, room: ReadingRoom, desk: Desk, visitor: Visitor, film: Listed) -> bool:
    """Whether a reader is to say what the film is before the score is shown; one that failed has none."""
    is_blinded = room.options.is_blinded or request.query_params.get("blinded") == "1"
    if not is_blinded or not visitor.role.may_say or film.outcome.status is Status.FAILED:
        return False
    return not any(reader == visitor.name for reader, _ in desk.seen_by(film.key))
