"""NVIDIA GPUs: driver, memory, TensorRT. Loads with nothing but numpy, tensorrt and pycuda there."""
