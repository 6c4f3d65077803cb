from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import ModelError
from cxr_runtime.gate.network import GATE_FILE
from cxr_runtime.gate.network import INPUT_SIDE as GATE_SIDE
from cxr_runtime.lungs.field import INPUT_SIDE, LUNG_FIELD_FILE
from cxr_runtime.small_network import SmallNetwork

GATE_ANSWERS = (  # to noise, on the processor on which the file was made
    0.6057, -2.1981, 4.0714, -3.3366, -3.3427, 1.4508,
    -1.4825, -1.9550, -0.6674, -0.0305, -2.3772, 0.2018,
)  # fmt: skip
LUNG_ANSWERS = (  # of every fortieth pixel, likewise
    -0.5487, 0.6584, 0.2195, -2.5238, 0.6584, 1.3168, 0.9876, -0.1097,
    -0.3292, 0.6584, -0.7681, -0.6584, -1.8654, -4.6087, -5.0476, -4.1698,
)  # fmt: skip
BLANK = np.zeros((1, 1, INPUT_SIDE, INPUT_SIDE), np.float32)


def test_a_small_network_runs_where_it_lies(tmp_path: Path) -> None:
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(LUNG_FIELD_FILE.read_bytes())
    np.testing.assert_array_equal(SmallNetwork(copy).run(BLANK), SmallNetwork(LUNG_FIELD_FILE).run(BLANK))


@pytest.mark.parametrize("content", [None, b"", b"not a network"])
def test_a_missing_or_damaged_part_of_the_program_is_no_film_s_fault(
    content: bytes | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "part.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="install cxr-triage anew"):
        SmallNetwork(tmp_path / "part.onnx").run(BLANK)


@pytest.mark.parametrize("file", [LUNG_FIELD_FILE, GATE_FILE])
def test_a_shipped_network_does_not_say_where_it_was_made(file: Path) -> None:
    assert b"cxr_train/" not in file.read_bytes()


@pytest.mark.parametrize(
    ("file", "side", "answers"),
    [(GATE_FILE, GATE_SIDE, GATE_ANSWERS), (LUNG_FIELD_FILE, INPUT_SIDE, LUNG_ANSWERS)],
)
def test_a_shipped_network_answers_on_every_processor_what_it_answered_where_it_was_made(
    file: Path, side: int, answers: tuple[float, ...]
) -> None:
    noise = np.random.default_rng(0).normal(size=(1, 1, side, side)).astype(np.float32)
    found = SmallNetwork(file).run(noise)
    shown = found[0] if file == GATE_FILE else found[0, 0, 20::40, 20::40].ravel()
    np.testing.assert_allclose(shown, answers, atol=1e-3)
