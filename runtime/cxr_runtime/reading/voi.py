"""Values of interest: VOI LUT or window, modality values to light (PS3.3 C.11.2)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset

from cxr_runtime.reading.dicom_values import integer, keyword, number
from cxr_runtime.reading.lut import table_of

Values = NDArray[np.float64]
Voi = Callable[[Values], Values]


def voi_of(ds: FileDataset) -> Voi | None:
    """The first VOI LUT, else the first window, as light 0..1; None where the file states no usable one."""
    signed = integer(ds, "PixelRepresentation") == 1 or (number(ds, "RescaleIntercept") or 0) < 0
    for item in ds.get("VOILUTSequence") or []:
        table = table_of(item, signed_input=signed)
        if table is not None:
            return lambda values: np.clip(table.look_up(values) / table.top, 0, 1)
    centre, width = number(ds, "WindowCenter"), number(ds, "WindowWidth")
    if centre is None or width is None:
        return None
    return window(centre, width, keyword(ds, "VOILUTFunction"))


def window(centre: float, width: float, function: str) -> Voi | None:
    """A window as light 0..1 (PS3.3 C.11.2.1.2 and C.11.2.1.3); None if its width is not allowed."""
    match function:
        case "SIGMOID" if width > 0:
            return lambda values: 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
        case "LINEAR_EXACT" if width > 0:
            return lambda values: np.clip((values - centre) / width + 0.5, 0, 1)
        case "SIGMOID" | "LINEAR_EXACT":
            return None
    if width < 1:
        return None
    if width == 1:
        return lambda values: (values > centre - 0.5).astype(np.float64)
    return lambda values: np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)
