"""Writes recurrent.json with Keras 3.15.1: python recurrent.py > recurrent.json

Results of recurrent layers and, of the sum of their squares, the gradients by x and by all weights.
"""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(11)
L = keras.layers
cases = []


def values(x):
    return np.asarray(x, dtype="float64").tolist()


def case(name, made, features=3, time=4, mask=None, states=()):
    x = tf.Variable(rng.uniform(-1, 1, (2, time, features)).astype("float32"))
    start = [tf.constant(rng.uniform(-1, 1, (2, n)).astype("float32")) for n in states]
    options = {} if mask is None else {"mask": tf.constant(mask)}
    if start:
        options["initial_state"] = start
    made(x, **options)
    for weight in made.weights:
        weight.assign(rng.uniform(-0.8, 0.8, weight.shape).astype("float32"))
    with tf.GradientTape() as tape:
        ys = tf.nest.flatten(made(x, **options))
        loss = sum(tf.reduce_sum(y * y) for y in ys)
    variables = [x] + [w.value for w in made.trainable_weights]
    grads = [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]
    out = dict(name=name, x=values(x), states=[values(s) for s in start], mask=mask)
    out |= dict(weights=[values(w) for w in made.weights], ys=[values(y) for y in ys], grads=[values(g) for g in grads])
    cases.append(out)


right = [[True, True, False, False], [True, True, True, True]]
holes = [[False, True, False, True], [False, False, False, False]]
for after in [True, False]:
    kind = "gru" if after else "gru resetFirst"
    case(kind, L.GRU(3, reset_after=after))
    case(f"{kind} sequences", L.GRU(3, reset_after=after, return_sequences=True, return_state=True))
    case(f"{kind} backwards", L.GRU(3, reset_after=after, return_sequences=True, go_backwards=True))
    case(f"{kind} no bias", L.GRU(2, reset_after=after, use_bias=False, return_state=True))
    case(f"{kind} states", L.GRU(3, reset_after=after, return_sequences=True), states=[3])
    case(f"{kind} mask", L.GRU(3, reset_after=after, return_sequences=True), mask=right)
    case(f"{kind} mask holes", L.GRU(3, reset_after=after, return_sequences=True, go_backwards=True), mask=holes)
    case(f"{kind} relu", L.GRU(3, reset_after=after, activation="relu", return_sequences=True), mask=holes)
case("lstm states", L.LSTM(3, return_sequences=True, return_state=True), states=[3, 3])
case("lstm mask", L.LSTM(3, return_sequences=True), mask=right)
case("lstm mask last", L.LSTM(3, return_state=True), mask=holes)
case("lstm mask backwards", L.LSTM(3, return_sequences=True, go_backwards=True), mask=holes)
case("lstm relu mask", L.LSTM(3, activation="relu", return_state=True), mask=holes)
case("simpleRNN", L.SimpleRNN(3, return_sequences=True, return_state=True))
case("simpleRNN backwards mask", L.SimpleRNN(3, return_sequences=True, go_backwards=True), mask=holes)
case("rnn stacked", L.RNN([L.GRUCell(3), L.LSTMCell(2)], return_sequences=True, return_state=True))
for mode in ["concat", "sum", "ave", "mul", None]:
    case(f"bidirectional {mode}", L.Bidirectional(L.LSTM(2, return_sequences=True), merge_mode=mode))
case("bidirectional last", L.Bidirectional(L.GRU(2, return_state=True)))
case("bidirectional mask", L.Bidirectional(L.LSTM(2, return_sequences=True)), mask=right)
case("bidirectional backward", L.Bidirectional(L.LSTM(2), backward_layer=L.GRU(3, go_backwards=True)))
case("timeDistributed", L.TimeDistributed(L.Dense(2, activation="tanh")))

# A model in which the mask goes from the embedding to the loss.
model = keras.Sequential(
    [
        keras.Input((5,), dtype="int32"),
        L.Embedding(6, 3, mask_zero=True),
        L.Dropout(0.5),
        L.Bidirectional(L.GRU(2, return_sequences=True)),
        L.LSTM(3, return_sequences=True),
        L.TimeDistributed(L.Dense(2)),
    ]
)
tokens = np.array([[1, 2, 0, 0, 0], [3, 0, 4, 5, 0], [1, 2, 3, 4, 5]], dtype="int32")
for weight in model.weights:
    weight.assign(rng.uniform(-0.8, 0.8, weight.shape).astype("float32"))
labels = rng.uniform(-1, 1, (3, 5, 2)).astype("float32")
model.compile("sgd", "mse")
before = [values(w) for w in model.weights]
out = dict(tokens=values(tokens), labels=values(labels), weights=before, ys=values(model(tokens)))
out["loss"] = float(model.evaluate(tokens, labels, verbose=0))

steps = keras.Sequential([keras.Input((4, 3)), L.Masking(0.5), L.SimpleRNN(2)])
x = rng.uniform(-1, 1, (2, 4, 3)).astype("float32")
x[0, 2:] = 0.5
x[1, 0] = 0.5
masking = dict(x=values(x), weights=[values(w) for w in steps.weights], ys=values(steps(x)))


def short(v):
    if isinstance(v, bool):
        return v
    if isinstance(v, float):
        return float(f"{v:.8g}")
    if isinstance(v, list):
        return [short(x) for x in v]
    if isinstance(v, dict):
        return {k: short(x) for k, x in v.items()}
    return v


print(json.dumps(short(dict(keras=keras.__version__, cases=cases, model=out, masking=masking)), separators=(",", ":")))
