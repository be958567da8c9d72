"""SMILES strings to integer tokens and back."""

import re
from collections.abc import Sequence

import numpy as np

TOKEN = re.compile(r"\[[^\]]+\]|Br|Cl|%\d\d|.", re.DOTALL)
PAD, MASK = 0, 1


class Tokenizer:
    """Splits SMILES into atoms, bonds and ring digits, and numbers them.

    Id 0 pads, id 1 masks; the vocabulary follows from id 2.

    Args:
        vocabulary: Tokens in the order of their ids, without pad and mask.
        max_length: Number of tokens of the longest molecule that is read.

    Raises:
        ValueError: If the vocabulary repeats a token.

    Example:
    >>> tokenizer = Tokenizer(["C", "O"], max_length=8)
    >>> tokenizer(["CCO"]).tolist()
    [[2, 2, 3]]
    """

    def __init__(self, vocabulary: Sequence[str], max_length: int = 128):
        repeated = sorted({t for t in vocabulary if vocabulary.count(t) > 1})
        if repeated:
            raise ValueError(
                "`vocabulary` must hold each token once. Received more than"
                f" once: {', '.join(repeated)}. Remove the repetitions."
            )
        self.vocabulary = list(vocabulary)
        self.max_length = max_length
        self._ids = {token: i + 2 for i, token in enumerate(vocabulary)}

    @property
    def size(self) -> int:
        """Number of ids, pad and mask included."""
        return len(self.vocabulary) + 2

    def explain(self, smiles: str, longest: int | None = None) -> str:
        """Says why a string cannot be read; empty if it can.

        Args:
            smiles: A SMILES string.
            longest: Number of tokens that it may have; `max_length` by
                default.

        Returns:
            A sentence for the user.
        """
        longest = longest or self.max_length
        tokens = TOKEN.findall(smiles)
        unknown = sorted({t for t in tokens if t not in self._ids})
        if unknown:
            return (
                f"{smiles!r} has tokens outside the vocabulary of the source:"
                f" {', '.join(unknown)}. `molecules.standardize` removes"
                " charges, isotopes, stereo and counter-ions; a remaining"
                " element cannot be read by this source."
            )
        if not tokens or len(tokens) > longest:
            return (
                f"{smiles!r} has {len(tokens)} tokens; the source reads 1 to"
                f" {longest}. Use a source that reads longer ones."
            )
        return ""

    def __call__(
        self, smiles: Sequence[str], length: int | None = None
    ) -> np.ndarray:
        """Numbers the tokens.

        Args:
            smiles: SMILES strings of molecules that the vocabulary covers.
            length: Number of columns; that of the longest string by default.

        Returns:
            An int32 array of shape `(molecules, length)`, padded with 0.

        Raises:
            ValueError: If a string cannot be read, see `explain`, or is
                longer than `length`.
        """
        for reason in filter(None, map(self.explain, smiles)):
            raise ValueError(reason)
        rows = [[self._ids[t] for t in TOKEN.findall(s)] for s in smiles]
        longest = max(map(len, rows), default=0)
        length = length or longest
        if longest > length:
            raise ValueError(
                f"`length` must be at least the {longest} tokens of the longest"
                f" string. Received: length={length}."
            )
        ids = np.zeros((len(rows), length), "int32")
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
        return ids

    def detokenize(self, ids: np.ndarray) -> list[str]:
        """Joins ids of shape `(molecules, length)` to strings again."""
        names = ["", "?", *self.vocabulary]
        return ["".join(names[i] for i in row) for row in np.asarray(ids)]

    def get_config(self) -> dict:
        """Returns the arguments that build this tokenizer again."""
        return {"vocabulary": self.vocabulary, "max_length": self.max_length}
