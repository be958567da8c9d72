"""The card of a pretrained molecular source, written beside its weights.

`metrics.json` holds the facts, `CARD.md` states them in words.
"""

import json
import pathlib

from reprogram.files import write_text
from reprogram.sources.molecular import files
from reprogram.sources.pretraining.batches import Batches

RECONSTRUCTION = {
    "exact": "exact reconstruction, canonical SMILES",
    "characters": "equal characters at equal places",
    "tanimoto": "mean Tanimoto similarity to the input (ECFP4)",
    "kl": "divergence of the posterior from the prior, nats",
}
IN_COMMAND = ("smiles", "exclude", "test", "licence", "tensorboard")
SHOWN = ("MolWt", "MolLogP", "TPSA", "qed")
LICENCES = {
    "first_5K.smi": "NCI open set: not copyrighted, free for any use",
    "wehi_mols.csv": "WEHI: unknown; the file is part of RDKit, BSD-3-Clause",
    "zinc250k_smiles.txt.gz": "ZINC: free to use for everyone",
}


def training(folder: pathlib.Path, data: Batches, state: dict) -> dict:
    """Collects the facts of a finished training.

    Args:
        folder: Path of the folder that `files.save` wrote.
        data: Batches that the source was trained on.
        state: Dict with `seconds` and `steps`, see `Budget.state`.

    Returns:
        The facts of the training that `text` reads.
    """
    parts, tokenizer, config = files.restore(folder)
    parameters = sum(part.count_params() for part in parts)
    seen = state["steps"] * data.batch_size
    weight = config["descriptors"].index("MolWt")
    return {
        "sizes": config["sizes"],
        "parameters": parameters,
        "bytes": (folder / "weights.npz").stat().st_size,
        "descriptors": len(config["descriptors"]),
        "vocabulary": tokenizer.vocabulary,
        "max_length": tokenizer.max_length,
        "weight": [config["scale"][key][weight] for key in ("low", "high")],
        "molecules": len(data.corpus.smiles),
        "seconds": round(state["seconds"]),
        "steps": state["steps"],
        "molecules_seen": seen,
        "operations": 6 * parameters * seen * data.lengths.mean(),
    }


def write(folder: pathlib.Path, facts: dict) -> None:
    """Writes `metrics.json` and `CARD.md`.

    Args:
        folder: Path of the folder with the weights.
        facts: Facts of the training and the measurements, see `text`.
    """
    content = json.dumps(facts, indent=1, allow_nan=False) + "\n"
    write_text(folder / "metrics.json", content)
    write_text(folder / "CARD.md", text(json.loads(content)))


def text(facts: dict) -> str:
    """States the facts in words.

    Args:
        facts: Dict of the results of `training` and, if something was measured,
            of `evaluation.measure`, with `command`, `flags`, `versions`,
            `files` and `held_out` (names and numbers of rows), `test_file` and
            `licence`.

    Returns:
        A model card in Markdown.
    """
    parts = [_what(facts), _numbers(facts), _how(facts), _limits(facts)]
    return "\n".join([*parts, _licences(facts)])


def _what(facts: dict) -> str:
    sizes = ", ".join(f"{k} {v}" for k, v in facts["sizes"].items())
    latent = facts["sizes"]["slots"] * facts["sizes"]["code"]
    return f"""# Model card: molecular autoencoder

It reads a molecule as SMILES, describes it by {facts["descriptors"]}
standardized RDKit descriptors, keeps it in {latent} numbers and writes it
again from these; made to be frozen and reprogrammed. Convolutions read, a
recurrent network writes. {facts["parameters"]:,} parameters ({sizes});
{facts["bytes"] / 1e6:.2f} MB of float16 weights.
"""


def _numbers(facts: dict) -> str:
    if "test" not in facts:
        return """## Numbers

Not measured: the training was given no held-out molecules (`--test`).
"""
    test = facts["test"]
    rows = [(words, test[name]) for name, words in RECONSTRUCTION.items()]
    median = f"median R2 over {len(test['r2'])} descriptors"
    rows.append((median, test["median_r2"]))
    rows += [(f"R2 of {name}", test["r2"].get(name)) for name in SHOWN]
    table = "\n".join(f"| {words} | {_number(v)} |" for words, v in rows)
    known = {name: v for name, v in test["r2"].items() if v is not None}
    worst = sorted(known, key=known.__getitem__)[:8]
    named = ", ".join(f"{name} {known[name]:.2f}" for name in worst)
    return f"""## Numbers

On the {test["molecules"]:,} held-out molecules of `{facts["test_file"]}`
({test["unread"]:,} more could not be read and count as failures), one
training, one seed, with the weights as they are stored.

| | |
|---|---|
{table}

R2 of values clipped to the 0.1 and 99.9 percentiles of the training
molecules; the mean as a guess has 0. The weakest: {named}. All of them, and a
sample of {facts["sample"]["molecules"]} molecules to check the numbers with,
are in `metrics.json`. `python -m benchmarks.molecular_source` measures more.
"""


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}" if value else "0"


def _how(facts: dict) -> str:
    flags = ", ".join(
        f"{k} {v}" for k, v in facts["flags"].items() if k not in IN_COMMAND
    )
    versions = ", ".join(f"{k} {v}" for k, v in facts["versions"].items())
    return f"""## Training

{_files(facts["files"])}: {facts["molecules"]:,} distinct molecules that the
source reads, in standard form, without those held out:
{_files(facts["held_out"])}.

Half of each batch were canonical strings to read and to write again, three
eighths strings to write without reading, and an eighth randomized strings;
the descriptors and ECFP4 bits (a head that is not kept) were learned from
all. The divergence from the prior was weighed so that reconstruction cost
{facts["flags"]["reconstruction"]} nats a molecule. {facts["steps"]:,} steps,
{facts["molecules_seen"]:,} molecules seen, about {facts["operations"]:.1e}
floating-point operations (6 x parameters x tokens), in
{facts["seconds"] / 60:.1f} minutes.

    {facts["command"]}

Flags: {flags}. Versions: {versions}.
"""


def _files(counts: dict[str, int]) -> str:
    rows = (f"`{name}` ({rows:,} rows)" for name, rows in counts.items())
    return ", ".join(rows) or "none"


def _limits(facts: dict) -> str:
    low, high = facts["weight"]
    return f"""## Limits

- It describes molecules of 1 to {facts["max_length"]} of these tokens, keeps
  those of up to {4 * facts["sizes"]["slots"] - 1} in a latent, and says so
  where it cannot: `{" ".join(facts["vocabulary"])}`.
- It was trained on the standard forms of `molecules.standardize` alone:
  largest fragment, neutral where a proton can do it, no isotopes, no stereo.
  Stereoisomers, salts and protonation states get the same answer.
- Most training molecules weigh {low:.0f} to {high:.0f} g/mol. Expect less of
  larger ones, peptides, metals and macrocycles.
- The answers approximate RDKit; where a descriptor itself is wanted, RDKit
  is exact and faster.
"""


def _licences(facts: dict) -> str:
    rows = "\n".join(
        f"- `{name}`: {LICENCES.get(name, 'unknown')}"
        for name in facts["files"]
    )
    return f"""## Licence

Weights: {facts["licence"]}. Data, as far as known; none of it is part of the
weights' folder:

{rows}
"""
