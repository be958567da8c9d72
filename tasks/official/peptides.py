"""Antimicrobial peptides: sequences of amino acids as molecules."""

import os
from collections.abc import Callable
from collections.abc import Sequence

from rdkit import Chem

from reprogram.parallel import map_chunks
from reprogram.tasks.official import published
from reprogram.tasks.readers import table
from reprogram.tasks.task import Task

URL = "https://raw.githubusercontent.com/GIST-CSBL/AMP-BERT/main/all_veltri.csv"
SHA256 = "5010a6bde016841525be3c342fd0ba3972b6228a9c0a0e5e76d96eb81dd045de"


def amp(data_dir: str | os.PathLike | None = None, longest: int = 0) -> Task:
    """Loads 3,556 peptides, half of them antimicrobial.

    Args:
        data_dir: A folder with the file, or with a folder `peptides` that has
            it; None to download it once. The link could not be tried here.
        longest: Residues of the longest peptide to keep; 0 for all.

    Returns:
        A classification of the peptides, written as SMILES.

    Raises:
        ValueError: If there is no such file or download.
    """
    file = "amp_bert_all_veltri.csv"
    names = [f"peptides/{file}", file, "all_veltri.csv"]
    path = published.find(names, data_dir, URL, SHA256)
    _, rows, _ = table.read(path)
    if longest:
        rows = [row for row in rows if len(row["aa_seq"]) <= longest]
    parts = map_chunks(_molecules, [row["aa_seq"] for row in rows])
    return published.build(
        "amp",
        [smiles for part in parts for smiles in part],
        {"AMP": [row["AMP"] for row in rows]},
        "classification",
        citation="Lee et al., AMP-BERT, 2023; data of Veltri et al., 2018",
    )


def _molecules(sequences: Sequence[str]) -> list[str]:
    found = [Chem.MolFromSequence(row) for row in sequences]
    return [Chem.MolToSmiles(mol) if mol else "" for mol in found]


TASKS: dict[str, Callable[..., Task]] = {"amp": amp}
