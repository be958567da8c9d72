r"""Optimizes molecules towards wanted properties by querying oracles.

    python -m scripts.optimize --start=molecules.csv --maximise=qed \
        --at_least=0.9 --similarity=0.4 --budget=500
    python -m scripts.optimize --maximise=qed,my:activity --at_most=sa:4

Oracles: qed, logp, sa, weight, tpsa, penalized_logp, the PMO tasks;
module:function of yours; an http address; the folder of a run of
scripts.train. Without --start molecules are made from nothing. Writes
results.csv, results.sdf, optimization.html and ledger.db with every call. The
same command resumes; what was answered is not asked again.
"""

import dataclasses
import json
import pathlib

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("start", None, "Table of molecules, or one SMILES.")
flags.DEFINE_string("smiles_column", None, "Column of the SMILES.")
flags.DEFINE_list("maximise", [], "Properties to raise.")
flags.DEFINE_list("minimise", [], "Properties to lower.")
flags.DEFINE_alias("maximize", "maximise")
flags.DEFINE_alias("minimize", "minimise")
flags.DEFINE_list("at_least", [], "Bounds: 0.9 or property:0.9.")
flags.DEFINE_list("at_most", [], "Bounds: 4 or property:4.")
flags.DEFINE_float("similarity", 0.0, "Least similarity to the start.")
flags.DEFINE_bool("counts", False, "Similarity of counts, not of bits.")
flags.DEFINE_integer("max_heavy_atoms", 38, "Largest molecule; 0: any.", 0)
flags.DEFINE_bool("alerts", True, "Allow new PAINS and Brenk alerts.")
flags.DEFINE_bool("plausible", True, "Rule out strained, reactive groups.")
flags.DEFINE_integer("budget", 500, "Molecules asked for each start.", 1)
flags.DEFINE_string("search", "evolution", "See molecules.search.SEARCHES.")
flags.DEFINE_string("source", "", "Molecular source, for its latents.")
flags.DEFINE_string("options", "{}", "Arguments of the search, as JSON.")
flags.DEFINE_bool("floors", True, "Say what cheap tricks reach.")
flags.DEFINE_float("timeout", None, "Seconds for one call of an oracle.")
flags.DEFINE_integer("jobs", 1, "Processes; -1 for all cores.")
flags.DEFINE_integer("seed", 0, "Seed of all draws.")
flags.DEFINE_integer("shard", 0, "Which part of the starts.", 0)
flags.DEFINE_integer("num_shards", 1, "In how many parts.", 1)
flags.DEFINE_string("output_dir", "runs/optimize", "Results.")


def bounds(flag, properties):
    """Reads `property:value`; a value alone is for the only property."""
    found = {}
    for text in FLAGS[flag].value:
        name, _, value = text.rpartition(":")
        if not name and len(properties) != 1:
            raise ValueError(
                f"--{flag}={text} must say which property: --{flag}=qed:0.9"
            )
        try:
            found[name or properties[0]] = float(value)
        except ValueError as error:
            raise ValueError(
                f"--{flag} must be property:value. Received: {text}"
            ) from error
    return found


def starts():
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
        # What cannot be read keeps its row, and its text for the reason.
        row[place] if reason else value
        for part in table.parts()
        for row, value, reason in zip(*part)
    ]
    if not rows:
        raise ValueError(f"{path} has no molecules.")
    return rows[FLAGS.shard :: FLAGS.num_shards]


def main(_):
    from reprogram.optimization import optimize as optimization
    from reprogram.optimization.objective import Objective
    from reprogram.report.pages import optimization as report

    wanted = [*FLAGS.maximise, *FLAGS.minimise]
    objective = Objective(
        FLAGS.maximise,
        FLAGS.minimise,
        bounds("at_least", wanted),
        bounds("at_most", wanted),
        *(FLAGS.similarity, FLAGS.counts, FLAGS.max_heavy_atoms, FLAGS.alerts),
        FLAGS.plausible,
    )
    names = ("budget", "search", "source", "seed", "timeout", "floors")
    chosen = {name: FLAGS[name].value for name in names}
    plan = optimization.Plan(**chosen, options=json.loads(FLAGS.options))
    folder, run = pathlib.Path(FLAGS.output_dir), optimization.optimize
    try:
        results = run(objective, starts(), folder, plan, FLAGS.jobs)
    except optimization.OracleFailed as error:
        raise ValueError(str(error)) from error
    report.write(results, objective, dataclasses.asdict(plan), folder)
    lines = [report.describe(objective), *report.summary(results, objective)]
    print(*lines, f"Report: {folder / 'optimization.html'}", sep="\n")


if __name__ == "__main__":
    errors.run(main)
