"""Drawn pictures of every kind that the gate learns from, for tests."""

import numpy as np

from cxr_runtime.gate.network import PictureKind
from cxr_runtime.phantom import draw_phantom
from cxr_train.small.gate.drawn import draw_limb, draw_page
from cxr_train.small.gate.pictures import SIDE, Picture


def gate_pictures(patients: int = 4) -> list[Picture]:
    """Two frontal films a patient; a lateral film (a drawn limb stands in) and another picture each."""
    pictures: list[Picture] = []
    for patient in range(patients):
        rng = np.random.default_rng(patient)
        for visit in range(2):
            pixels = draw_phantom(10 * patient + visit, hw=(SIDE, SIDE))
            lungs = np.zeros((SIDE, SIDE), np.uint8)
            lungs[30:150, 20:90] = lungs[30:150, 130:200] = 255
            name = f"{patient}-{visit}.png"
            pictures.append(Picture(name, "drawn", f"patient {patient}", PictureKind.FRONTAL, pixels, lungs))
        for kind, draw in ((PictureKind.LATERAL, draw_limb), (PictureKind.OTHER, draw_page)):
            pixels = np.round(255 * draw(rng, SIDE)).astype(np.uint8)
            pictures.append(
                Picture(f"{kind.name}-{patient}.png", "drawn", f"{kind.name} {patient}", kind, pixels)
            )
    return pictures
