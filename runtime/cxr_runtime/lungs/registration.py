"""Non-rigid registration of two pictures by dense optical flow (DIS: Kroeger et al. 2016, as in OpenCV)."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (h, w)
Maps = tuple[NDArray[np.float32], NDArray[np.float32]]  # x and y in the source for every pixel of the result

SMOOTHNESS = 1.8  # standard deviation of the blur of the flow, in pixels


def register(fixed: Picture, moving: Picture) -> Maps:
    """Find where each pixel of `fixed` lies in `moving`; both (h, w) uint8 of one size.

    Returns:
        Maps for cv2.remap, (h, w) float32 each: what is sampled from `moving` lies over `fixed`.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(1)
    shift = flow.calc(fixed, moving, np.zeros((*fixed.shape, 2), np.float32))
    shift = np.asarray(cv2.GaussianBlur(shift, (0, 0), SMOOTHNESS), np.float32)
    y, x = np.mgrid[0 : fixed.shape[0], 0 : fixed.shape[1]].astype(np.float32)
    return x + shift[..., 0], y + shift[..., 1]


def sample(source: NDArray[np.uint8], maps: Maps) -> NDArray[np.uint8]:
    """Sample a picture at maps, bilinearly; its own edge goes on beyond it."""
    moved = cv2.remap(source, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
