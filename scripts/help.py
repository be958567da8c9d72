"""The help of a command: its docstring and its own flags, in groups."""

import ast
import pathlib
import sys
import textwrap

from absl import flags

GROUPS = {
    "Data": "task csv data_dir input start smiles id_column smiles_column"
    " target_column split_column problem metric split test test_fraction"
    " test_size train_size samples bounds value_range rdkit_sets exclude",
    "Goal": "maximise minimise at_least at_most similarity counts alerts"
    " max_heavy_atoms plausible",
    "Model": "run model source predictor compare service suite search method",
    "Budget and seeds": "seed seeds budget trials minutes steps timeout shard"
    " num_shards jobs",
    "Output": "output output_dir overwrite html html_rows tensorboard"
    " cache_dir",
}
REST = "Options"
VALUES = {"int": "INTEGER", "float": "NUMBER", "string": "TEXT"}


def docstring(path: pathlib.Path) -> str:
    """Returns the docstring of a Python file without importing it.

    Args:
        path: Path of the file.

    Returns:
        The text, or an empty string.
    """
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


def own_flags(module: str) -> list[flags.Flag]:
    """Returns the flags that a program or its flag modules define.

    Args:
        module: Name of the program's module, such as `"__main__"`.

    Returns:
        The flags in the order of their definition.
    """
    found = flags.FLAGS.get_key_flags_for_module(sys.modules[module])
    return list({flag.name: flag for flag in found}.values())


def text(module: str, program: str) -> str:
    """Writes the help of a program.

    Args:
        module: Name of the program's module.
        program: Command that runs it, for example `"reprogram train"`.

    Returns:
        The docstring, then the flags under the headings of `GROUPS`.
    """
    about = sys.modules[module].__doc__ or ""
    if program.startswith("reprogram "):
        name = pathlib.Path(sys.modules[module].__file__ or "").stem
        about = about.replace(f"python -m scripts.{name}", program)
    grouped: dict[str, list[flags.Flag]] = {}
    for flag in own_flags(module):
        grouped.setdefault(_group(flag.name), []).append(flag)
    parts = [about.strip()]
    for heading in (*GROUPS, REST, "Recipe"):
        if heading in grouped:
            rows = map(_entry, grouped[heading])
            parts.append("\n".join([f"{heading}:", *rows]))
    return "\n\n".join(parts)


def _group(name: str) -> str:
    definer = flags.FLAGS.find_module_defining_flag(name) or ""
    if definer.endswith("recipe_flags"):
        return "Recipe"
    named = (key for key, names in GROUPS.items() if name in names.split())
    return next(named, REST)


def _entry(flag: flags.Flag) -> str:
    about = flag.help or ""
    if flag.boolean:
        shown = f"  --{flag.name}, --no{flag.name}"
    else:
        value = VALUES.get(flag.flag_type(), "A,B,...")
        if isinstance(flag, flags.EnumFlag):
            value = "|".join(flag.parser.enum_values)
            about = about.removeprefix(f"<{value}>: ")
        shown = f"  --{flag.name}={value}"
    # A flag without a value of its own says in its sentence what happens.
    if flag.default not in (None, "", []):
        default = (flag.default_as_str or "").strip("'")
        shown += f"  (default: {default})"
    indent = " " * 6
    lines = textwrap.wrap(
        about, 79, initial_indent=indent, subsequent_indent=indent
    )
    return "\n".join([shown, *lines])
