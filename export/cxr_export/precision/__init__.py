"""Lower precisions: how FP16 and INT8 files are made, and whether films accept them."""

from cxr_export.precision.lower import Lowered, Precision, lowered

__all__ = ["Lowered", "Precision", "lowered"]
