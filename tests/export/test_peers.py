"""The table of peers is measured: programs that run, and operations that are counted by hand."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from cxr_export.peers import floor, operations, peers_table
from cxr_runtime.errors import UsageError
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png


def test_operations_are_those_of_convolutions_and_products(tmp_path: Path) -> None:
    weights = [
        onnx.numpy_helper.from_array(np.zeros(shape, np.float32), name)
        for name, shape in (("kernel", (8, 3, 3, 3)), ("matrix", (392, 2)))
    ]
    nodes = [
        onnx.helper.make_node("Conv", ["film", "kernel"], ["maps"], strides=[2, 2]),
        onnx.helper.make_node("Flatten", ["maps"], ["row"]),
        onnx.helper.make_node("Gemm", ["row", "matrix"], ["logits"]),
    ]
    film, logits = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("film", [1, 3, 16, 16]), ("logits", [1, 2]))
    )
    graph = onnx.helper.make_graph(nodes, "network", [film], [logits], weights)
    onnx.save(onnx.helper.make_model(graph), tmp_path / "network.onnx")
    assert operations(tmp_path / "network.onnx") == 2 * (7 * 7 * 8 * 3 * 9 + 8 * 7 * 7 * 2)


def test_the_floor_is_above_nothing(tmp_path: Path) -> None:
    film = tmp_path / "film.png"
    film.write_bytes(encode_png(draw_phantom(1, hw=(128, 128))))
    assert 1e-4 < floor([film]) < 1


def test_too_few_films_are_refused() -> None:
    with pytest.raises(UsageError, match="3 films are too few; expected more than 4"):
        peers_table([Path("a.png")] * 3, None)
