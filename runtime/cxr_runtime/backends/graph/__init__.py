"""ONNX files read, changed and written without the `onnx` package."""
