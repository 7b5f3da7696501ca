"""Writes narrow.json, what TensorFlow makes of bfloat16 and int8: python narrow.py > narrow.json (TensorFlow 2.21)."""
import json

import numpy as np
import tensorflow as tf


def bits(x):
    return [int(v) for v in np.ravel(tf.bitcast(x, tf.uint16).numpy())]


random = np.random.default_rng(1)
special = [0.0, -0.0, 1.00390625, 1.01171875, 1.004, -3.4e38, 3.389e38, 3.4e38, 1e-40, -1e-40, 4.6e-41, 4.7e-41]
special += [np.nan, np.inf, -np.inf, 65504.0, 257.0, -1.5]
floats = np.array(special + list(random.normal(size=40) * 10.0 ** random.integers(-20, 20, 40)), np.float32)
x, y = (tf.cast(random.normal(size=64), tf.bfloat16) for _ in range(2))
a, b = (tf.constant(random.integers(-128, 128, (5, 9)), tf.int8) for _ in range(2))
p, q = (tf.cast(random.normal(size=(4, 8)), tf.bfloat16) for _ in range(2))
binary = {"add": tf.add, "sub": tf.subtract, "mul": tf.multiply, "div": tf.divide, "maximum": tf.maximum}
unary = {"sqrt": lambda v: tf.sqrt(tf.abs(v)), "exp": tf.exp, "tanh": tf.tanh, "sum": tf.reduce_sum, "max": tf.reduce_max}
whole = {"add": tf.add, "sub": tf.subtract, "mul": tf.multiply, "maximum": tf.maximum, "minimum": tf.minimum}
print(
    json.dumps(
        {
            "floats": [int(v) for v in floats.view(np.uint32)],
            "cast": bits(tf.cast(floats, tf.bfloat16)),
            "x": bits(x),
            "y": bits(y),
            "binary": {name: bits(f(x, y)) for name, f in binary.items()},
            "unary": {name: bits(f(x)) for name, f in unary.items()},
            "toInt32": tf.cast(x * tf.cast(100, tf.bfloat16), tf.int32).numpy().tolist(),
            "a": a.numpy().tolist(),
            "b": b.numpy().tolist(),
            "whole": {name: f(a, b).numpy().tolist() for name, f in whole.items()},
            "neg": (-a).numpy().tolist(),
            "abs": tf.abs(a).numpy().tolist(),
            "sum": int(tf.reduce_sum(a)),
            "products": tf.matmul(a, b, transpose_b=True, output_type=tf.int32).numpy().tolist(),
            "p": bits(p),
            "q": bits(q),
            "bfloat16Products": bits(tf.matmul(p, q, transpose_b=True)),
        }
    )
)
