"""Keras's side of saving.test.ts: python saving.py FOLDER

Reads FOLDER/ours/NAME.keras with NAME.json (inputs, and a batch to train on where the model is compiled), and writes
FOLDER/ours/NAME.out.json: what Keras predicts, the configuration it would write, and predictions after one step; and
NAME.again.keras, the model as Keras writes it. Makes models of its own in FOLDER/theirs, with the same numbers beside them.
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np

folder = Path(sys.argv[1])
(folder / "theirs").mkdir(exist_ok=True)
rng = np.random.default_rng(7)
L = keras.layers


def plain(x):
    if isinstance(x, (list, tuple)):
        return [plain(one) for one in x]
    if isinstance(x, dict):
        return [plain(one) for one in x.values()]
    return np.asarray(x, dtype="float64").tolist()


def tensors(described):
    return [np.array(one["values"], dtype=one["dtype"]).reshape(one["shape"]) for one in described]


def one_or_all(xs):
    return xs[0] if len(xs) == 1 else xs


def predict(model, xs):
    # Not in a compiled function: what is compared is the file.
    ys = model(one_or_all([keras.ops.convert_to_tensor(x) for x in xs]), training=False)
    return plain(ys if isinstance(ys, (list, tuple)) else [ys])


def step(model, xs, ys):
    model.run_eagerly = True
    model.train_on_batch(one_or_all(xs), one_or_all(ys))
    return plain(model.get_weights())


def without_ids(config):
    if isinstance(config, dict):
        return {k: without_ids(v) for k, v in config.items() if k != "shared_object_id"}
    return [without_ids(one) for one in config] if isinstance(config, list) else config


def config_in(path):
    import zipfile

    return without_ids(json.loads(zipfile.ZipFile(path).read("config.json")))


def read_ours(path):
    given = json.loads(path.with_suffix(".json").read_text())
    model = keras.saving.load_model(path)
    xs = tensors(given["xs"])
    out = {"predictions": predict(model, xs), "weights": [plain(w) for w in model.get_weights()]}
    again = path.with_name(f"{path.stem}.again.keras")
    model.save(again)
    out["config"] = config_in(again)
    if given["ys"]:
        out["state"] = [plain(v) for v in model.optimizer.variables]
        out["trained"] = step(model, xs, tensors(given["ys"]))
    path.with_suffix(".out.json").write_text(json.dumps(out))


# --- models of Keras's own


def described(xs):
    return [{"shape": list(x.shape), "dtype": str(x.dtype), "values": x.reshape(-1).tolist()} for x in xs]


def write_theirs(name, model, xs, ys=None, steps=0):
    for weight in model.weights:
        if "float" in str(weight.dtype):
            weight.assign(rng.uniform(0.1, 0.9, weight.shape))
    for _ in range(steps):
        step(model, xs, ys)
    path = folder / "theirs" / f"{name}.keras"
    model.save(path)
    model.save_weights(folder / "theirs" / f"{name}.weights.h5")
    out = {"xs": described(xs), "predictions": predict(model, xs), "weights": [plain(w) for w in model.get_weights()]}
    if ys is not None:
        out["ys"] = described(ys)
        out["trained"] = step(model, xs, ys)
    path.with_suffix(".json").write_text(json.dumps(out))


def floats(*shape):
    return rng.uniform(-2, 2, shape).astype("float32")


def make_theirs():
    I, R = keras.initializers, keras.regularizers
    image, row, sequence = (5, 6, 3), (6,), (4, 3)
    every = [
        (row, L.Dense(4)),
        (row, L.Dense(4, activation="softmax", use_bias=False, kernel_regularizer=R.L1(0.1), name="head")),
        (sequence, L.Dense(2, activation="tanh", kernel_initializer=I.HeNormal(seed=3), bias_initializer=I.Constant(0.5))),
        (row, L.Dense(4, bias_regularizer=R.L2(0.3), kernel_regularizer=R.L1L2(0.1, 0.2), trainable=False)),
        (image, L.Conv2D(2, 3)),
        (image, L.Conv2D(2, (2, 3), strides=(2, 1), padding="same", activation="relu")),
        (image, L.Conv2D(3, 2, dilation_rate=2, use_bias=False, kernel_initializer=I.VarianceScaling(2.0, "fan_out", "uniform"))),
        (image, L.BatchNormalization()),
        (image, L.BatchNormalization(axis=1, momentum=0.9, epsilon=0.01, center=False, scale=True)),
        (row, L.BatchNormalization(scale=False, beta_initializer="ones", gamma_regularizer="l2")),
        (image, L.LayerNormalization()),
        (image, L.LayerNormalization(axis=[1, 2], epsilon=0.01, center=False)),
        (image, L.MaxPooling2D()),
        (image, L.MaxPooling2D((2, 3), strides=1, padding="same")),
        (image, L.AveragePooling2D(2)),
        (image, L.AveragePooling2D(3, strides=(2, 1), padding="same")),
        (image, L.GlobalAveragePooling2D()),
        (image, L.GlobalAveragePooling2D(keepdims=True)),
        (image, L.GlobalMaxPooling2D()),
        (image, L.GlobalMaxPooling2D(keepdims=True)),
        (image, L.Flatten()),
        (image, L.Reshape((-1, 9))),
        (row, L.Dropout(0.4)),
        (sequence, L.Dropout(0.4, noise_shape=(None, 1, 3), seed=4)),
        (row, L.Activation("gelu")),
        (row, L.ReLU()),
        (row, L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.5)),
        (row, L.LeakyReLU(negative_slope=0.1)),
        (row, L.ELU(alpha=0.5)),
        (row, L.Softmax()),
        (sequence, L.Softmax(axis=1)),
        (sequence, L.LSTM(3)),
        (sequence, L.LSTM(2, return_sequences=True, go_backwards=True, activation="relu", recurrent_activation="hard_sigmoid")),
        (sequence, L.LSTM(2, use_bias=False, unit_forget_bias=False, unroll=True, kernel_regularizer="l1", recurrent_regularizer="l2")),
        (sequence, L.LSTM(2, recurrent_initializer=I.Orthogonal(gain=2.0, seed=1), bias_initializer=I.TruncatedNormal(0.1))),
        (sequence, L.GRU(3, return_sequences=True)),
        (sequence, L.GRU(2, reset_after=False, go_backwards=True)),
        (sequence, L.SimpleRNN(2)),
        (sequence, L.RNN(L.GRUCell(3))),
        (sequence, L.RNN([L.LSTMCell(2), L.SimpleRNNCell(3)], return_sequences=True)),
        (sequence, L.Bidirectional(L.LSTM(2, return_sequences=True))),
        (sequence, L.Bidirectional(L.GRU(2), merge_mode="mul", backward_layer=L.LSTM(2, go_backwards=True))),
        (sequence, L.TimeDistributed(L.Dense(2))),
        (sequence, L.Masking(0.5)),
    ]
    names = ["relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "log_sigmoid", "hard_sigmoid", "silu", "hard_silu"]
    names += ["gelu", "tanh", "softplus", "softsign", "mish", "exponential", "softmax", "log_softmax", "linear", "swish"]
    every += [(row, L.Dense(3, activation=name)) for name in names]
    makers = [I.Zeros(), I.Ones(), I.Constant(2.0), I.Identity(0.5), I.RandomNormal(0.1, 0.2, 3), I.RandomUniform(-1.0, 2.0)]
    makers += [I.TruncatedNormal(seed=5), I.VarianceScaling(), I.VarianceScaling(0.5, "fan_avg", "untruncated_normal", 2)]
    makers += [I.GlorotUniform(1), I.GlorotNormal(), I.HeUniform(), I.HeNormal(), I.LecunUniform(), I.LecunNormal(), I.Orthogonal()]
    every += [(row, L.Dense(6, kernel_initializer=maker)) for maker in makers]
    for i, (shape, layer) in enumerate(every):
        model = keras.Sequential([keras.Input(shape), layer])
        write_theirs(f"layer-{i:02}-{layer.__class__.__name__}", model, [floats(3, *shape)])
    tokens = np.array([[0, 4, 2], [2, 2, 1]], dtype="int32")
    write_theirs("embedding", keras.Sequential([keras.Input((3,), dtype="int32"), L.Embedding(5, 2)]), [tokens])

    merges = [L.Add(), L.Subtract(), L.Multiply(), L.Average(), L.Maximum(), L.Minimum(), L.Concatenate(), L.Concatenate(axis=1)]
    for layer in merges:
        a, b = keras.Input((3, 4)), keras.Input((3, 4))
        model = keras.Model([a, b], layer([a, b]))
        write_theirs(f"merge-{layer.name}", model, [floats(2, 3, 4), floats(2, 3, 4)])

    # Shared layers, nested models, several inputs and outputs, a layer drawn before the layers it follows.
    a, b = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    # The shared layer is also in the nested model: Keras writes that, and does not read it.
    shared = L.Dense(4, activation="tanh", name="shared")
    block_in = keras.Input((4,))
    block = keras.Model(block_in, [L.Dense(3)(shared(block_in)), L.Dense(2)(block_in)], name="block")
    tail = keras.Sequential([L.Dense(5, activation="relu"), L.Dense(3)], name="tail")
    p, q = block(shared(a))
    r, s = block(shared(shared(b)))
    both = L.Concatenate()([q, s])
    outputs = [tail(p), L.Add()([tail(r), p]), L.Dense(1, name="score")(both)]
    model = keras.Model([b, a], outputs, name="woven")
    write_theirs("graph", model, [floats(3, 4), floats(3, 4)])
    write_theirs("deferred", deferred(), [floats(2, 3)])
    deep = keras.Sequential([keras.Input((4,)), keras.Sequential([L.Dense(3), keras.Sequential([L.Dense(2), L.Dropout(0.1)])])])
    write_theirs("nested", deep, [floats(2, 4)])

    O, S, M = keras.optimizers, keras.losses, keras.metrics
    x, number = floats(4, 3), floats(4, 2)
    chance = rng.uniform(0.1, 0.9, (4, 2)).astype("float32")
    chance /= chance.sum(-1, keepdims=True)
    classes = np.array([0, 1, 1, 0], dtype="int32")
    compiled = {
        "sgd": (O.SGD(0.1), "mse", ["mae"], None, number),
        "momentum": (O.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=0.5), S.MeanAbsoluteError(), [M.MeanSquaredError(name="m")], None, number),
        "adam": ("adam", S.Huber(), [], None, number),
        "amsgrad": (O.Adam(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-5, amsgrad=True, clipvalue=0.1), "mape", None, None, number),
        "adamw": (O.AdamW(0.05, weight_decay=0.1), S.Hinge(reduction="sum"), ["accuracy"], None, number),
        "rmsprop": (O.RMSprop(0.01, rho=0.8, momentum=0.5, centered=True, global_clipnorm=1.0), S.MeanSquaredError(), ["mse"], None, number),
        "binary": ("sgd", S.BinaryCrossentropy(label_smoothing=0.1), [M.BinaryAccuracy(threshold=0.3), M.BinaryCrossentropy()], "sigmoid", chance),
        "categorical": ("rmsprop", S.CategoricalCrossentropy(from_logits=True), [M.CategoricalAccuracy(), M.CategoricalCrossentropy(from_logits=True)], None, chance),
        "sparse": ("adamw", "sparse_categorical_crossentropy", ["accuracy", M.SparseCategoricalAccuracy(), M.SparseCategoricalCrossentropy()], "softmax", classes),
    }
    for name, (optimizer, loss, metrics, activation, y) in compiled.items():
        for steps in (0, 2):
            if not isinstance(optimizer, str):
                optimizer = optimizer.__class__.from_config(optimizer.get_config())
            dense = L.Dense(4, activation="tanh", kernel_regularizer="l2")
            model = keras.Sequential([keras.Input((3,)), dense, L.BatchNormalization(), L.Dense(2, activation=activation)])
            model.compile(optimizer=optimizer, loss=loss, metrics=metrics)
            write_theirs(f"compiled-{name}-{steps}", model, [x], [y], steps)
    frozen = keras.Sequential([keras.Input((3,)), L.Dense(4, trainable=False), L.BatchNormalization(), L.Dense(2)])
    frozen.compile(optimizer=O.Adam(0.1), loss="mse")
    write_theirs("compiled-frozen", frozen, [x], [number], 2)
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    one, two = L.Dense(2, name="one")(a), L.Dense(1, name="two")(L.Concatenate()([a, b]))
    model = keras.Model([a, b], [one, two])
    losses, metrics = {"two": "mae", "one": "mse"}, {"one": ["mae"], "two": [M.MeanSquaredError()]}
    model.compile(optimizer=O.Adam(0.1), loss=losses, loss_weights={"one": 0.5, "two": 2.0}, metrics=metrics)
    write_theirs("compiled-outputs", model, [x, floats(4, 2)], [number, floats(4, 1)], 2)


def deferred():
    model = keras.Sequential([L.Dense(3, activation="relu"), L.Dense(2)])
    model(floats(1, 3))
    return model


ours = sorted(path for path in (folder / "ours").glob("*.keras"))
for path in ours:
    read_ours(path)
make_theirs()
