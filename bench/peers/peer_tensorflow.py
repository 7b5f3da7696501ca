"""TensorFlow and Keras: eager, tf.function, and both compiled by XLA."""
import work
from products import products
from serve import THREADS, Lengths, Timed, serve


class TensorFlow:
    def __init__(self):
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(THREADS)
        tf.config.threading.set_inter_op_parallelism_threads(THREADS)
        tf.get_logger().setLevel("ERROR")
        self.tf, self.keras = tf, keras


def add(kind):
    def setup(lib):
        tf = lib.tf
        a, b = tf.ones([8]), tf.ones([8])
        traced = tf.function(lambda x, y: x + y)
        runs = {
            "add": lambda: tf.add(a, b),
            "operator": lambda: a + b,
            "raw": lambda: tf.raw_ops.AddV2(x=a, y=b),
            "function": lambda: traced(a, b),
        }
        return Timed("a.dispatch add[8]", "ns/op", lambda s: s * 1e9, runs[kind], low=True)

    return setup


def multiply(lib, x, y):
    a, b = lib.tf.constant(x), lib.tf.constant(y)
    return lambda: lib.tf.matmul(a, b)


def gelus(wrap):
    """`wrap(tf, f)` makes the function that runs."""

    def gelu(kind):
        def setup(lib):
            tf = lib.tf
            a, b, c = map(tf.constant, work.gelu_data())
            f = wrap(tf, lambda a, b, c: tf.nn.gelu(a * b + c, approximate=kind == "tanh"))
            return work.gelu_task(kind, lambda: f(a, b, c))

        return setup

    return {f"c.{kind}": gelu(kind) for kind in ("tanh", "erf")}


def mlp(lib, features, *units):
    layers = lib.keras.layers
    hidden = [layers.Dense(n, "relu") for n in units[:-1]]
    return lib.keras.Sequential([layers.Input((features,)), *hidden, layers.Dense(units[-1])])


def network(lib, case):
    layers, sequential = lib.keras.layers, lib.keras.Sequential
    if case in ("d", "eager"):
        return mlp(lib, 784, 512, 256, 10)
    first = layers.Input(work.TRAININGS[case].shape)
    if case == "e":
        convolutions = [layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(64, 3, activation="relu")]
        head = [layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(10)]
        return sequential([first, *convolutions, layers.MaxPooling2D(), *head])
    return sequential([first, layers.LSTM(128), layers.Dense(10)])


def fit(case, **options):
    def setup(lib):
        import numpy as np

        training = work.TRAININGS[case]
        x, y = map(np.concatenate, zip(*training.batches()))
        loss = lib.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model = network(lib, case)
        model.compile(optimizer=lib.keras.optimizers.Adam(1e-3), loss=loss, **options)
        return training.task(lambda: model.fit(x, y, batch_size=training.batch, epochs=1, verbose=0))

    return setup


def step_of(lib, model, optimizer, loss_of):
    """A step by GradientTape; returns the loss."""
    variables = model.trainable_variables
    optimizer.build(variables)

    def step(x, y):
        with lib.tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return step


def loop(case, wrap):
    def setup(lib):
        tf, training = lib.tf, work.TRAININGS[case]
        loss = lib.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        step = wrap(tf, step_of(lib, network(lib, case), lib.keras.optimizers.Adam(1e-3), loss))
        batches = [(tf.constant(x), tf.constant(y)) for x, y in training.batches()]

        def epoch():
            for x, y in batches:
                loss = step(x, y)
            loss.numpy()

        return training.task(epoch)

    return setup


def lengths(lib):
    def make_step(features, longest):
        loss = lib.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        step = step_of(lib, mlp(lib, features, 128, 10), lib.keras.optimizers.Adam(1e-3), loss)
        data = lib.tf.random.uniform([longest, features])
        labels = lib.tf.random.uniform([longest], 0, 10, "int32")
        return lambda length: step(data[:length], labels[:length]).numpy()

    return Lengths(make_step)


def gpt_step(wrap):
    def setup(lib):
        tf, keras = lib.tf, lib.keras
        layers, width = keras.layers, work.WIDTH

        class Positions(layers.Layer):
            def build(self, shape):
                self.positions = self.add_weight(shape=(work.LENGTH, width))

            def call(self, x):
                return x + self.positions

        def gelu(x):
            return keras.activations.gelu(x, approximate=True)

        inputs = layers.Input((work.LENGTH,), dtype="int32")
        x = Positions()(layers.Embedding(work.VOCABULARY, width)(inputs))
        for _ in range(work.LAYERS):
            h = layers.LayerNormalization()(x)
            x = x + layers.MultiHeadAttention(work.HEADS, width // work.HEADS)(h, h, use_causal_mask=True)
            h = layers.Dense(4 * width, activation=gelu)(layers.LayerNormalization()(x))
            x = x + layers.Dense(width)(h)
        head = layers.Dense(work.VOCABULARY, use_bias=False)
        model = keras.Model(inputs, head(layers.LayerNormalization()(x)))

        def loss_of(y, logits):
            return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))

        x, y = (tf.constant(a, tf.int32) for a in work.tokens())
        step = wrap(tf, step_of(lib, model, keras.optimizers.AdamW(3e-4), loss_of))
        return lambda: step(x, y).numpy()

    return setup


def picture(kind):
    def setup(lib):
        tf = lib.tf
        model = lib.keras.applications.MobileNetV2(weights=None)
        x = tf.constant(work.picture())
        f = tf.function(lambda x: model(x, training=False), jit_compile=kind == "jit")
        if kind != "frozen":
            return work.picture_task(lambda: f(x).numpy())
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        frozen = convert_variables_to_constants_v2(f.get_concrete_function(tf.TensorSpec([1, 224, 224, 3])))
        return work.picture_task(lambda: frozen(x)[0].numpy())

    return setup


def plain(tf, f):
    return f


def traced(tf, f):
    return tf.function(f)


def compiled(tf, f):
    return tf.function(f, jit_compile=True)


def trainings(case):
    return {
        "keras.fit (default jit=auto)": {case: fit(case)},
        "keras.fit jit=False": {case: fit(case, jit_compile=False)},
        "tf.function custom loop": {case: loop(case, traced)},
        "tf.function custom loop jit": {case: loop(case, compiled)},
    }


serve(
    TensorFlow,
    {
        "a": {
            "tf-eager tf.add": {"a": add("add")},
            "tf-eager a+b": {"a": add("operator")},
            "tf-eager raw_ops": {"a": add("raw")},
            "tf.function call": {"a": add("function")},
        },
        "b": {"tf": products(multiply)},
        "c": {
            "tf-eager": gelus(plain),
            "tf.function": gelus(traced),
            "tf.function jit_compile": gelus(compiled),
        },
        **{case: trainings(case) for case in ("d", "e", "i")},
        **{
            case: {
                "keras/tf.function": work.gpt_tasks(case, gpt_step(traced)),
                "keras/tf.function jit_compile": work.gpt_tasks(case, gpt_step(compiled)),
            }
            for case in ("f", "k")
        },
        "g": {
            "keras/tf.function": {"g": picture("function")},
            "keras/tf.function jit_compile": {"g": picture("jit")},
            "tf frozen graph": {"g": picture("frozen")},
        },
        "eager": {"tf-eager": {"eager.mlp": loop("eager", plain), "eager.lengths": lengths}},
    },
)
