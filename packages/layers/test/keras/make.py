"""Writes expected.json with Keras 3.15.1 (KERAS_BACKEND=torch or tensorflow): python make.py > expected.json"""

import json

import keras
import numpy as np

rng = np.random.default_rng(7)
out = {"keras": keras.__version__}


def data(*shape, low=-2.0, high=2.0):
    return rng.uniform(low, high, shape).astype("float32")


def values(x):
    return np.asarray(keras.ops.convert_to_numpy(x), dtype="float64").tolist()


# --- layers: configuration, input, weights, result
layers = []


def layer(name, config, made, x, training=False):
    made.build(x.shape)
    for weight in made.weights:
        weight.assign(data(*weight.shape, low=0.2, high=1.5))
    before = [values(w) for w in made.weights]
    y = made(x, training=training) if training else made(x)
    layers.append(
        dict(name=name, config=config, x=values(x), training=training, weights=before, y=values(y), after=[values(w) for w in made.weights])
    )


L = keras.layers
image = data(2, 5, 6, 3)
layer("dense", dict(units=4, activation="tanh"), L.Dense(4, activation="tanh"), data(3, 5))
layer("dense", dict(units=2, useBias=False), L.Dense(2, use_bias=False), data(2, 3, 4))
layer("conv2d", dict(filters=4, kernelSize=3), L.Conv2D(4, 3), image)
layer("conv2d", dict(filters=2, kernelSize=[2, 3], strides=2, padding="same", activation="relu"), L.Conv2D(2, (2, 3), strides=2, padding="same", activation="relu"), image)
layer("conv2d", dict(filters=2, kernelSize=2, dilationRate=2), L.Conv2D(2, 2, dilation_rate=2), image)
layer("maxPooling2d", dict(), L.MaxPooling2D(), image)
layer("maxPooling2d", dict(poolSize=3, strides=2, padding="same"), L.MaxPooling2D(3, strides=2, padding="same"), image)
layer("averagePooling2d", dict(poolSize=[2, 3], strides=[1, 2]), L.AveragePooling2D((2, 3), strides=(1, 2)), image)
layer("averagePooling2d", dict(poolSize=3, strides=2, padding="same"), L.AveragePooling2D(3, strides=2, padding="same"), image)
layer("globalAveragePooling2d", dict(), L.GlobalAveragePooling2D(), image)
layer("globalMaxPooling2d", dict(keepDims=True), L.GlobalMaxPooling2D(keepdims=True), image)
layer("flatten", dict(), L.Flatten(), image)
layer("reshape", dict(targetShape=[-1, 3]), L.Reshape((-1, 3)), data(2, 6))
layer("batchNormalization", dict(), L.BatchNormalization(), image)
layer("batchNormalization", dict(momentum=0.9, epsilon=0.01), L.BatchNormalization(momentum=0.9, epsilon=0.01), image, training=True)
layer("batchNormalization", dict(axis=1, scale=False), L.BatchNormalization(axis=1, scale=False), data(4, 3, 2), training=True)
layer("layerNormalization", dict(), L.LayerNormalization(), data(3, 5))
layer("layerNormalization", dict(axis=[1, 2], epsilon=0.01), L.LayerNormalization(axis=[1, 2], epsilon=0.01), data(2, 3, 4, 2))
layer("embedding", dict(inputDim=5, outputDim=3), L.Embedding(5, 3), np.array([[0, 4], [2, 2]], dtype="int32"))
layer("softmax", dict(axis=1), L.Softmax(axis=1), data(2, 3, 4))
layer("reLU", dict(maxValue=1.5, negativeSlope=0.1, threshold=0.5), L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.5), data(3, 4))
layer("leakyReLU", dict(negativeSlope=0.1), L.LeakyReLU(negative_slope=0.1), data(3, 4))
layer("elu", dict(alpha=0.5), L.ELU(alpha=0.5), data(3, 4))
for units, config in [(3, {}), (2, dict(returnSequences=True)), (2, dict(activation="relu", recurrentActivation="hardSigmoid", goBackwards=True))]:
    snake = {"returnSequences": "return_sequences", "recurrentActivation": "recurrent_activation", "goBackwards": "go_backwards", "activation": "activation"}
    fixed = {snake[k]: ("hard_sigmoid" if v == "hardSigmoid" else v) for k, v in config.items()}
    layer("lstm", dict(units=units, **config), L.LSTM(units, **fixed), data(2, 4, 3))
for name in ["relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "log_sigmoid", "hard_sigmoid", "silu", "hard_silu", "gelu", "tanh", "softplus", "softsign", "mish", "exponential", "softmax", "log_softmax", "linear"]:
    layer("activation", dict(activation=name), L.Activation(name), data(2, 6, low=-7, high=7))
out["layers"] = layers

# --- losses
losses = []


def loss(name, config, made, t, p, weight=None):
    y = made(t, p) if weight is None else made(t, p, sample_weight=weight)
    losses.append(dict(name=name, config=config, t=values(t), p=values(p), weight=None if weight is None else values(weight), y=values(y)))


K = keras.losses
t, p, w = data(4, 3), data(4, 3), data(4, low=0, high=2)
for name, cls in [("meanSquaredError", K.MeanSquaredError), ("meanAbsoluteError", K.MeanAbsoluteError), ("meanAbsolutePercentageError", K.MeanAbsolutePercentageError), ("huber", K.Huber)]:
    loss(name, {}, cls(), t, p)
    loss(name, {}, cls(), t, p, w)
    loss(name, dict(reduction="sum"), cls(reduction="sum"), t, p)
    loss(name, dict(reduction="none"), cls(reduction="none"), t, p)
loss("huber", dict(delta=0.3), K.Huber(delta=0.3), t, p)
loss("meanSquaredError", {}, K.MeanSquaredError(), data(4), data(4, 1), w)
signs = np.sign(data(4, 3))
loss("hinge", {}, K.Hinge(), signs, p)
bits = (data(4, 3) > 0).astype("float32")
loss("hinge", {}, K.Hinge(), bits, p)
shares = data(4, 3, low=0.01, high=0.99)
loss("binaryCrossentropy", {}, K.BinaryCrossentropy(), bits, shares)
loss("binaryCrossentropy", dict(labelSmoothing=0.2), K.BinaryCrossentropy(label_smoothing=0.2), bits, shares, w)
loss("binaryCrossentropy", dict(fromLogits=True), K.BinaryCrossentropy(from_logits=True), bits, p * 10)
loss("binaryCrossentropy", {}, K.BinaryCrossentropy(), bits, bits)
hot = np.eye(3, dtype="float32")[[0, 2, 1, 1]]
numbers = np.array([0, 2, 1, 1], dtype="int32")
loss("categoricalCrossentropy", {}, K.CategoricalCrossentropy(), hot, shares)
loss("categoricalCrossentropy", dict(fromLogits=True, labelSmoothing=0.1), K.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), hot, p, w)
loss("sparseCategoricalCrossentropy", {}, K.SparseCategoricalCrossentropy(), numbers, shares)
loss("sparseCategoricalCrossentropy", {}, K.SparseCategoricalCrossentropy(), numbers, hot[::-1].copy())
loss("sparseCategoricalCrossentropy", dict(fromLogits=True), K.SparseCategoricalCrossentropy(from_logits=True), numbers[:, None], p * 30, w)
out["losses"] = losses

# --- optimizers: five steps on the gradients given
optimizers = []


def optimizer(name, config, made):
    start, grads = [data(3), data(2, 2)], [[data(3), data(2, 2)] for _ in range(5)]
    variables = [keras.Variable(v) for v in start]
    made.build(variables)
    for g in grads:
        made.apply([keras.ops.convert_to_tensor(x) for x in g], variables)
    optimizers.append(
        dict(name=name, config=config, start=[values(v) for v in start], grads=[[values(x) for x in g] for g in grads], end=[values(v) for v in variables], state=[values(v) for v in made.variables])
    )


O = keras.optimizers
optimizer("sgd", {}, O.SGD())
optimizer("sgd", dict(learningRate=0.1, momentum=0.9), O.SGD(0.1, momentum=0.9))
optimizer("sgd", dict(learningRate=0.1, momentum=0.9, nesterov=True), O.SGD(0.1, momentum=0.9, nesterov=True))
optimizer("sgd", dict(learningRate=0.1, weightDecay=0.05), O.SGD(0.1, weight_decay=0.05))
optimizer("sgd", dict(learningRate=0.1, clipnorm=0.5), O.SGD(0.1, clipnorm=0.5))
optimizer("sgd", dict(learningRate=0.1, clipvalue=0.5), O.SGD(0.1, clipvalue=0.5))
optimizer("sgd", dict(learningRate=0.1, globalClipnorm=0.5), O.SGD(0.1, global_clipnorm=0.5))
optimizer("adam", {}, O.Adam())
optimizer("adam", dict(learningRate=0.1, beta1=0.8, beta2=0.95, epsilon=0.01, amsgrad=True), O.Adam(0.1, 0.8, 0.95, 0.01, amsgrad=True))
optimizer("adamW", dict(learningRate=0.1), O.AdamW(0.1))
optimizer("rmsprop", {}, O.RMSprop())
optimizer("rmsprop", dict(learningRate=0.1, rho=0.8, momentum=0.5, centered=True), O.RMSprop(0.1, 0.8, momentum=0.5, centered=True))
out["optimizers"] = optimizers

# --- metrics
metrics = []
M = keras.metrics
for name, made, tt, pp, ww in [
    ("binaryAccuracy", M.BinaryAccuracy(), bits, shares, w),
    ("categoricalAccuracy", M.CategoricalAccuracy(), hot, shares, w),
    ("sparseCategoricalAccuracy", M.SparseCategoricalAccuracy(), numbers, shares, w),
    ("meanSquaredError", M.MeanSquaredError(), t, p, w),
    ("meanAbsoluteError", M.MeanAbsoluteError(), t, p, None),
]:
    made.update_state(tt[:2], pp[:2], sample_weight=None if ww is None else ww[:2])
    made.update_state(tt[2:], pp[2:], sample_weight=None if ww is None else ww[2:])
    metrics.append(dict(name=name, t=values(tt), p=values(pp), weight=None if ww is None else values(ww), y=values(made.result())))
out["metrics"] = metrics

# --- training: a small network from given weights, three epochs over 7 samples in batches of 3, not shuffled
model = keras.Sequential([keras.Input((4,)), L.Dense(5, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01)), L.BatchNormalization(), L.Dense(3, activation="softmax")])
start = [data(*v.shape, low=-0.7, high=0.7) if "moving" not in v.path else values(v) for v in model.weights]
model.set_weights([np.asarray(v, dtype="float32") for v in start])
x, y = data(7, 4), rng.integers(0, 3, 7).astype("int32")
vx, vy = data(4, 4), rng.integers(0, 3, 4).astype("int32")
model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, batch_size=3, epochs=3, shuffle=False, validation_data=(vx, vy), verbose=0)
out["training"] = dict(
    start=[values(v) for v in start], x=values(x), y=values(y), vx=values(vx), vy=values(vy), history=history.history, end=[values(v) for v in model.weights],
    evaluate=model.evaluate(vx, vy, verbose=0, return_dict=True), predict=values(model.predict(vx, verbose=0)),
)


def short(v):
    if isinstance(v, float):
        return float(f"{v:.8g}")
    if isinstance(v, list):
        return [short(x) for x in v]
    if isinstance(v, dict):
        return {k: short(x) for k, x in v.items()}
    return v


print(json.dumps(short(out), separators=(",", ":")))
