"""Where the lungs are on a film."""

from cxr_runtime.lungs.field import DEFAULT_LUNG_FIELD, LungField, lung_field
from cxr_runtime.lungs.mask import LungMask, heat_share, measured

__all__ = ["DEFAULT_LUNG_FIELD", "LungField", "LungMask", "heat_share", "lung_field", "measured"]
