r"""Optimizes molecules towards wanted properties by querying oracles.

    python -m scripts.optimize --start=molecules.csv --maximise=qed \
        --at_least=0.9 --similarity=0.4 --budget=500
    python -m scripts.optimize --maximise=qed,my:activity --at_most=sa:4
    python -m scripts.optimize --start=CCO --maximise=runs/mine:pIC50

Oracles: qed, logp, sa, weight, tpsa, penalized_logp and the PMO tasks; the
folder of a run of scripts.train, with :TARGET where it predicts several;
module:function of yours; an http address. Without --start molecules are made
from nothing.

Writes results.csv, results.sdf, optimization.html and ledger.db with every
call into --output_dir. The same command with the same --output_dir resumes;
no query is repeated.
"""

import dataclasses
import json
import pathlib
import shlex
import sys
import time

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("start", None, "A table of start molecules, or one SMILES.")
flags.DEFINE_string("smiles_column", None, "Name of the column of SMILES.")
flags.DEFINE_list("maximise", [], "Oracles whose values are to be raised.")
flags.DEFINE_list("minimise", [], "Oracles whose values are to be lowered.")
flags.DEFINE_list("maximize", [], "Another spelling of --maximise.")
flags.DEFINE_list("minimize", [], "Another spelling of --minimise.")
flags.DEFINE_list("at_least", [], "Lower bounds, such as 0.9 or qed:0.9.")
flags.DEFINE_list("at_most", [], "Upper bounds, such as 4 or sa:4.")
flags.DEFINE_float(
    "similarity", 0.0, "Least Tanimoto similarity to the start, ECFP4.", 0, 1
)
flags.DEFINE_bool("counts", False, "Compare counts of fragments, not bits.")
flags.DEFINE_integer(
    "max_heavy_atoms", 38, "Heavy atoms of the largest molecule; 0: any.", 0
)
flags.DEFINE_bool("alerts", True, "Allow PAINS and Brenk alerts that are new.")
flags.DEFINE_bool("plausible", True, "Rule out strained and reactive groups.")
flags.DEFINE_integer(
    "budget", 500, "Number of queried molecules for each start.", 1
)
flags.DEFINE_string(
    "search",
    "evolution",
    "Search to use: evolution, genetic, language, latent_bayes,"
    " latent_evolution or qmo.",
)
flags.DEFINE_string(
    "source", "", "Molecular source, such as zinc-autoencoder, for its latent."
)
flags.DEFINE_string("options", "{}", "Arguments of the search, as JSON.")
flags.DEFINE_bool("floors", True, "Report what changes without search reach.")
flags.DEFINE_float(
    "timeout", None, "Seconds after which a call of an oracle is given up.", 0.1
)
flags.DEFINE_integer("jobs", 1, "Number of processes; -1 for all cores.", -1)
flags.DEFINE_integer("seed", 0, "Seed of all random draws.", 0)
flags.DEFINE_integer(
    "shard", 0, "Number of this part of the starts, from 0.", 0
)
flags.DEFINE_integer("num_shards", 1, "Number of parts of the starts.", 1)
flags.DEFINE_string(
    "output_dir", None, "Folder of the results; by default runs/optimize-TIME."
)


def spelled(flag: str) -> list[str]:
    """Reads --maximise or --minimise, in either spelling."""
    british: list[str] = FLAGS[flag].value or []
    american: list[str] = FLAGS[flag[:-2] + "ze"].value or []
    if british and american and british != american:
        raise ValueError(
            f"--{flag}={','.join(british)} and --{flag[:-2]}ze="
            f"{','.join(american)} are two spellings of one flag. Give one of"
            " them, with all properties."
        )
    return british or american


def starts() -> list[str | None]:
    """Reads the start molecules of this shard, in their order."""
    from reprogram.tasks.readers import molecules as chemistry

    if FLAGS.start is None:
        return [None]
    path = pathlib.Path(FLAGS.start)
    if not (path.exists() or path.name.endswith(tuple(chemistry.ENDINGS))):
        return [FLAGS.start]
    table = chemistry.load(path, FLAGS.smiles_column or "", standard=False)
    place = table.columns.index("smiles") if "smiles" in table.columns else 0
    rows = [
        # Unreadable molecules keep their row, and their text as the reason.
        row[place] if reason else value
        for part in table.parts()
        for row, value, reason in zip(*part)
    ]
    shard = rows[FLAGS.shard :: FLAGS.num_shards]
    if not shard or FLAGS.shard >= FLAGS.num_shards:
        raise ValueError(
            f"Part {FLAGS.shard} of {FLAGS.num_shards} of {path}, which has"
            f" {len(rows)} molecules, is empty. Parts count from 0."
        )
    return shard


def main(_: list[str]) -> None:
    from reprogram.experiments.progress import Progress
    from reprogram.optimization import objective as objectives
    from reprogram.optimization import run as optimization
    from reprogram.report.pages import optimization as report

    raised, lowered = spelled("maximise"), spelled("minimise")
    objective = objectives.Objective(
        raised,
        lowered,
        objectives.bounds(FLAGS.at_least, [*raised, *lowered], "--at_least"),
        objectives.bounds(FLAGS.at_most, [*raised, *lowered], "--at_most"),
        *(FLAGS.similarity, FLAGS.counts, FLAGS.max_heavy_atoms, FLAGS.alerts),
        FLAGS.plausible,
    )
    try:
        options = dict(json.loads(FLAGS.options))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"--options must be a JSON object. Received: {FLAGS.options}"
        ) from error
    plan = optimization.Plan(
        *(FLAGS.budget, FLAGS.search, FLAGS.source, options, FLAGS.seed),
        *(FLAGS.timeout, FLAGS.floors),
    )
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = pathlib.Path(FLAGS.output_dir or f"runs/optimize-{stamp}")
    begin, jobs = starts(), FLAGS.jobs or 1
    try:
        with Progress(plan.budget * len(begin)) as progress:
            results = optimization.optimize(
                *(objective, begin, folder, plan, jobs),
                tell=progress.tell,
                show=progress.show,
            )
    except optimization.OracleFailed as error:
        raise ValueError(str(error)) from error
    wanted, names = objective.describe(), objective.properties
    command = shlex.join(["reprogram", "optimize", *sys.argv[1:]])
    about = dataclasses.asdict(plan) | {"command": command}
    report.write(results, wanted, names, about, folder)
    lines = [wanted, *report.summary(results, names)]
    print(*lines, f"Report: {folder / 'optimization.html'}", sep="\n")
    if not any(r["calls"] > r.get("unknown", 0) for r in results):
        print("Error: no call of an oracle gave a value.", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    errors.run(main)
