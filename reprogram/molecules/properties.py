"""Properties of molecules that RDKit computes."""

from rdkit import Chem
from rdkit.Chem import QED
from rdkit.Chem import Descriptors
from rdkit.Chem import rdMolDescriptors

# Means and deviations over ZINC-250k of logP, -SA and -ring, as in the code
# of the paper.
NORMAL = (
    (2.4570953396190123, 1.434324401111988),
    (-3.0525811293166134, 0.8335207024513095),
    (-0.0485696876403053, 0.2860212110245455),
)


def qed(molecule: Chem.Mol) -> float:
    """Returns the quantitative estimate of drug-likeness, 0 to 1.

    Reference: Bickerton et al., Quantifying the chemical beauty of drugs,
    2012.
    """
    return QED.qed(molecule)


def logp(molecule: Chem.Mol) -> float:
    """Returns the octanol-water partition coefficient, its logarithm.

    Reference: Wildman and Crippen, Prediction of Physicochemical Parameters
    by Atomic Contributions, 1999.
    """
    return rdMolDescriptors.CalcCrippenDescriptors(molecule)[0]


def synthetic_accessibility(molecule: Chem.Mol) -> float:
    """Returns how hard a synthesis looks: 1, easy, to 10.

    Reference: Ertl and Schuffenhauer, Estimation of synthetic accessibility
    score, 2009.
    """
    from rdkit.Contrib.SA_Score import sascorer

    return sascorer.calculateScore(molecule)


def weight(molecule: Chem.Mol) -> float:
    """Returns the molecular weight in g/mol."""
    # RDKit defines this name at run time.
    return Descriptors.MolWt(molecule)  # type: ignore[attr-defined]


def polar_surface(molecule: Chem.Mol) -> float:
    """Returns the topological polar surface area in square angstroms."""
    return rdMolDescriptors.CalcTPSA(molecule)


def penalized_logp(molecule: Chem.Mol) -> float:
    """Returns logP minus synthetic accessibility, as JT-VAE and QMO use it.

    Reference: Jin et al., Junction Tree Variational Autoencoder, 2018.
    """
    return logp(molecule) - synthetic_accessibility(molecule)


def penalized_logp_rings(molecule: Chem.Mol) -> float:
    """Returns logP minus SA minus the atoms beyond six of the largest ring.

    Reference: Gomez-Bombarelli et al., Automatic Chemical Design, 2018.
    """
    return penalized_logp(molecule) - _ring_excess(molecule)


def penalized_logp_normalized(molecule: Chem.Mol) -> float:
    """Returns the sum of logP, -SA and -ring, in deviations over ZINC-250k.

    Reference: You et al., Graph Convolutional Policy Network, 2018.
    """
    terms = (
        logp(molecule),
        -synthetic_accessibility(molecule),
        -_ring_excess(molecule),
    )
    return sum((t - mean) / std for t, (mean, std) in zip(terms, NORMAL))


def _ring_excess(molecule: Chem.Mol) -> int:
    try:
        import networkx
    except ImportError as error:
        raise ImportError(
            "The ring term needs networkx: pip install reprogram[search]"
        ) from error
    # The published code takes the largest cycle of a cycle basis, which is
    # not always a smallest ring.
    graph = networkx.Graph(Chem.GetAdjacencyMatrix(molecule))
    longest = max(map(len, networkx.cycle_basis(graph)), default=0)
    return max(longest - 6, 0)
