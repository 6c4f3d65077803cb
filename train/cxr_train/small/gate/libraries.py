"""Pictures that libraries ship and that show no chest film: the world, slices, scintigrams, ultrasound."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from cxr_runtime.errors import CxrTriageError

SCIKIT_IMAGE = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "chessboard_GRAY.png",
    "clock_motion.png", "coffee.png", "coins.png", "color.png", "grass.png", "gravel.png",
    "horse.png", "hubble_deep_field.jpg", "ihc.png", "logo.png", "microaneurysms.png", "moon.png",
    "motorcycle_left.png", "page.png", "phantom.png", "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip
SCIKIT_LEARN = ("china.jpg", "flower.jpg")
PYDICOM = (  # slices, scintigrams, ultrasound
    "693_J2KI.dcm", "CT_small.dcm", "J2K_pixelrep_mismatch.dcm", "JPEG2000.dcm", "MR_small.dcm",
    "examples_jpeg2k.dcm", "examples_overlay.dcm", "examples_palette.dcm", "examples_ybr_color.dcm",
)  # fmt: skip


def library_files() -> Iterator[Path]:
    """The files, of which each shows something else.

    Raises:
        CxrTriageError: a library is not installed.
    """
    for package, folder, names in (
        ("skimage", "data", SCIKIT_IMAGE),
        ("sklearn", "datasets/images", SCIKIT_LEARN),
        ("pydicom", "data/test_files", PYDICOM),
    ):
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise CxrTriageError(f"{package} is not installed; the gate is trained on its sample pictures")
        yield from (Path(spec.origin).parent / folder / name for name in names)
