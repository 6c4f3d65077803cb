"""What the input and the outputs of every model.onnx are called."""

INPUT = "image"  # float32 (B, 3, H, W), normalised
LOGITS = "logits"  # float32 (B, 2) = [normal, abnormal]
CONV5 = "conv5"  # float32 (B, C, h, w), after ReLU, before any pooling
