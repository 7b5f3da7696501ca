"""Writes rows.json: an embedding trained by Keras's optimizers on gradients that are rows. Run with Keras on TensorFlow."""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf

SIZE, WIDTH = 6, 3
O = keras.optimizers
OPTIMIZERS = [
    ("sgd", dict(learningRate=0.1), lambda: O.SGD(0.1)),
    ("sgd", dict(learningRate=0.1, weightDecay=0.05), lambda: O.SGD(0.1, weight_decay=0.05)),
    ("sgd", dict(learningRate=0.1, momentum=0.9), lambda: O.SGD(0.1, momentum=0.9)),
    ("sgd", dict(learningRate=0.1, momentum=0.9, nesterov=True), lambda: O.SGD(0.1, momentum=0.9, nesterov=True)),
    ("adam", dict(learningRate=0.1), lambda: O.Adam(0.1)),
    ("adam", dict(learningRate=0.1, amsgrad=True), lambda: O.Adam(0.1, amsgrad=True)),
    ("adamW", dict(learningRate=0.1, weightDecay=0.01), lambda: O.AdamW(0.1, weight_decay=0.01)),
    ("rmsprop", dict(learningRate=0.1), lambda: O.RMSprop(0.1)),
    ("rmsprop", dict(learningRate=0.1, momentum=0.5, centered=True), lambda: O.RMSprop(0.1, momentum=0.5, centered=True)),
]
# Where a row stands twice in a step, Keras squares its parts one by one; there its answer to the whole gradient is right.
STEPS = {"once": [[1, 4, 2], [0, 5, 1], [4, 2, 3]], "twice": [[1, 4, 1], [0, 1, 1], [4, 2, 4]]}
start = (np.arange(SIZE * WIDTH).reshape(SIZE, WIDTH) / 10 - 0.5).astype("float32")
weights = (np.arange(3 * WIDTH).reshape(3, WIDTH) / 7 - 0.4).astype("float32")


def train(make, steps, whole):
    table, optimizer = keras.Variable(start.copy()), make()
    for rows in steps:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(tf.gather(table.value, rows)) * weights)
        gradient = tape.gradient(loss, table.value)
        assert isinstance(gradient, tf.IndexedSlices)
        optimizer.apply([tf.convert_to_tensor(gradient) if whole else gradient], [table])
    return [round(float(x), 7) for x in table.numpy().ravel()]


cases = [
    dict(name=name, config=config, steps=steps, table=train(make, steps, which == "twice"))
    for name, config, make in OPTIMIZERS
    for which, steps in STEPS.items()
]
found = dict(keras=keras.__version__, tensorflow=tf.__version__, start=start.tolist(), weights=weights.tolist(), cases=cases)
pathlib.Path(__file__).with_name("rows.json").write_text(json.dumps(found) + "\n")
