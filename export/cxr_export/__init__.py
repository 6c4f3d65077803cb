"""PyTorch to ONNX with conv5, precisions, and TensorRT engines."""
