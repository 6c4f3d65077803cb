"""DIMSE messages of a sender (PS3.7), taken apart so that no data set is ever held in memory, or decoded.

pynetdicom 3.0.4 collects a message in memory, or in a temporary file that stays behind when the sender
breaks off, without a limit; it takes the next message while one waits for its answer, and starts a thread for
each report of an event. Here a data set goes straight into its film, and one message is taken at a time.
"""

from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_ECHO_RQ, C_STORE_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import C_ECHO, C_STORE
from pynetdicom.pdu_primitives import P_DATA

from cxr_runtime.arrivals.receiver.inbox import Answer, Inbox, Incoming, Received
from cxr_runtime.dicom_elements import file_start

COMMAND_BYTES = 4096  # of a command set; those of C-STORE have some 300
_IS_COMMAND, _IS_LAST = 1, 2  # bits of a fragment's header (PS3.8 E.2)
_BROKEN = "Evt19"  # the peer sent what the protocol does not allow: the association is aborted (PS3.8 9.2)


class FilmMessages(DIMSEServiceProvider):
    """What a sender says after its association was accepted: C-ECHO and C-STORE, one at a time."""

    def __init__(self, association: Association, inbox: Inbox) -> None:
        super().__init__(association)
        self._inbox = inbox
        self._command = bytearray()
        self._request: C_STORE | None = None  # whose data set is being received
        self._film: Incoming | None = None
        self._context_id = 0
        self._is_unanswered = False

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take fragments of a message; what breaks the rules ends the association."""
        try:
            for context_id, fragment in primitive.presentation_data_value_list:
                self._take(context_id, fragment)
        except Exception:  # noqa: BLE001 - pydicom and pynetdicom answer broken commands with errors of every kind
            self.drop()
            self.dul.event_queue.put(_BROKEN)

    def send_msg(self, primitive: object, context_id: int) -> None:
        """Answer the message that was taken; the next one may come then."""
        self._is_unanswered = False
        super().send_msg(primitive, context_id)  # type: ignore[arg-type]  # a union of theirs without a name

    def stored(self) -> Received:
        """Have the film that was received on the disk."""
        film, self._film = self._film, None
        return Received(Answer.NOT_UNDERSTOOD, "empty") if film is None else film.finish()

    def drop(self) -> None:
        """Keep nothing of a film that was not received to its end."""
        film, self._film, self._request = self._film, None, None
        if film is not None:
            film.drop()

    @property
    def is_receiving(self) -> bool:
        """Whether a film is on its way."""
        return self._film is not None

    def _take(self, context_id: int, fragment: bytes) -> None:
        header, content = fragment[0], fragment[1:]
        if self._is_unanswered:
            raise ValueError("a message before the one before it was answered (PS3.7 D.3.3.3)")
        if header & _IS_COMMAND:
            if self._request is not None or len(self._command) + len(content) > COMMAND_BYTES:
                raise ValueError("a command within a data set, or one without an end")
            self._command += content
            if header & _IS_LAST:
                self._begin(context_id)
            return
        if self._request is None or self._film is None or context_id != self._context_id:
            raise ValueError("a data set without its command")
        self._film.write(content)
        if header & _IS_LAST:
            request, self._request = self._request, None
            self._hand_over(request)

    def _begin(self, context_id: int) -> None:
        """A command is whole."""
        message, whole = DIMSEMessage(), P_DATA()
        command = bytes([_IS_COMMAND | _IS_LAST]) + self._command
        self._command, self._context_id = bytearray(), context_id
        whole.presentation_data_value_list = [[context_id, command]]  # type: ignore[list-item]  # its setter's own
        has_no_data_set = message.decode_msg(whole)
        request = message.message_to_primitive()
        context = self.assoc._accepted_cx[context_id]  # KeyError: one that was not accepted
        match message, request:
            case C_ECHO_RQ(), C_ECHO(is_valid_request=True) if has_no_data_set:
                self._hand_over(request)
            case C_STORE_RQ(), C_STORE(is_valid_request=True) if not has_no_data_set:
                sop_class, instance = str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)
                syntax = str(context.transfer_syntax[0])
                self._film = self._inbox.begin(file_start(sop_class, instance, syntax))
                self._request = request
                if sop_class != context.abstract_syntax:
                    self._film.refuse(Answer.OTHER_CLASS, "other-class")
            case _:
                raise ValueError("neither C-ECHO nor C-STORE, or without its elements")

    def _hand_over(self, request: C_ECHO | C_STORE) -> None:
        self._is_unanswered = True
        self.msg_queue.put((self._context_id, request))
