"""The gate: is this an upright frontal chest film with readable lungs?"""

from cxr_runtime.gate.admission import Admission, Gate
from cxr_runtime.gate.reasons import Code, Remark

__all__ = ["Admission", "Code", "Gate", "Remark"]
