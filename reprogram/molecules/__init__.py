"""SMILES, tokens, descriptors and fingerprints, without Keras."""

from reprogram.molecules.featurizers import DESCRIPTOR_NAMES
from reprogram.molecules.featurizers import count_fingerprints
from reprogram.molecules.featurizers import descriptors
from reprogram.molecules.featurizers import scaffold
from reprogram.molecules.similarity import paired_tanimoto
from reprogram.molecules.smiles import parse
from reprogram.molecules.smiles import randomize
from reprogram.molecules.smiles import read
from reprogram.molecules.smiles import standardize
from reprogram.molecules.tokenizer import Tokenizer

__all__ = [
    "DESCRIPTOR_NAMES",
    "Tokenizer",
    "count_fingerprints",
    "descriptors",
    "paired_tanimoto",
    "parse",
    "randomize",
    "read",
    "scaffold",
    "standardize",
]
