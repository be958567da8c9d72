"""Molecular properties from few labels: predictor, floors, uncertainty."""

from reprogram.predictors.assessment import Assessment
from reprogram.predictors.molecules.predictor import MoleculePredictor
from reprogram.predictors.molecules.storage import load
from reprogram.predictors.molecules.storage import save

__all__ = ["Assessment", "MoleculePredictor", "load", "save"]
