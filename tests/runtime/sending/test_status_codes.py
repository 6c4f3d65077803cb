"""What archives answer, and what becomes of a result then (PS3.4 table B.2-1, PS3.7 annex C)."""

import pytest

from cxr_runtime.sending.status_codes import answer_of
from cxr_runtime.store.deliveries import State


@pytest.mark.parametrize(
    ("status", "state", "said"),
    [
        (0x0000, State.SENT, ""),
        (0x0111, State.SENT, "it has the object already"),
        (0xB000, State.SENT, "changed elements"),
        (0xB006, State.SENT, "left out elements"),
        (0xB007, State.SENT, "not as it expects"),
        (0x0107, State.SENT, "warning"),
        (0xA700, State.WAITING, "no room"),
        (0xA702, State.WAITING, "no room"),
        (0x0110, State.WAITING, "failed"),
        (0x0210, State.WAITING, "had"),
        (0xA900, State.REFUSED, "not of its kind"),
        (0xC123, State.REFUSED, "cannot read"),
        (0x0122, State.REFUSED, "of this kind"),
        (0x0124, State.REFUSED, "not allowed"),
        (0x0117, State.REFUSED, "UID"),
    ],
)
def test_each_status_delivers_a_result_or_refuses_it_or_lets_it_wait(
    status: int, state: State, said: str
) -> None:
    answer = answer_of(status)
    assert answer.state is state
    assert said in answer.said
    assert bool(answer.said) == (status != 0)
