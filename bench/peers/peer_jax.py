"""JAX: eager, and jit."""
import work
from products import products
from serve import Timed, serve


class Jax:
    def __init__(self):
        import jax
        import jax.numpy as jnp
        import optax

        self.jax, self.jnp, self.optax = jax, jnp, optax


def add(jitted):
    def setup(lib):
        a, b = lib.jnp.ones(8), lib.jnp.ones(8)
        f = lib.jax.jit(lambda x, y: x + y) if jitted else lib.jnp.add
        return Timed("a.dispatch add[8]", "ns/op", lambda s: s * 1e9, lambda: f(a, b), low=True)

    return setup


def multiply(lib, x, y):
    a, b = lib.jnp.array(x), lib.jnp.array(y)
    return lambda: lib.jnp.matmul(a, b).block_until_ready()


def gelu(kind):
    def setup(lib):
        a, b, c = map(lib.jnp.array, work.gelu_data())
        f = lib.jax.jit(lambda a, b, c: lib.jax.nn.gelu(a * b + c, approximate=kind == "tanh"))
        return work.gelu_task(kind, lambda: f(a, b, c).block_until_ready())

    return setup


def network(lib, case):
    """Weights, and the function of weights and x."""
    import numpy as np

    jax, jnp, random = lib.jax, lib.jnp, np.random.RandomState(0)
    relu, zeros = jax.nn.relu, jnp.zeros

    def weight(*shape):
        return jnp.array(random.randn(*shape).astype("f4") * (2 / np.prod(shape[:-1])) ** 0.5)

    if case == "d":
        weights = [weight(784, 512), zeros(512), weight(512, 256), zeros(256), weight(256, 10), zeros(10)]
        return weights, lambda p, x: relu(relu(x @ p[0] + p[1]) @ p[2] + p[3]) @ p[4] + p[5]
    if case == "e":
        weights = [weight(3, 3, 1, 32), zeros(32), weight(3, 3, 32, 64), zeros(64)]
        weights += [weight(9216, 128), zeros(128), weight(128, 10), zeros(10)]

        def convolve(x, w):
            return jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))

        def forward(p, x):
            x = relu(convolve(relu(convolve(x, p[0]) + p[1]), p[2]) + p[3])
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
            return relu(x.reshape(len(x), -1) @ p[4] + p[5]) @ p[6] + p[7]

        return weights, forward
    weights = [weight(64, 512), weight(128, 512), zeros(512), weight(128, 10), zeros(10)]

    def forward(p, x):
        def step(carry, z):
            h, c = carry
            i, f, g, o = jnp.split(z + h @ p[1], 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        start = (zeros((len(x), 128)),) * 2
        (h, _), _ = jax.lax.scan(step, start, jnp.swapaxes(x @ p[0] + p[2], 0, 1))
        return h @ p[3] + p[4]

    return weights, forward


def step_of(lib, weights, forward, optimizer):
    """One jitted step that keeps weights and state; returns the loss."""
    jax, optax = lib.jax, lib.optax
    state = [weights, optimizer.init(weights)]

    def step(weights, slots, x, y):
        def loss_of(p):
            return optax.softmax_cross_entropy_with_integer_labels(forward(p, x), y).mean()

        loss, grads = jax.value_and_grad(loss_of)(weights)
        updates, slots = optimizer.update(grads, slots, weights)
        return optax.apply_updates(weights, updates), slots, loss

    jitted = jax.jit(step, donate_argnums=(0, 1))

    def run(x, y):
        state[0], state[1], loss = jitted(state[0], state[1], x, y)
        return loss

    return run


def train(case):
    def setup(lib):
        training = work.TRAININGS[case]
        step = step_of(lib, *network(lib, case), lib.optax.adam(1e-3))
        batches = [(lib.jnp.array(x), lib.jnp.array(y)) for x, y in training.batches()]

        def epoch():
            for x, y in batches:
                loss = step(x, y)
            float(loss)

        return training.task(epoch)

    return setup


def gpt_step(lib):
    import numpy as np

    jax, jnp, random = lib.jax, lib.jnp, np.random.RandomState(0)
    width, heads, length, batch = work.WIDTH, work.HEADS, work.LENGTH, work.BATCH
    zeros, ones = jnp.zeros, jnp.ones

    def weight(*shape):
        return jnp.array(random.randn(*shape).astype("f4") * 0.02)

    def block():
        norms = dict(norm1=(ones(width), zeros(width)), norm2=(ones(width), zeros(width)))
        attention = dict(qkv=(weight(width, 3 * width), zeros(3 * width)), projection=(weight(width, width), zeros(width)))
        widen, narrow = (weight(width, 4 * width), zeros(4 * width)), (weight(4 * width, width), zeros(width))
        return norms | attention | dict(widen=widen, narrow=narrow)

    weights = dict(
        tokens=weight(work.VOCABULARY, width),
        positions=weight(length, width),
        head=weight(width, work.VOCABULARY),
        norm=(ones(width), zeros(width)),
        blocks=[block() for _ in range(work.LAYERS)],
    )

    def normalize(x, p):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * p[0] + p[1]

    def dense(x, p):
        return x @ p[0] + p[1]

    mask = jnp.tril(ones((length, length), bool))

    def forward(p, x):
        h = p["tokens"][x] + p["positions"]
        for b in p["blocks"]:
            qkv = dense(normalize(h, b["norm1"]), b["qkv"]).reshape(batch, length, 3, heads, width // heads)
            q, k, v = qkv.transpose(2, 0, 3, 1, 4)
            scores = jnp.where(mask, q @ k.swapaxes(-1, -2) * (width // heads) ** -0.5, -1e30)
            attended = (jax.nn.softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(batch, length, width)
            h = h + dense(attended, b["projection"])
            h = h + dense(jax.nn.gelu(dense(normalize(h, b["norm2"]), b["widen"])), b["narrow"])
        return normalize(h, p["norm"]) @ p["head"]

    x, y = map(jnp.array, work.tokens())
    step = step_of(lib, weights, forward, lib.optax.adamw(3e-4))
    return lambda: float(step(x, y))


serve(
    Jax,
    {
        "a": {"jax eager": {"a": add(False)}, "jax jit call": {"a": add(True)}},
        "b": {"jax": products(multiply)},
        "c": {"jax jit": {f"c.{kind}": gelu(kind) for kind in ("tanh", "erf")}},
        **{case: {"jax jit": {case: train(case)}} for case in ("d", "e", "i")},
        **{case: {"jax jit": work.gpt_tasks(case, gpt_step)} for case in ("f", "k")},
    },
)
