"""Hardening: training of a program under attack."""

from reprogram.robustness.hardening.hardened import Hardened

__all__ = ["Hardened"]
