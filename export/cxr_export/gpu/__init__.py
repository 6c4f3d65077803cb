"""What a GPU is measured by: speed against PyTorch and against what the hardware can do, and agreement."""
