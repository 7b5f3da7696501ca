"""Writes expected.json with TensorFlow 2.21: python make.py > expected.json (the Python that `npm run references` installs)

Of each function of tensors: the sum of its result with fixed weights, the gradient of that sum, and the gradient of the
gradient's sum with fixed weights, all in float64. gradients.test.ts has the same functions by the same names.
"""

import json
import math
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

out = {}


def data(shape, seed):
    n = math.prod(shape)
    return tf.constant(np.sin(np.arange(n) * 12.9898 + seed * 78.233).reshape(shape), tf.float64)


def rounded(x):
    return [float(f"{v:.8g}") for v in np.asarray(x).ravel()]


def case(name, shapes, f):
    xs = [data(shape, i + 1) for i, shape in enumerate(shapes)]
    with tf.GradientTape() as outer:
        outer.watch(xs)
        with tf.GradientTape() as inner:
            inner.watch(xs)
            y = f(*xs)
            value = tf.reduce_sum(y * data(y.shape.as_list(), 91))
        gradient = [tf.convert_to_tensor(g) for g in inner.gradient(value, xs)]
        along = tf.add_n([tf.reduce_sum(g * data(g.shape.as_list(), 92 + i)) for i, g in enumerate(gradient)])
    second = outer.gradient(along, xs, unconnected_gradients="zero")
    out[name] = dict(
        shapes=shapes,
        value=rounded(value)[0],
        gradient=[rounded(g) for g in gradient],
        second=[rounded(tf.convert_to_tensor(g)) for g in second],
    )


nn = tf.nn
LABELS = tf.constant([1, 0, 3, 2])


def attention(q, k, v, causal=False):
    scores = tf.matmul(q, k, transpose_b=True) / math.sqrt(q.shape[-1])
    if causal:
        m, n = scores.shape[-2:]
        scores = tf.where(np.tril(np.ones((m, n), bool)), scores, tf.constant(-np.inf, tf.float64))
    return tf.matmul(nn.softmax(scores), v)


def heads(x, count):
    b, t, d = x.shape
    return tf.transpose(tf.reshape(x, [b, t, count, d // count]), [0, 2, 1, 3])


def multi_head(x, wq, wk, wv, wo):
    y = attention(*[heads(tf.matmul(x, w), 2) for w in (wq, wk, wv)])
    return tf.matmul(tf.reshape(tf.transpose(y, [0, 2, 1, 3]), x.shape), wo)


def moments(x, axes, keepdims=False):
    """nn.moments stops the gradient of the mean within the variance: second derivatives through it lack a term."""
    mean = tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean((x - mean) ** 2, axes, keepdims=keepdims)
    return mean if keepdims else tf.squeeze(mean, axes), variance


def normalised(x, axes, gamma, beta, epsilon):
    mean, variance = moments(x, axes, keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + epsilon) * gamma + beta


def lstm(x, kernel, recurrent, bias):
    h = c = tf.zeros([x.shape[0], recurrent.shape[0]], tf.float64)
    for t in range(x.shape[1]):
        i, f, g, o = tf.split(tf.matmul(x[:, t], kernel) + tf.matmul(h, recurrent) + bias, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
    return h


def gru(x, h, w, u):
    z, r, n = tf.split(tf.matmul(x, w), 3, axis=1)
    uz, ur, un = tf.split(tf.matmul(h, u), 3, axis=1)
    z, r = tf.sigmoid(z + uz), tf.sigmoid(r + ur)
    return (1 - z) * tf.tanh(n + r * un) + z * h


def rnn(x, w, u):
    h = tf.zeros([x.shape[1], u.shape[0]], tf.float64)
    for t in range(x.shape[0]):
        h = tf.tanh(tf.matmul(x[t], w) + tf.matmul(h, u))
    return h


def rnn_rows(x, w, u):
    h = tf.zeros([x.shape[1], u.shape[0]], tf.float64)
    rows = []
    for t in reversed(range(x.shape[0])):
        h = tf.tanh(tf.matmul(x[t], w) + tf.matmul(h, u))
        rows.append(h)
    return tf.stack(rows[::-1])


def newton(x):
    y = x
    while tf.reduce_max(tf.abs(y * y - (x * x + 1))) > 0.01:
        y = (y + (x * x + 1) / y) / 2
    return y


def residual(x, w1, w2, gamma, beta):
    y = nn.conv2d(x, w1, 1, "SAME")
    y = nn.relu(normalised(y, [0, 1, 2], gamma, beta, 1e-3))
    return nn.relu(x + nn.conv2d(y, w2, 1, "SAME"))


def squeeze_excite(x, w1, w2):
    s = tf.reduce_mean(x, [1, 2])
    s = tf.sigmoid(tf.matmul(nn.silu(tf.matmul(s, w1)), w2))
    return x * s[:, None, None, :]


def geometry(padding):
    return {"same": "SAME", "valid": "VALID"}.get(padding) or [[0, 0], [padding, padding], [padding, padding], [0, 0]]


def dilated(x, w, padding):
    """TensorFlow has no gradient of a dilated convolution on the CPU: the filter is spread out."""
    h, k, i, o = w.shape
    wide = tf.reshape(tf.pad(w[:, None, :, None], [[0, 0], [0, 1], [0, 0], [0, 1], [0, 0], [0, 0]]), [2 * h, 2 * k, i, o])
    y = nn.conv2d(x, wide[:-1, :-1], 1, padding)
    np.testing.assert_allclose(y, nn.conv2d(x, w, 1, padding, dilations=2), atol=1e-12)
    return y


case("matMul of transposes", [[3, 2], [4, 3]], lambda a, b: tf.matmul(a, b, transpose_a=True, transpose_b=True))
case("matMul with broadcast batches", [[2, 1, 3, 4], [3, 4, 2]], lambda a, b: tf.matmul(a, b))
case("einsum", [[2, 3, 4], [2, 4, 5]], lambda a, b: tf.einsum("bij,bjk->bki", a, b))
case("outer product", [[4], [3]], lambda a, b: tf.einsum("i,j->ij", tf.tanh(a), b))
case("two dense layers", [[3, 4], [4, 5], [5], [5, 2]], lambda x, w, b, v: tf.matmul(nn.gelu(tf.matmul(x, w) + b), v))
case("gelu, approximately", [[3, 5]], lambda x: nn.gelu(3 * x, approximate=True))
case("softmax cross entropy", [[4, 5]], lambda x: nn.sparse_softmax_cross_entropy_with_logits(LABELS, 3 * x))
case("sigmoid cross entropy", [[4, 3], [4, 3]], lambda x, y: nn.sigmoid_cross_entropy_with_logits(tf.sigmoid(y), 4 * x))
case("Kullback-Leibler divergence", [[3, 4], [3, 4]], lambda p, q: tf.reduce_sum(nn.softmax(p) * (nn.log_softmax(p) - nn.log_softmax(q)), 1))
case("Huber loss", [[3, 4], [3, 4]], lambda x, y: tf.where(tf.abs(x - y) < 0.5, 0.5 * (x - y) ** 2, 0.5 * tf.abs(x - y) - 0.125))
case("cosine similarity", [[3, 4], [3, 4]], lambda x, y: tf.reduce_sum(nn.l2_normalize(x, 1) * nn.l2_normalize(y, 1), 1))
case("layerNorm", [[3, 6], [6], [6]], lambda x, g, b: normalised(x, [1], g, b, 1e-3))
case("batchNorm in training", [[3, 2, 2, 4], [4], [4]], lambda x, g, b: normalised(x, [0, 1, 2], g, b, 1e-3))
case("batchNorm in inference", [[3, 4], [4], [4], [4], [4]], lambda x, m, v, b, g: nn.batch_normalization(x, m, v * v + 0.5, b, g, 1e-3))
case("root mean square norm", [[3, 6], [6]], lambda x, g: x * tf.math.rsqrt(tf.reduce_mean(x * x, -1, keepdims=True) + 1e-6) * g)
case("attention", [[1, 2, 3, 4], [1, 2, 5, 4], [1, 2, 5, 3]], attention)
case("causal attention", [[1, 2, 4, 3], [1, 2, 4, 3], [1, 2, 4, 3]], lambda q, k, v: attention(q, k, v, True))
case("attention of several heads", [[2, 3, 4]] + [[4, 4]] * 4, multi_head)
case("lstm", [[2, 3, 4], [4, 12], [3, 12], [12]], lstm)
case("gated recurrent unit", [[2, 4], [2, 3], [4, 9], [3, 9]], gru)
case("recurrence by whileLoop", [[4, 2, 3], [3, 5], [5, 5]], rnn)
case("recurrence by whileLoop, bounded", [[4, 2, 3], [3, 5], [5, 5]], rnn)
case("recurrence by scan, from the end", [[4, 2, 3], [3, 5], [5, 5]], rnn_rows)
case("a loop that ends by its values", [[5]], newton)
case("foldl", [[4, 3], [3]], lambda x, s: tf.foldl(lambda a, row: tf.sin(a * row) + a, x, s))
case("foldr", [[4, 3], [3]], lambda x, s: tf.foldr(lambda a, row: tf.sin(a * row) + a, x, s))
case("mapFn", [[4, 3]], lambda x: tf.map_fn(lambda row: tf.cumsum(row) * tf.reduce_max(row), x))
case("cond", [[4], [4]], lambda x, y: tf.sin(x) * y if tf.reduce_sum(x) > 0 else tf.exp(x) + y)
case("cond, the other branch", [[4], [4]], lambda x, y: tf.sin(x) * y if tf.reduce_sum(x) <= 0 else tf.exp(x) + y)
case("switchCase", [[4], [4]], lambda x, y: x * x * y)
for padding in ("same", "valid", 1):
    for stride in (1, 2, 3):
        case(f"conv2d, {padding}, stride {stride}", [[2, 5, 6, 2], [3, 2, 2, 3]], lambda x, w: nn.conv2d(x, w, stride, geometry(padding)))
    case(f"conv2d, {padding}, dilation 2", [[1, 7, 6, 2], [3, 2, 2, 2]], lambda x, w: dilated(x, w, geometry(padding)))
for padding in ("same", "valid"):
    for stride in (1, 2):
        case(f"depthwiseConv2d, {padding}, stride {stride}", [[2, 5, 5, 3], [3, 3, 3, 2]], lambda x, w: nn.depthwise_conv2d(x, w, [1, stride, stride, 1], geometry(padding)))
        case(f"conv1d, {padding}, stride {stride}", [[2, 6, 2], [3, 2, 3]], lambda x, w: nn.conv1d(x, w, stride, geometry(padding)))
    size = {"same": 6, "valid": 7}[padding]
    case(f"conv2dTranspose, {padding}, stride 2", [[1, 3, 3, 2], [3, 3, 3, 2]], lambda x, w: nn.conv2d_transpose(x, w, [1, size, size, 3], 2, geometry(padding)))
    for stride in (1, 2, 3):
        case(f"maxPool, {padding}, stride {stride}", [[2, 5, 6, 2]], lambda x: nn.max_pool2d(x, 3, stride, geometry(padding)))
        case(f"avgPool, {padding}, stride {stride}", [[2, 5, 6, 2]], lambda x: nn.avg_pool2d(tf.sin(x), 3, stride, geometry(padding)))
case("separableConv2d", [[1, 5, 5, 2], [3, 3, 2, 2], [1, 1, 4, 3]], lambda x, d, p: nn.separable_conv2d(x, d, p, [1, 1, 1, 1], "SAME"))
case("residual block", [[2, 4, 4, 2], [3, 3, 2, 2], [3, 3, 2, 2], [2], [2]], residual)
case("squeeze and excite", [[2, 3, 3, 4], [4, 2], [2, 4]], squeeze_excite)
case("embedding", [[6, 3]], lambda e: tf.reduce_mean(tf.tanh(tf.gather(e, [[1, 4, 1], [0, 5, 5]])), 1))
case("gatherND and scatterND", [[3, 4]], lambda x: tf.scatter_nd([[2, 1], [0, 0], [2, 1]], tf.exp(tf.gather_nd(x, [[0, 1], [2, 3], [0, 1]])), [3, 2]))
case("tensorScatterUpdate", [[5, 2], [2, 2]], lambda x, u: tf.sin(tf.tensor_scatter_nd_update(x, [[3], [0]], u * u)))
case("cumsum, exclusive, from the end", [[3, 4]], lambda x: tf.exp(tf.cumsum(x, 1, exclusive=True, reverse=True)))
case("cumprod", [[3, 4]], lambda x: tf.math.cumprod(x + 2, 1))
case("product", [[3, 4]], lambda x: tf.reduce_prod(x + 1.5, 1))
case("logSumExp", [[3, 4]], lambda x: tf.reduce_logsumexp(5 * x, 0))
case("norms", [[3, 4]], lambda x: tf.stack([tf.norm(x), tf.norm(x, 1), tf.reduce_sum(tf.norm(x, axis=1))]))
case("largest and smallest", [[3, 4]], lambda x: tf.reduce_max(x, 0) * tf.reduce_min(x, 0))
case("moments", [[3, 4]], lambda x: tf.stack(moments(x, [1])))
case("activations", [[3, 4]], lambda x: tf.stack([nn.elu(x), nn.selu(x), nn.silu(x), nn.softplus(x), nn.leaky_relu(x), nn.relu6(8 * x)]))
case("powers and roots", [[3, 4], [3, 4]], lambda x, y: tf.sqrt(x * x + 1) ** y / (y * y + 2))
case("angles", [[3, 4], [3, 4]], lambda x, y: tf.sin(x) * tf.cos(y) + tf.tan(0.5 * x) + tf.atan2(x, y + 2) + tf.math.erf(x))
case("where and clip", [[3, 4], [3, 4]], lambda x, y: tf.where(x > y, tf.clip_by_value(x * x, 0.1, 0.6), tf.maximum(x, 0.5 * y)))
case("pieces put together", [[2, 3, 4]], lambda x: tf.concat([tf.tile(x[:, ::2, 1:], [1, 2, 1]), tf.reverse(tf.pad(x, [[0, 0], [0, 1], [0, 0]])[:, :, :3] ** 2, [1])], 1))
case("stopGradient", [[4]], lambda x: x * tf.stop_gradient(tf.round(3 * x)) + tf.stop_gradient(x) ** 2 * x)

print(json.dumps(dict(tensorflow=tf.__version__, cases=out), separators=(",", ":")))
