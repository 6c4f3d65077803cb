"""Modality LUT or rescale: stored values to the device's own units (PS3.3 C.11.1)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset

from cxr_runtime.reading.dicom_values import integer, number
from cxr_runtime.reading.lut import table_of

Values = NDArray[np.float64]


def modality_of(ds: FileDataset) -> Callable[[Values], Values]:
    """The transform of stored values, any shape; the sequence goes before slope and intercept."""
    for item in ds.get("ModalityLUTSequence") or []:
        table = table_of(item, signed_input=integer(ds, "PixelRepresentation") == 1)
        if table is not None:
            return table.look_up
    slope, intercept = number(ds, "RescaleSlope") or 1.0, number(ds, "RescaleIntercept") or 0.0
    return lambda values: values * slope + intercept
