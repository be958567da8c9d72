"""The floors that a predictor must not go below."""

import numpy as np
import pytest

from reprogram.predictors.molecules import features
from reprogram.predictors.molecules import parts
from tests import commands

ROWS = commands.molecules(40)


SMILES = [row for row, _ in ROWS]


Y = np.array([value for _, value in ROWS])


@pytest.mark.parametrize("part", parts.FLOORS, ids=lambda part: part.name)
@pytest.mark.parametrize("problem", ["regression", "labels"])
def test_floors(part, problem):

    table = features.compute(SMILES, part.views)
    y = Y if problem == "regression" else (np.median(Y) < Y).astype(float)
    found = part.make(problem, 0).fit(table, y).predict(table)
    assert np.corrcoef(found, y)[0, 1] > 0.5
