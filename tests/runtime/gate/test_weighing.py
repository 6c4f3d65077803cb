"""The one probability of the gate."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from cxr_runtime.errors import ModelError
from cxr_runtime.gate.network import FROM, GATE_FILE, SURE, GateAnswers, answer_reasons, doubt_size
from cxr_runtime.gate.reasons import MOST_DOUBT, Code, Doubt, Reason, Weighing, measured_size
from cxr_runtime.gate.weighing import WEIGHING_FILE, read_weighing, weighing_json

WEIGHING = Weighing(4.0, dict.fromkeys(Doubt, 2.0) | {Doubt.CUT: 5.0}, 0.5)


def _reason(doubt: Doubt, size: float) -> Reason:
    return Reason(doubt, size, 1.5, Code.NOT_A_CHEST_FILM, "found", "next step")


def test_doubts_add_up_and_none_speaks_for_a_film() -> None:
    none = WEIGHING.probability([])
    one = WEIGHING.probability([_reason(Doubt.OTHER, 1.0)])
    two = WEIGHING.probability([_reason(Doubt.OTHER, 1.0), _reason(Doubt.VAGUE_LUNGS, 1.0)])
    assert none == pytest.approx(0.982, abs=1e-3)
    assert none > one > two == pytest.approx(0.5)
    assert WEIGHING.probability([_reason(doubt, 0.0) for doubt in Doubt]) == none


def test_the_reason_told_is_the_first_that_is_enough_by_itself_or_else_the_gravest() -> None:
    vague, cut, other = (
        _reason(d, s) for d, s in ((Doubt.VAGUE_LUNGS, 1.6), (Doubt.CUT, 1.4), (Doubt.OTHER, 1))
    )
    assert WEIGHING.to_tell([vague, cut, other]) is vague
    assert WEIGHING.to_tell([cut, vague, _reason(Doubt.DARK, 1.5)]).doubt is Doubt.DARK
    assert WEIGHING.to_tell([other, cut]) is cut


@pytest.mark.parametrize(
    ("kinds", "code"),
    [((0.6, 0.0, 0.4, 0.0, 0.0), Code.LUNGS_CUT_OFF), ((0.4, 0.0, 0.6, 0.0, 0.0), Code.NOT_A_CHEST_FILM)],
)
def test_lungs_are_said_to_be_cut_off_only_where_a_frontal_film_is_likelier_than_anything_else(
    kinds: tuple[float, ...], code: Code
) -> None:
    reasons = answer_reasons(GateAnswers(kinds, (1.0, 0.0, 0.0, 0.0), 0.0, 0.0, 0.99), 0.0)
    assert {reason.code for reason in reasons if reason.doubt is Doubt.CUT} == {code}


def test_a_weighing_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    path.write_bytes(weighing_json(WEIGHING, "0" * 64))
    assert read_weighing(path) == WEIGHING


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"base": 1, "weights": {}}'])
def test_a_damaged_weighing_stops_the_scan(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gate.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="install cxr-triage anew"):
        read_weighing(path)


def test_the_shipped_weights_belong_to_the_shipped_network() -> None:
    found = json.loads(WEIGHING_FILE.read_bytes())
    assert found["network_sha256"] == sha256(GATE_FILE.read_bytes()).hexdigest()


@pytest.mark.parametrize("doubt", [doubt for doubt in Doubt if doubt not in FROM])
def test_what_lies_beyond_a_measured_bound_is_rejected_whatever_the_network_says(doubt: Doubt) -> None:
    shipped = read_weighing()
    assert shipped.probability([_reason(doubt, 1.01)]) < shipped.least_probability


@pytest.mark.parametrize("doubt", list(FROM))
def test_what_the_network_is_sure_of_is_enough_by_itself(doubt: Doubt) -> None:
    shipped, sure = read_weighing(), SURE[doubt] + 0.005
    assert shipped.probability([_reason(doubt, doubt_size(sure, FROM[doubt]))]) < shipped.least_probability


@pytest.mark.parametrize(
    ("value", "size"), [(70.0, 0.0), (60.0, 0.0), (50.0, 0.5), (40.0, 1.0), (0.0, MOST_DOUBT)]
)
def test_a_measured_doubt_grows_from_good_to_bad_and_no_further(value: float, size: float) -> None:
    assert measured_size(value, 60.0, 40.0) == size


def test_a_network_s_doubt_is_nothing_below_its_start_and_finite_at_certainty() -> None:
    assert doubt_size(0.0, 0.05) < 1e-4
    assert doubt_size(0.05, 0.05) == pytest.approx(0.693, abs=1e-3)
    assert 10 < doubt_size(1.0, 0.05) < 20
