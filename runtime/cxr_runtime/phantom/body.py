"""A person and the outlines of the soft organs; the patient's right side is on the film's left."""

from dataclasses import dataclass

import numpy as np

from cxr_runtime.film import View
from cxr_runtime.phantom.canvas import Points, mirrored, smooth


@dataclass(frozen=True)
class Body:
    """What differs between people and views; 1 is the average of a PA film."""

    width: float  # of the chest
    base: float  # body y of the right dome of the diaphragm
    heart: float  # size of the heart
    fat: float  # thickness of the soft tissue
    male: bool
    view: View

    @property
    def lung_height(self) -> float:
        return (self.base - 0.08) / 0.52


def draw_lots(rng: np.random.Generator, view: View, *, male: bool) -> Body:
    """Choose a person by chance."""
    is_ap = view is View.AP
    return Body(
        width=float(rng.uniform(0.94, 1.04)) + (0.03 if male else -0.02),
        base=float(rng.uniform(0.58, 0.68)) - (0.05 if is_ap else 0.0),
        heart=float(rng.uniform(0.92, 1.1)) + (0.14 if is_ap else 0.0),
        fat=float(rng.uniform(0.85, 1.2)),
        male=male,
        view=view,
    )


def trunk(body: Body) -> Points:
    """Neck, shoulders and trunk as one outline."""
    w = body.width
    half = [(0.13, -0.5), (0.13, -0.06), (0.15, 0.03), (0.3, 0.075), (0.48 * w, 0.085), (0.57 * w, 0.18)]
    half += [(0.53 * w, 0.3), (0.475 * w, 0.42), (0.465 * w, 0.7), (0.47 * w, 1.0), (0.48 * w, 1.6)]
    side = np.array([(0.5 - x, y) for x, y in half])
    return smooth(np.vstack([side, mirrored(side)[::-1]]), closed=True)


def lungs(body: Body) -> tuple[Points, Points]:
    """Right and left lung field; the right dome of the diaphragm stands higher."""
    right = [(0.33, 0.075), (0.41, 0.09), (0.435, 0.2), (0.43, 0.34), (0.415, 0.46), (0.4, 0.56)]
    right += [(0.405, 0.655), (0.36, 0.61), (0.27, 0.585), (0.18, 0.62), (0.12, 0.69), (0.08, 0.715)]
    right += [(0.085, 0.6), (0.1, 0.44), (0.14, 0.27), (0.19, 0.15), (0.26, 0.085)]
    left = [(0.67, 0.075), (0.59, 0.09), (0.565, 0.2), (0.58, 0.34), (0.6, 0.46), (0.63, 0.56)]
    left += [(0.66, 0.67), (0.73, 0.64), (0.8, 0.64), (0.87, 0.69), (0.9, 0.74), (0.925, 0.745)]
    left += [(0.915, 0.62), (0.9, 0.44), (0.86, 0.27), (0.81, 0.15), (0.74, 0.085)]
    return fit(smooth(right, closed=True), body), fit(smooth(left, closed=True), body)


def heart(body: Body) -> Points:
    """The heart, two thirds of it on the patient's left, with the apex on the diaphragm."""
    outline = [(0.455, 0.36), (0.405, 0.44), (0.395, 0.54), (0.43, 0.63), (0.52, 0.69), (0.64, 0.695)]
    outline += [(0.74, 0.67), (0.735, 0.6), (0.68, 0.5), (0.62, 0.41), (0.58, 0.34), (0.52, 0.31)]
    points = np.array(outline)
    points[:, 0] = 0.5 + (points[:, 0] - 0.5) * body.heart
    return fit(smooth(points, closed=True), body)


def mediastinum(body: Body) -> Points:
    """Great vessels with the arch of the aorta on the patient's left."""
    outline = [(0.455, -0.1), (0.45, 0.12), (0.437, 0.22), (0.435, 0.4), (0.44, 0.62)]
    outline += [(0.56, 0.62), (0.58, 0.42), (0.595, 0.33), (0.58, 0.29), (0.6, 0.25)]
    outline += [(0.595, 0.205), (0.56, 0.185), (0.545, 0.1), (0.545, -0.1)]
    return fit(smooth(outline, closed=True, rounds=3), body)


def fit(points: Points, body: Body) -> Points:
    """Stretch the average chest to this person's width and depth of breath."""
    x = 0.5 + (points[:, 0] - 0.5) * body.width
    y = 0.08 + (points[:, 1] - 0.08) * body.lung_height
    return np.stack([x, y], axis=1)


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
