"""Token maps stand where the source's embedding layer stood."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from reprogram import gradients
from reprogram import mappings
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources.text_encoder import text_encoder

PAD = 0
rng = np.random.default_rng(0)
TARGET = rng.integers(1, 6, (8, 7))
TARGET[::2, 5:] = PAD
# What the source calls each of the six tokens of the target.
WORDS = [PAD, 4, 9, 2, 11, 3]


@keras.saving.register_keras_serializable("tests")
class PlacedEmbedding(layers.Layer):
    """Embeds tokens, adds positions and masks 0, as encoders do."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        options = {"initializer": "random_normal"}
        self.words = self.add_weight(shape=(13, 4), name="words", **options)
        self.places = self.add_weight(shape=(9, 4), name="places", **options)

    def call(self, inputs):
        x = ops.take(self.words, ops.cast(inputs, "int32"), axis=0)
        return x + self.places[: ops.shape(inputs)[1]]

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, PAD)

    def compute_output_shape(self, input_shape):
        return (*input_shape, 4)


def encoder(length=None):
    tokens = keras.Input((length,), dtype="int32")
    x = PlacedEmbedding(name="embeddings")(tokens)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 2)(x, x)])
    x = layers.GlobalAveragePooling1D(name="pooled")(x)
    return keras.Model(tokens, layers.Dense(5)(x))


def language_model():
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(13, 4, name="embeddings")(tokens)
    x = layers.Conv1D(6, 3, padding="causal")(x)
    return keras.Model(tokens, layers.Dense(13)(x))


def backbone():
    given = {
        name: keras.Input((None,), dtype="int32", name=name)
        for name in ("token_ids", "padding_mask", "segment_ids")
    }
    x = layers.Embedding(13, 4)(given["token_ids"])
    x = x + layers.Embedding(2, 4)(given["segment_ids"])
    x = layers.LayerNormalization()(x)
    return text_encoder(keras.Model(given, {"sequence_output": x}), PAD)


SOURCES = {
    "encoder": encoder,
    "encoder of one length": lambda: encoder(7),
    "language model": language_model,
    "backbone": backbone,
}


@pytest.fixture(params=SOURCES)
def source(request):
    keras.utils.set_random_seed(0)
    return SOURCES[request.param]()


def reader(source, **options):
    tokens = transforms.DenseTokenMap(6, 13, **options)
    return Reprogrammer(source, tokens, input_layer="embeddings")


def test_one_word_for_each_token_reads_like_the_words(source):
    model = reader(source, tokens=WORDS)
    words = np.array(WORDS)[TARGET]
    np.testing.assert_allclose(model(TARGET), source(words), atol=1e-5)


def test_dictionary_is_what_the_source_reads(source):
    found = transforms.dictionary(source, "embeddings")
    layer = source.get_layer("embeddings")
    enter = keras.Model(source.input, layer.output)
    length = source.input_shape[1] or 1
    words = np.arange(13)[:, None].repeat(length, 1)
    np.testing.assert_allclose(enter(words)[:, 0], found, atol=1e-6)


def test_padding_of_the_target_is_masked():
    keras.utils.set_random_seed(0)
    model = reader(encoder(), tokens=[3, 4, 9, 2, 11, 5], pad=5)
    x = np.where(TARGET == PAD, 5, TARGET)[:1]
    assert (x == 5).any()
    np.testing.assert_allclose(model(x), model(x[:, :5]), atol=1e-5)
    assert not np.allclose(model(x), model(np.where(x == 5, 4, x)))


def test_theta_is_a_mixture_of_the_dictionary():
    source = language_model()
    model = reader(source)
    model(TARGET)
    theta = ops.convert_to_numpy(model.transform.program)
    words = ops.convert_to_numpy(source.get_layer("embeddings").embeddings)
    vectors = keras.Input((None, 4))
    x = vectors
    for layer in source.layers[2:]:
        x = layer(x)
    rest = keras.Model(vectors, x)
    expected = rest((theta @ words)[TARGET])
    np.testing.assert_allclose(model(TARGET), expected, atol=1e-5)


def test_mixtures_start_about_as_long_as_words():
    words = rng.normal(size=(2000, 16))
    layer = transforms.DenseTokenMap(400, 2000)
    layer.build((None, None))
    mixed = ops.convert_to_numpy(layer.program) @ words
    lengths = np.linalg.norm(mixed, axis=1).mean()
    assert lengths == pytest.approx(
        np.linalg.norm(words, axis=1).mean(), rel=0.1
    )


@pytest.mark.parametrize("name", SOURCES)
def test_only_the_program_trains_and_it_loads(name, tmp_path):
    keras.utils.set_random_seed(0)
    source = SOURCES[name]()
    # The output half, gamma, reads every token where the source does.
    model = Reprogrammer(
        source,
        transforms.DenseTokenMap(6, 13),
        layers.Dense(6),
        input_layer="embeddings",
    )
    model.compile("adam", "mse")
    mark = model.source_fingerprint()
    model.build(TARGET.shape)
    y = np.ones(model.compute_output_shape(TARGET.shape), "float32")
    start = ops.convert_to_numpy(model.transform.program)
    model.fit(TARGET, y, epochs=1, batch_size=4, verbose=0)
    assert len(model.trainable_weights) == 3
    assert mark == model.source_fingerprint()
    assert not np.allclose(start, model.transform.program)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(TARGET), model(TARGET), atol=1e-5)
    assert len(loaded.trainable_weights) == 3
    model.save_program(tmp_path / "p.weights.h5")
    other = Reprogrammer(
        source,
        transforms.DenseTokenMap(6, 13),
        layers.Dense(6),
        input_layer="embeddings",
    )
    other.build(TARGET.shape)
    other.load_program(tmp_path / "p.weights.h5")
    np.testing.assert_allclose(other(TARGET), model(TARGET), atol=1e-5)


def test_theta_and_gamma_learn_a_language_of_other_tokens():
    keras.utils.set_random_seed(0)
    model = Reprogrammer(
        language_model(),
        transforms.DenseTokenMap(6, 13),
        layers.Dense(6),
        input_layer="embeddings",
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    x = rng.integers(1, 6, (64, 8))
    y = (x + 1) % 6
    model.fit(x, y, epochs=30, batch_size=16, verbose=0)
    assert model.evaluate(x, y, verbose=0)[1] > 0.95


def test_half_precision_does_not_round_token_ids():
    layer = transforms.DenseTokenMap(5000, 3, dtype="mixed_float16")
    layer.build((None, None))
    layer.program.assign(np.arange(15000).reshape(5000, 3) % 7)
    out = layer(np.array([[4097.0, 4099.0]], "float32"))
    expected = (np.array([4097, 4099])[:, None] * 3 + np.arange(3)) % 7
    np.testing.assert_array_equal(ops.cast(out[0], "float32"), expected)
    assert keras.backend.standardize_dtype(out.dtype) == "float16"


def test_gradient_reaches_the_rows_of_the_tokens_in_the_batch():
    model = reader(encoder())
    model(TARGET)
    run = gradients.stateless(model, [model.transform.program])
    _, slope = gradients.value_and_grad(
        lambda theta: ops.sum(ops.square(run([theta], np.full((2, 4), 3))))
    )(model.transform.program)
    used = np.abs(ops.convert_to_numpy(slope)).sum(axis=1) > 0
    assert used.tolist() == [False, False, False, True, False, False]


def test_errors_say_what_to_do():
    source = encoder()
    tokens = transforms.DenseTokenMap(6, 13)
    with pytest.raises(ValueError, match="`input_layer` is None. Set it"):
        Reprogrammer(source, tokens)
    with pytest.raises(ValueError, match="14 tokens.*knows 13. Set.*size=13"):
        Reprogrammer(
            source, transforms.DenseTokenMap(6, 14), input_layer="embeddings"
        )
    with pytest.raises(ValueError, match="no table of token vectors"):
        Reprogrammer(source, tokens, input_layer="pooled")
    with pytest.raises(ValueError, match="gives vectors of 5.*Set width=4"):
        Reprogrammer(
            source, transforms.SparseTokenMap(6, 5), input_layer="embeddings"
        )
    with pytest.raises(ValueError, match="positive.*vocabulary_size=0"):
        transforms.DenseTokenMap(0, 13)
    for wrong in ([1, 2], [1, 2, 13], [1.0, 2, 3]):
        with pytest.raises(ValueError, match="3 ids of source tokens.*0 to 12"):
            transforms.DenseTokenMap(3, 13, tokens=wrong)


def test_a_token_map_before_a_class_mapping():
    model = Reprogrammer(
        encoder(),
        transforms.DenseTokenMap(6, 13),
        mappings.RandomMapping(2),
        input_layer="embeddings",
    )
    assert model(TARGET).shape == (8, 2)
    assert model.compute_output_shape((None, 7)) == (None, 2)
