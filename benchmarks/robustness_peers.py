"""The attacks of ART and Foolbox, called as ours are.

Used by `benchmarks.robustness_strength`; needs the extra `peers`. Each
function takes a counted model, images in [0, 1], labels and a setting, and
returns what the peer calls adversarial. Steps, step lengths and radii are
those of the setting; where a peer counts queries in another way, ours get
what it has spent.
"""

import dataclasses
import warnings
from collections.abc import Callable

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class Setting:
    """Radii and budgets that one model is attacked with."""

    images: int
    linf: float
    l2: float
    steps: int = 20
    long_steps: int = 50
    leaps: int = 50
    searches: int = 5
    rate: float = 0.02
    square: int = 500
    jumps: int = 8
    walks: int = 500
    turns: tuple[int, int] = (11, 3)
    degrees: float = 15.0
    pixels: int = 1

    @property
    def size(self) -> float:
        """Length of a step of PGD, as a share of the radius."""
        return 2.5 / self.steps


class Counted:
    """A compiled model that counts the images it is asked for."""

    def __init__(self, model: Callable):
        from reprogram.gradients import compiled
        from reprogram.robustness.models import inference

        self.fast, self.count = compiled(inference(model)), 0

    def __call__(self, x, training: bool = False):
        self.count += int(x.shape[0])
        return self.fast(x)


def art(name: str, model: Counted, x, y, setting: Setting) -> np.ndarray:
    """Runs an attack of ART."""
    warnings.filterwarnings("ignore", module="art")
    from art.attacks import evasion
    from art.estimators.classification import TensorFlowV2Classifier

    classes = model(x[:1]).shape[-1]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    made = TensorFlowV2Classifier(
        model, classes, x.shape[1:], loss, clip_values=(0.0, 1.0)
    )
    # The graph that ART makes of the model would hide it from the count.
    made._forward_pass = lambda model, x, training: model(x)
    hot = np.eye(classes, dtype="float32")[y]
    options = _art_options(name, x, setting)
    kind = getattr(evasion, ART[name])
    if name != "spatial":
        return kind(made, **options).generate(x.copy(), y=hot)
    # It would look for one move that fools most images of a batch.
    rows = [kind(made, **options).generate(row[None].copy()) for row in x]
    return np.concatenate(rows)


ART = {
    "fgsm": "FastGradientMethod",
    "pgd": "ProjectedGradientDescent",
    "pgd-l2": "ProjectedGradientDescent",
    "apgd": "AutoProjectedGradientDescent",
    "deepfool": "DeepFool",
    "carlini_wagner": "CarliniL2Method",
    "square": "SquareAttack",
    "hop_skip_jump": "HopSkipJump",
    "boundary": "BoundaryAttack",
    "spatial": "SpatialTransformation",
}


def _art_options(name: str, x: np.ndarray, s: Setting) -> dict:
    radius = s.l2 if name == "pgd-l2" else s.linf
    ball = {"norm": 2 if name == "pgd-l2" else np.inf, "eps": radius}
    climb = {"eps_step": s.size * radius, "max_iter": s.steps}
    found = {
        "fgsm": ball,
        "pgd": ball | climb | {"num_random_init": 1},
        "pgd-l2": ball | climb | {"num_random_init": 1},
        "apgd": ball
        | {
            # Its own first step is twice the radius, as in the paper.
            "eps_step": 2 * radius,
            "max_iter": s.long_steps,
            "nb_random_init": 1,
            "loss_type": "cross_entropy",
        },
        "deepfool": {"max_iter": s.leaps, "epsilon": 0.02, "nb_grads": 10},
        "carlini_wagner": {
            "binary_search_steps": s.searches,
            "max_iter": s.long_steps,
            "learning_rate": s.rate,
            "initial_const": 1.0,
        },
        "square": ball | {"max_iter": s.square},
        "hop_skip_jump": {"max_iter": s.jumps, "norm": 2},
        "boundary": {"max_iter": s.walks // 20, "targeted": False},
        "spatial": {
            "max_translation": 100 * s.pixels / x.shape[1],
            "num_translations": s.turns[1],
            "max_rotation": s.degrees,
            "num_rotations": s.turns[0],
        },
    }[name]
    batch = {} if name in ("fgsm", "spatial") else {"batch_size": len(x)}
    return found | batch | ({} if name == "fgsm" else {"verbose": False})


def foolbox(name: str, model: Counted, x, y, setting: Setting) -> np.ndarray:
    """Runs an attack of Foolbox."""
    import foolbox
    from keras import ops

    made = foolbox.TensorFlowModel(model, bounds=(0, 1), device="/CPU:0")
    attack, radius = _foolbox_attack(name, setting)
    # Of labels in int32 EagerPy asks for a function that NumPy 2 lacks.
    x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y, "int64")
    if name == "spatial":
        return ops.convert_to_numpy(attack(made, x, y)[1])
    return ops.convert_to_numpy(attack(made, x, y, epsilons=radius)[1])


def _foolbox_attack(name: str, s: Setting) -> tuple:
    from foolbox import attacks

    def climb(radius: float) -> dict:
        return {"abs_stepsize": s.size * radius, "steps": s.steps}

    return {
        "fgsm": lambda: (attacks.LinfFastGradientAttack(), s.linf),
        "pgd": lambda: (attacks.LinfPGD(**climb(s.linf)), s.linf),
        "pgd-l2": lambda: (attacks.L2PGD(**climb(s.l2)), s.l2),
        "deepfool": lambda: (attacks.L2DeepFoolAttack(steps=s.leaps), None),
        "carlini_wagner": lambda: (
            attacks.L2CarliniWagnerAttack(
                s.searches, s.long_steps, s.rate, initial_const=1.0
            ),
            None,
        ),
        "hop_skip_jump": lambda: (
            attacks.HopSkipJumpAttack(steps=s.jumps),
            None,
        ),
        "boundary": lambda: (attacks.BoundaryAttack(steps=s.walks), None),
        "spatial": lambda: (
            attacks.SpatialAttack(
                s.pixels, s.degrees, s.turns[1], s.turns[0], grid_search=True
            ),
            None,
        ),
    }[name]()


PEERS = {
    "art": (art, tuple(ART)),
    "foolbox": (
        foolbox,
        tuple(name for name in ART if name not in ("apgd", "square")),
    ),
}
