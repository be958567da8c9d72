"""Structural alerts."""

import pytest

from reprogram.molecules import alerts


def test_alerts():
    rows = ["CCO", "O=C1C=CC(=O)C=C1", "CC(=O)Cl"]
    assert alerts.alerts(rows, "Brenk")[2] == "acid_halide"
    assert alerts.alerts(rows, "PAINS")[::2] == ["", ""]
    assert alerts.alerts([], "PAINS") == []
    with pytest.raises(ValueError, match="one of PAINS, Brenk"):
        alerts.alerts([], "pains")
