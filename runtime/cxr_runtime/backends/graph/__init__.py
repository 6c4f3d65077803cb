"""ONNX files changed when they are loaded, and typed for FP16 and INT8; for that protobuf is enough."""
