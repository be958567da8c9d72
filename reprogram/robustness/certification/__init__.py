"""Certificates, which hold for every attack, and estimates, which do not."""

from reprogram.robustness.certification.clever import Estimate
from reprogram.robustness.certification.clever import clever
from reprogram.robustness.certification.curvature import clever_second_order
from reprogram.robustness.certification.smoothing import Certificate
from reprogram.robustness.certification.smoothing import certified_radius
from reprogram.robustness.certification.smoothing import certify
from reprogram.robustness.certification.smoothing import predict

__all__ = [
    "Certificate",
    "Estimate",
    "certified_radius",
    "certify",
    "clever",
    "clever_second_order",
    "predict",
]
