"""How much each channel speaks for abnormal is the slope of the margin by it, whatever else is asked for."""

import numpy as np
import onnx
import pytest

from cxr_export.importing.heat import channel_weights

# As some networks are exported: behind the feature map, how many films there are is asked of the image.
ASKS_THE_IMAGE = """
<ir_version: 8, opset_import: ["" : 17]>
network (float[N, 3, 8, 8] image) => (float[N, 2] logits, float[N, 3, 8, 8] conv5)
<float[3, 2] weights = {0.0, 1.0, 0.5, 0.0, 2.0, 2.0}>
{
  conv5 = Relu(image)
  films = Shape<start = 0, end = 1>(image)
  others = Constant<value_ints = [-1]>()
  shape = Concat<axis = 0>(films, others)
  pooled = GlobalAveragePool(conv5)
  flat = Reshape(pooled, shape)
  logits = MatMul(flat, weights)
}
"""


def test_channels_are_weighed_where_the_part_behind_the_map_asks_for_the_images_shape() -> None:
    model = onnx.parser.parse_model(ASKS_THE_IMAGE)
    conv5 = np.random.default_rng(0).random((2, 3, 8, 8), np.float32)
    assert channel_weights(model, conv5) == pytest.approx([1.0, -0.5, 0.0], abs=1e-4)
