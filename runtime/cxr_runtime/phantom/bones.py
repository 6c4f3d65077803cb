"""The bones of a drawn chest, as lines and outlines."""

import numpy as np

from cxr_runtime.film import View
from cxr_runtime.phantom.body import Body, fit
from cxr_runtime.phantom.canvas import Points, mirrored, smooth

RIBS = 10  # pairs that lie over the lungs


def posterior_ribs(body: Body) -> list[Points]:
    """From the spine outwards, falling at the side."""
    along = np.linspace(0, 1, 24)
    ribs = []
    for index in range(RIBS):
        top = 0.095 + 0.058 * index
        reach = 0.24 + 0.17 * np.sin(min(1.0, (index + 1) / 5) * np.pi / 2)
        fall = 0.055 + 0.012 * index
        x = 0.465 - reach * along
        y = top - 0.025 * np.sin(np.pi * along * 0.8) + fall * along**2.6
        ribs.append(fit(np.stack([x, y], axis=1), body))
    return ribs + [mirrored(rib) for rib in ribs]


def anterior_ribs(body: Body) -> list[Points]:
    """From the side forwards and down, ending where the cartilage begins."""
    along = np.linspace(0, 1, 24)
    ribs = []
    for index in range(1, 8):
        top = 0.115 + 0.068 * index
        wall = 0.465 - (0.24 + 0.17 * np.sin(min(1.0, (index + 1) / 5) * np.pi / 2))
        x = wall + (0.17 + 0.012 * index) * along
        y = top + (0.13 + 0.006 * index) * along**1.25
        ribs.append(fit(np.stack([x, y], axis=1), body))
    return ribs + [mirrored(rib) for rib in ribs]


def clavicles(body: Body) -> list[Points]:
    """From the breastbone to the shoulders; nearly level on an AP film."""
    lift = -0.02 if body.view is View.AP else 0.0
    inner = [(0.455, 0.165 + lift), (0.4, 0.15 + lift), (0.31, 0.125 + lift)]
    right = smooth([*inner, (0.2, 0.12), (0.11, 0.135), (0.05, 0.13)], closed=False)
    return [right, mirrored(right)]


def scapulae(body: Body) -> list[Points]:
    """Shoulder blades: beside the lungs on a PA film, over them on an AP film."""
    shift = 0.05 if body.view is View.AP else -0.01
    blade = np.array([(0.1, 0.12), (0.17, 0.14), (0.165, 0.24), (0.12, 0.37), (0.095, 0.38), (0.06, 0.22)])
    right = smooth(blade + np.array([shift, 0]), closed=True)
    return [right, mirrored(right)]


def humeri(body: Body) -> list[Points]:
    """Heads and shafts of the upper arm bones."""
    right = np.array([(0.01, 0.15), (-0.02, 0.2), (-0.05, 0.3), (-0.1, 0.55), (-0.16, 1.0)]) * (body.width, 1)
    return [right, mirrored(right)]
