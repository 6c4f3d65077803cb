"""The precisions that a network can be exported in."""

from dataclasses import dataclass, field
from enum import StrEnum

import onnx

from cxr_export.films import ExportFilms
from cxr_export.precision.int8 import choose_int8
from cxr_export.tidy import checked
from cxr_runtime.backends.graph.half import half_graph, largest_magnitudes
from cxr_runtime.model.preprocessing import Preprocessing, normalise

_FILMS_FOR_RANGES = 16  # every tensor of the network is held for so many films


class Precision(StrEnum):
    """What a model.onnx computes in."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


@dataclass(frozen=True)
class Lowered:
    """A model in another precision."""

    onnx: bytes = field(repr=False)
    chosen: dict[str, float] = field(default_factory=dict)  # what was chosen for it, by name


def lowered(whole: bytes, precision: Precision, films: ExportFilms, how: Preprocessing) -> Lowered:
    """A float32 model in another precision, its types in the file.

    Args:
        whole: the float32 model.
        precision: the one wanted.
        films: ranges and scales are taken from their first part, the rule for scales is chosen on the second.
        how: the network's preprocessing.
    """
    if precision is Precision.FP16:
        batch = normalise(films.calibration[:_FILMS_FOR_RANGES], how)
        half = half_graph(whole, largest_magnitudes(whole, batch))
        return Lowered(bytes(checked(onnx.load_from_string(half)).SerializeToString()))
    if precision is Precision.INT8:
        best = choose_int8(whole, films, how)
        return Lowered(best.onnx, {"int8_percentile": best.percentile})
    return Lowered(whole)
