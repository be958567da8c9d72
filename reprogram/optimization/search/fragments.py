"""Groups and ring systems that searches build into molecules."""

from rdkit import Chem


def _kekulized(smiles: str) -> Chem.Mol:
    molecule = Chem.MolFromSmiles(smiles)
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    return molecule


# Substituents of medicinal chemistry, bound by their first atom.
_GROUPS = """
    C CC C(C)C C(C)(C)C CCCC C1CC1 C1CCCC1 C1CCCCC1 C=C C#C CC#N C#N
    C(F)(F)F C(F)F F Cl Br O OC OCC OC(F)(F)F OC(F)F CO CCO COC C(=O)O
    C(=O)OC C(=O)N C(=O)NC C(=O)C NC(=O)C N NC N(C)C CN CCN NS(=O)(=O)C
    S(=O)(=O)C S(=O)(=O)N SC C(C)=O [N+](=O)[O-] C=O N1CCOCC1 N1CCNCC1
    N1CCN(C)CC1 N1CCCC1 N1CCCCC1 C1CCNCC1 c1ccccc1 Cc1ccccc1 Oc1ccccc1
    c1ccccn1 c1cccnc1 c1ccncc1 c1cncnc1 c1ccsc1 c1ccoc1 c1nccs1 c1cc[nH]n1
    [nH]1cccn1 [nH]1ccnc1 c1nnn[nH]1 c1ccc(F)cc1 c1ccc(Cl)cc1 c1ccc(OC)cc1
    NC(=O)N OC(=O)C NC1CC1 C1COC1 N1CCC1 C(=O)N1CCOCC1 CN1CCOCC1
    c1ccc2ccccc2c1 c1c[nH]c2ccccc12 c1nc2ccccc2[nH]1 CCCCCC CCCCCCCC
"""
# Ring systems of drugs, the common ones first.
_RINGS = """
    c1ccccc1 c1ccncc1 C1CCNCC1 C1CNCCN1 C1CCCCC1 C1CCNC1 c1cn[nH]c1
    c1cnc[nH]1 c1cncnc1 C1COCCN1 C1CC1 c1ccsc1 c1cscn1 c1ccoc1 C1CCCC1
    c1nc[nH]n1 c1nnn[nH]1 c1cocn1 c1ccno1 C1CCOC1 C1CCOCC1 c1cnccn1 c1ccnnc1
    c1cc[nH]c1 C1CNC1 C1CCC1 c1ccc2[nH]ccc2c1 c1ccc2ncccc2c1
    c1ccc2[nH]cnc2c1 c1ccc2ccccc2c1 c1ccc2[nH]ncc2c1 c1ccc2ocnc2c1
    c1ccc2scnc2c1 c1ccc2occc2c1 c1ccc2sccc2c1 c1ccc2ncncc2c1
    c1ncc2nc[nH]c2n1 c1cc2cncnc2[nH]1 c1cnc2ccnn2c1 c1ccc2OCOc2c1
    c1ccc2CCCCc2c1 c1ccc2CCNCc2c1 c1ccc2OCCc2c1 c1ccc2OCCOc2c1
    c1ccc2Nc3ccccc3Sc2c1 c1ccc2Cc3ccccc3c2c1 c1nncs1 c1nnco1
"""
GROUPS = tuple(map(Chem.MolFromSmiles, _GROUPS.split()))
RINGS = tuple(map(_kekulized, _RINGS.split()))
