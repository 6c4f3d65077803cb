"""Where the lungs are on a film."""

from cxr_runtime.lungs.field import DEFAULT_LUNG_FIELD, LungField, lung_field
from cxr_runtime.lungs.heat_share import heat_share
from cxr_runtime.lungs.mask import LungMask
from cxr_runtime.lungs.outline import Outline

__all__ = ["DEFAULT_LUNG_FIELD", "LungField", "LungMask", "Outline", "heat_share", "lung_field"]
