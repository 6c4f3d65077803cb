"""What the status of C-STORE means (PS3.4 table B.2-1, PS3.7 annex C), and of STOW-RS's failures, too."""

from cxr_runtime.sending.destination import Answer
from cxr_runtime.store.deliveries import State

SUCCESS, DUPLICATE_INSTANCE = 0x0000, 0x0111
_PROCESSING_FAILURE, _DUPLICATE_INVOCATION, _OUT_OF_RESOURCES = 0x0110, 0x0210, 0xA7
_WARNINGS = (0x0001, 0x0107, 0x0116)  # beside those that begin with B (PS3.7 C.1)
_WORDS = {
    DUPLICATE_INSTANCE: "it has the object already",
    0x0117: "it takes the UID for a wrong one",
    0x0122: "it takes no objects of this kind",
    0x0124: "we are not allowed to store there",
    0x0211: "it takes no objects at all",
    0x0212: "it takes an argument for a wrong one",
    _PROCESSING_FAILURE: "it failed",
    _DUPLICATE_INVOCATION: "it takes the message for one that it has had",
    0xB000: "it changed elements of the object",
    0xB006: "it left out elements of the object",
    0xB007: "the object is not as it expects such objects",
}
_GROUPS = {
    0xA7: "it has no room",
    0xA9: "the object is not of its kind",
    0xC0: "it cannot read the object",
}


def answer_of(status: int) -> Answer:
    """Whether an archive has a result, refuses it for good, or may take it another time."""
    if status == SUCCESS:
        return Answer(State.SENT)
    if status >> 12 == 0xB or status in _WARNINGS:
        return Answer(State.SENT, f"with a warning: {words_of(status)}")
    if status == DUPLICATE_INSTANCE:  # the UID says all that decides an object: it can be no other
        return Answer(State.SENT, words_of(status))
    is_for_now = status >> 8 == _OUT_OF_RESOURCES or status in (_PROCESSING_FAILURE, _DUPLICATE_INVOCATION)
    return Answer(State.WAITING if is_for_now else State.REFUSED, words_of(status))


def words_of(status: int) -> str:
    """A status in words and in four hex digits."""
    group = _GROUPS.get(status >> 8) or (_GROUPS[0xC0] if status >> 12 == 0xC else "")
    words = _WORDS.get(status) or group or "it says no more"
    return f"{words} (status 0x{status:04X})"
