"""The layers that read and write molecules, against loops in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from reprogram import gradients
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources.molecular import networks
from reprogram.sources.molecular.decoding import Decode
from reprogram.sources.molecular.layers import PATCH
from reprogram.sources.molecular.layers import ConvolutionBlock
from reprogram.sources.molecular.layers import Patches
from reprogram.sources.molecular.layers import Pooling
from reprogram.sources.molecular.layers import Posterior
from reprogram.sources.molecular.layers import kl
from reprogram.transforms import SoftPrompt

SIZES = {"width": 8, "depth": 2, "slots": 3, "code": 2, "units": 8}
VOCABULARY = 7


@pytest.fixture(scope="module")
def parts():
    keras.utils.set_random_seed(3)
    made = networks.parts(VOCABULARY, 4, **SIZES)
    for part in made:
        for weight in part.weights:
            weight.assign(
                0.5 * np.random.default_rng(1).normal(size=weight.shape)
            )
    return made


def numpy(x):
    return ops.convert_to_numpy(x)


def ids(*rows, length=12):
    return np.array([[*row, *[0] * (length - len(row))] for row in rows])


def test_padding_changes_nothing(parts):
    rows = [[3, 4, 5], [2, 2, 6, 5, 3]]
    short = [numpy(y) for y in parts[0](ids(*rows, length=5))]
    long = [numpy(y) for y in parts[0](ids(*rows, length=12))]
    for a, b in zip(short, long):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_block_reads_its_neighborhood_and_no_more():
    block = ConvolutionBlock(3, dilation=2)
    x = np.zeros((1, 9, 4), "float32")
    block.build(x.shape)
    changed = x.copy()
    changed[0, 4] = 1.0
    moved = np.abs(numpy(block(changed)) - numpy(block(x))).sum(-1)[0] > 1e-6
    assert set(np.flatnonzero(moved)) <= {2, 4, 6}
    assert moved[4]


def test_patches_fill_and_cut():
    x = np.arange(2 * 6 * 3, dtype="float32").reshape(2, 6, 3)
    mask = np.array([[True] * 6, [True] * 5 + [False]])
    short, long = Patches(1), Patches(3)
    assert numpy(short(x)).shape == (2, 1, PATCH * 3)
    found = numpy(long(x, mask=mask)).reshape(2, 12, 3)
    np.testing.assert_array_equal(found[0, :6], x[0])
    np.testing.assert_array_equal(found[1, :5], x[1, :5])
    assert not found[1, 5:].any() and not found[:, 6:].any()


def test_pooling_counts_what_is_there():
    x = np.array([[[2.0], [4.0], [9.0]]], "float32")
    mask = np.array([[True, True, False]])
    found = numpy(Pooling(2.0)(x, mask=mask))
    np.testing.assert_allclose(found, [[3.0, 3.0]])


def test_divergence_of_normals():
    mean, log_variance = np.array([[1.0, -2.0]]), np.log([[0.25, 4.0]])
    expected = 0.5 * (0.25 + 1 - 1 - np.log(0.25) + 4 + 4 - 1 - np.log(4.0))
    np.testing.assert_allclose(numpy(kl(mean, log_variance)), [expected])


def test_the_posterior_draws_in_training_alone():
    layer = Posterior(seed=2)
    mean = np.full((4000, 1), 3.0, "float32")
    log_variance = np.full((4000, 1), np.log(0.25), "float32")
    known = (np.arange(4000) % 2)[:, None].astype("float32")
    still = numpy(layer(mean, log_variance, known))
    np.testing.assert_array_equal(still, mean)
    layer.beta.assign(0.5)
    drawn = numpy(layer(mean, log_variance, known, training=True))
    assert drawn.mean() == pytest.approx(3.0, abs=0.05)
    assert drawn.std() == pytest.approx(0.5, abs=0.03)
    expected = 0.5 * 0.5 * float(kl(mean[:1], log_variance[:1])[0])
    assert float(layer.losses[0]) == pytest.approx(expected, rel=1e-5)


def test_a_step_of_the_writer_is_a_place_of_its_sequence(parts):
    _, expander, writer = parts
    rng = np.random.default_rng(0)
    contexts = expander(rng.normal(size=(2, 6)))
    tokens = ids([3, 4, 5, 2], [2, 6])
    scores = numpy(writer(contexts, tokens))
    state = ops.zeros((2, SIZES["units"]))
    previous = np.ones(2, "int32")
    for t in range(12):
        score, state = writer.step(contexts[:, t], previous, state)
        np.testing.assert_allclose(numpy(score), scores[:, t], atol=1e-5)
        previous = tokens[:, t]


def test_without_a_latent_contexts_do_not_matter(parts):
    _, expander, writer = parts
    tokens = ids([3, 4, 5, 2], [2, 6])
    known = np.array([[1.0], [0.0]])
    first = writer(expander(np.ones((2, 6))), tokens, known)
    second = writer(expander(-np.ones((2, 6))), tokens, known)
    free = networks.language(writer)(tokens)
    np.testing.assert_allclose(numpy(first)[1], numpy(second)[1], atol=1e-6)
    np.testing.assert_allclose(numpy(first)[1], numpy(free)[1], atol=1e-6)
    assert np.abs(numpy(first)[0] - numpy(second)[0]).max() > 1e-3


def greedy(writer, contexts):
    """The likeliest tokens, one at a time, in a loop."""
    found = np.zeros(contexts.shape[:2], int)
    for i in range(len(contexts)):
        state, token = ops.zeros((1, SIZES["units"])), 1
        for t in range(contexts.shape[1]):
            score, state = writer.step(
                contexts[i : i + 1, t], np.array([token]), state
            )
            token = int(numpy(score).argmax())
            if token == 0:
                break
            found[i, t] = token
    return found


def test_greedy_decoding_is_the_loop(parts):
    _, expander, writer = parts
    latents = np.random.default_rng(5).normal(size=(6, 6)).astype("float32")
    contexts = expander(latents)
    model = keras.Model(expander.input, Decode(writer)(expander.output))
    found = model.predict_on_batch(latents)
    np.testing.assert_array_equal(found, greedy(writer, contexts))


def test_a_beam_as_wide_as_all_strings_finds_the_best(parts):
    _, expander, writer = parts
    contexts = expander(np.ones((1, 6), "float32"))[:, :2]
    width = VOCABULARY**2
    found = numpy(Decode(writer, beams=width)(contexts))[0]
    every = np.stack(np.meshgrid(*[range(VOCABULARY)] * 2, indexing="ij"), -1)
    every = every.reshape(-1, 2)
    every = every[(every[:, 0] != 0) | (every[:, 1] == 0)]
    scores = ops.log_softmax(
        writer(ops.repeat(contexts, len(every), axis=0), every)
    )
    cost = np.take_along_axis(numpy(scores), every[..., None], -1)[..., 0]
    cost[:, 1] = np.where(every[:, 0] == 0, 0.0, cost[:, 1])
    order = np.argsort(-cost.sum(axis=1))
    np.testing.assert_array_equal(found[: len(every)][:5], every[order][:5])


def test_a_hot_draw_is_uniform_and_a_cold_one_greedy(parts):
    _, expander, writer = parts
    contexts = expander(np.zeros((4000, 6), "float32"))[:, :1]
    hot = numpy(Decode(writer, temperature=1e6, seed=1)(contexts))
    shares = np.bincount(hot.ravel(), minlength=VOCABULARY) / hot.size
    np.testing.assert_allclose(shares, 1 / VOCABULARY, atol=0.03)
    cold = numpy(Decode(writer, temperature=1e-4)(contexts[:5]))
    np.testing.assert_array_equal(cold, greedy(writer, contexts[:5]))


@pytest.mark.parametrize(
    "options",
    [{"temperature": -1.0}, {"beams": 0}, {"beams": 2, "temperature": 1.0}],
)
def test_senseless_decoding_is_refused(parts, options):
    with pytest.raises(ValueError, match="temperature=.*beams="):
        Decode(parts[2], **options)


def test_losses_by_hand():
    scores = np.log(np.float32([[[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]] * 2))
    true = np.array([[0, 0], [1, 0]])
    found = numpy(networks.sequence_loss(true, scores))
    np.testing.assert_allclose(
        found, [-np.log(0.5), -np.log(0.25) - np.log(0.1)], rtol=1e-5
    )
    np.testing.assert_array_equal(numpy(networks.exact(true, scores)), [1, 0])


def test_faces_save_and_load(parts, tmp_path):
    _, expander, writer = parts
    decoder = keras.Model(expander.input, Decode(writer)(expander.output))
    latents = np.random.default_rng(5).normal(size=(3, 6)).astype("float32")
    tokens = ids([3, 4, 5, 2], [2, 6])
    cases = [(parts[0], tokens), (decoder, latents)]
    cases.append((networks.language(writer), tokens))
    for i, (model, x) in enumerate(cases):
        model.save(tmp_path / f"{i}.keras")
        again = keras.saving.load_model(tmp_path / f"{i}.keras")
        for a, b in zip(
            keras.tree.flatten(model(x)), keras.tree.flatten(again(x))
        ):
            np.testing.assert_allclose(numpy(a), numpy(b), atol=1e-6)


def test_the_reader_can_be_attacked_and_reprogrammed(parts):
    model = keras.Model(parts[0].input, parts[0].outputs[0])
    tokens = ids([3, 4, 5, 2], [2, 6])
    entered = Reprogrammer(
        model, SoftPrompt(2), input_layer="embeddings", feature_layer="hidden"
    )
    assert numpy(entered(tokens)).shape == (2, 24)

    def loss(latents):
        return ops.sum(parts[1](latents) ** 2)

    latents = np.ones((2, 6), "float32")
    value, slope = gradients.value_and_grad(loss)(latents)
    assert np.isfinite(numpy(slope)).all() and numpy(slope).any()
