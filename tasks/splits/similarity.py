"""Similarity of test and training molecules."""

from collections.abc import Sequence

import numpy as np


def similarity_report(
    train_smiles: Sequence[str], test_smiles: Sequence[str]
) -> dict[str, float]:
    """Measures how near the test molecules are to the training molecules.

    A test molecule's nearest neighbor is the training molecule with the
    largest Tanimoto similarity of Morgan fingerprints (radius 2, 2048 bits).

    Args:
        train_smiles: Valid SMILES strings of the training side.
        test_smiles: Valid SMILES strings of the test side.

    Returns:
        Of the similarities of the test molecules to their nearest neighbors:
        quartiles and median, the share above 0.4 and above 0.7, and the share
        of test molecules with the same fingerprint as a training molecule.

    Raises:
        ValueError: If a side is empty or a string is not a molecule.

    Example:
    >>> similarity_report(["CCO", "CCCO"], ["CCO"])["nearest_median"]
    1.0

    Reference: Rogers and Hahn, Extended-Connectivity Fingerprints, 2010.
    """
    from rdkit.Chem import rdFingerprintGenerator
    from rdkit.DataStructs import BulkTanimotoSimilarity

    from reprogram.molecules.smiles import parse

    if not len(train_smiles) or not len(test_smiles):
        raise ValueError(
            "Both sides need at least one molecule. Received:"
            f" {len(train_smiles)} to train and {len(test_smiles)} to test on."
        )
    generator = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=2048)
    train = [generator.GetFingerprint(parse(row)) for row in train_smiles]
    test = [generator.GetFingerprint(parse(row)) for row in test_smiles]
    nearest = np.array(
        [max(BulkTanimotoSimilarity(row, train)) for row in test]
    )
    lower, median, upper = np.quantile(nearest, (0.25, 0.5, 0.75))
    return {
        "nearest_lower_quartile": float(lower),
        "nearest_median": float(median),
        "nearest_upper_quartile": float(upper),
        "share_above_0.4": float((nearest > 0.4).mean()),
        "share_above_0.7": float((nearest > 0.7).mean()),
        "share_identical": float((nearest == 1.0).mean()),
    }
