"""Molecular properties from few labels: predictor, floors, uncertainty."""

from reprogram.fewshot.assessment import Assessment
from reprogram.fewshot.predictor import MoleculePredictor
from reprogram.fewshot.storage import load
from reprogram.fewshot.storage import save

__all__ = ["Assessment", "MoleculePredictor", "load", "save"]
