"""Where the nearest training molecules are."""

from reprogram.molecules.fingerprints import unfolded_counts
from reprogram.predictors import domain


def test_domain_says_where_the_nearest_is():
    train = ["c1ccccc1C", "c1ccccc1CC", "c1ccccc1CCC", "c1ccccc1CO"]
    found = domain.learn(unfolded_counts(train))
    new = unfolded_counts(["c1ccccc1CCC", "FC(F)(F)S", "[Na+]"])
    nearest, similarity, inside = found(new)
    assert nearest[0] == 2 and similarity[0] == 1
    assert inside.tolist() == [True, False, False]
    assert similarity.min() >= 0
    own = found(unfolded_counts(train))[2]
    assert own.all()
