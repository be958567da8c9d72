"""Groups that searches hang on molecules."""

from rdkit import Chem

# Substituents of medicinal chemistry, bound by their first atom.
GROUPS = tuple(
    Chem.MolFromSmiles(smiles)
    for smiles in (
        "C CC C(C)C C(C)(C)C CCCC C1CC1 C1CCCC1 C1CCCCC1 C=C C#C CC#N C#N"
        " C(F)(F)F C(F)F F Cl Br O OC OCC OC(F)(F)F OC(F)F CO CCO COC C(=O)O"
        " C(=O)OC C(=O)N C(=O)NC C(=O)C NC(=O)C N NC N(C)C CN CCN NS(=O)(=O)C"
        " S(=O)(=O)C S(=O)(=O)N SC C(C)=O [N+](=O)[O-] C=O N1CCOCC1 N1CCNCC1"
        " N1CCN(C)CC1 N1CCCC1 N1CCCCC1 C1CCNCC1 c1ccccc1 Cc1ccccc1 Oc1ccccc1"
        " c1ccccn1 c1cccnc1 c1ccncc1 c1cncnc1 c1ccsc1 c1ccoc1 c1nccs1"
        " c1cc[nH]n1 [nH]1cccn1 [nH]1ccnc1 c1nnn[nH]1 c1ccc(F)cc1 c1ccc(Cl)cc1"
        " c1ccc(OC)cc1"
        " NC(=O)N OC(=O)C NC1CC1 C1COC1 N1CCC1 C(=O)N1CCOCC1 CN1CCOCC1"
        " c1ccc2ccccc2c1 c1c[nH]c2ccccc12 c1nc2ccccc2[nH]1 CCCCCC CCCCCCCC"
    ).split()
)
