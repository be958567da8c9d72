"""The card of a pretrained encoder, written beside its weights.

`metrics.json` holds the facts, `CARD.md` says them in words.
"""

import json
import pathlib

from reprogram.report import record
from reprogram.sources import molecular
from reprogram.sources.pretraining import Batches

IN_COMMAND = ("smiles", "exclude", "test", "licence", "tensorboard")
SHOWN = ("MolWt", "MolLogP", "TPSA", "qed")
LICENCES = {
    "first_5K.smi": "NCI open set: not copyrighted, free for any use",
    "wehi_mols.csv": "WEHI: unknown; the file is part of RDKit, BSD-3-Clause",
    "zinc250k_smiles.txt.gz": "ZINC: free to use for everyone",
}


def training(folder: pathlib.Path, data: Batches, state: dict) -> dict:
    """Collects the facts of a training.

    Args:
        folder: The folder that `molecular.save` wrote.
        data: The batches it was trained on.
        state: `seconds` and `steps`, see `Budget.state`.

    Returns:
        The part of the facts that `text` reads and no flag says.
    """
    encoder, tokenizer, config = molecular.restore(folder)
    seen = state["steps"] * data.batch_size
    weight = config["descriptors"].index("MolWt")
    return {
        "sizes": config["sizes"],
        "parameters": encoder.count_params(),
        "bytes": (folder / "weights.npz").stat().st_size,
        "descriptors": len(config["descriptors"]),
        "vocabulary": tokenizer.vocabulary,
        "max_length": tokenizer.max_length,
        "weight": [config["scale"][key][weight] for key in ("low", "high")],
        "molecules": len(data.smiles),
        "seconds": round(state["seconds"]),
        "steps": state["steps"],
        "molecules_seen": seen,
        "operations": 6 * encoder.count_params() * seen * data.lengths.mean(),
    }


def write(folder: pathlib.Path, facts: dict) -> None:
    """Writes `metrics.json` and `CARD.md`.

    Args:
        folder: The folder with the weights.
        facts: See `text`.
    """
    content = json.dumps(facts, indent=1, allow_nan=False) + "\n"
    record.write_text(folder / "metrics.json", content)
    record.write_text(folder / "CARD.md", text(json.loads(content)))


def text(facts: dict) -> str:
    """Says the facts in words.

    Args:
        facts: What `training` and, if something was measured,
            `evaluation.measure` return, with `command`, `flags`, `versions`,
            `files` and `held_out` (names and numbers of rows), `test_file`
            and `licence`.

    Returns:
        A model card in Markdown.
    """
    parts = [_what(facts), _numbers(facts), _how(facts), _limits(facts)]
    return "\n".join([*parts, _licences(facts)])


def _what(facts: dict) -> str:
    sizes = ", ".join(f"{k} {v}" for k, v in facts["sizes"].items())
    return f"""# Model card: SMILES encoder

A Transformer that reads a molecule as SMILES and answers with
{facts["descriptors"]} standardized RDKit descriptors, made to be frozen and
reprogrammed. {facts["parameters"]:,} parameters ({sizes});
{facts["bytes"] / 1e6:.2f} MB of float16 weights.
"""


def _numbers(facts: dict) -> str:
    if "test" not in facts:
        return """## Numbers

Not measured: the training was given no held-out molecules (`--test`).
"""
    test = facts["test"]
    rows = [
        (f"median R2 over {len(test['r2'])} descriptors", test["median_r2"], 0)
    ]
    rows += [(f"R2 of {name}", test["r2"].get(name), 0) for name in SHOWN]
    for words, name, trivial in (
        ("hidden tokens found, share", "masked_tokens", "commonest_token"),
        (
            "ECFP4 bits, average precision",
            "fingerprint_bits",
            "frequency_of_bits",
        ),
    ):
        rows.append((words, test[name], test[trivial]))
    table = "\n".join(
        f"| {words} | {_number(value)} | {_number(trivial)} |"
        for words, value, trivial in rows
    )
    known = {name: v for name, v in test["r2"].items() if v is not None}
    worst = sorted(known, key=known.get)[:8]
    named = ", ".join(f"{name} {known[name]:.2f}" for name in worst)
    return f"""## Numbers

On the {test["molecules"]:,} held-out molecules of `{facts["test_file"]}`
({test["unread"]:,} more could not be read), one training, one seed, with the
weights as they are stored. The last column guesses without reading: the mean,
the commonest token, the frequency of each bit.

| | model | guess |
|---|---|---|
{table}

R2 of values clipped to the 0.1 and 99.9 percentiles of the training
molecules. The weakest: {named}. All of them, and a sample of
{facts["sample"]["molecules"]} molecules to check the numbers with, are in
`metrics.json`. The heads for tokens and bits are not part of the weights.
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
encoder reads, in standard form, without those held out:
{_files(facts["held_out"])}.

It learned three things at once from strings half of which are rewritten at
random, with 15 % of the tokens hidden: the descriptors, the ECFP4 bits and
the hidden tokens. {facts["steps"]:,} steps, {facts["molecules_seen"]:,}
molecules seen, about {facts["operations"]:.1e} floating-point operations
(6 x parameters x tokens), {facts["seconds"] / 60:.1f} minutes.

    {facts["command"]}

Flags: {flags}. Versions: {versions}.
"""


def _files(files: dict[str, int]) -> str:
    rows = (f"`{name}` ({rows:,} rows)" for name, rows in files.items())
    return ", ".join(rows) or "none"


def _limits(facts: dict) -> str:
    low, high = facts["weight"]
    return f"""## Limits

- It reads 1 to {facts["max_length"]} of these tokens and nothing else, and
  says so: `{" ".join(facts["vocabulary"])}`.
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
