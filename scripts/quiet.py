"""Keeps log messages of other libraries off the terminal."""

import importlib.abc
import importlib.machinery
import logging
import os
import re
import sys
import tempfile
import types
import warnings
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager

from absl import logging as absl_logging

# TensorFlow 2.21 writes these while it is imported, whatever
# TF_CPP_MIN_LOG_LEVEL says.
CHATTER = re.compile(
    rb"^(WARNING: All log messages before absl::InitializeLog"
    rb"|[IW]\d{4} [\d:. ]+\d+ \S+:\d+\] "
    rb"|To enable the following instructions: )"
)


def quieten() -> None:
    """Silences TensorFlow, absl, scikit-learn and Matplotlib.

    Call it before TensorFlow is imported. Errors stay visible.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    absl_logging.set_verbosity(absl_logging.ERROR)
    for name in ("tensorflow", "matplotlib.font_manager"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # Among them those of solvers that stop before they have converged; the
    # module is named as the category would import scikit-learn.
    warnings.filterwarnings("ignore", module=r"(sklearn|tensorflow|keras)\.")
    there = any(isinstance(finder, _Silencer) for finder in sys.meta_path)
    if "tensorflow" not in sys.modules and not there:
        sys.meta_path.insert(0, _Silencer())


@contextmanager
def without_chatter() -> Iterator[None]:
    """Filters known log messages out of standard error.

    Output of a failing block is passed on completely.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        terminal = os.dup(2)
        os.dup2(held.fileno(), 2)
        failed = False
        try:
            yield
        except Exception:
            failed = True
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            for line in held:
                if failed or not CHATTER.match(line):
                    os.write(2, line)


class _Silencer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports TensorFlow within `without_chatter`."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            self.loader, spec.loader = spec.loader, self
        return spec

    def exec_module(self, module: types.ModuleType) -> None:
        with without_chatter():
            self.loader.exec_module(module)
