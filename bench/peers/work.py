"""What cases c, d, e, f, i and eager compute, the same for every peer: data, sizes, and how a line is made of it."""
from serve import Once, Timed

ELEMENTS = 10_000_000


def gelu_task(kind, run):
    return Timed(f"c.gelu(a*b+c) 1e7 {kind}", "ms", lambda s: s * 1e3, run, low=True)


def gelu_data():
    import numpy as np

    return [np.random.randn(ELEMENTS).astype("f4") for _ in range(3)]


class Training:
    """An epoch of `steps` batches is one call."""

    def __init__(self, name, batch, steps, shape):
        self.name, self.batch, self.steps, self.shape = name, batch, steps, shape

    def batches(self):
        """(x, y) in NumPy, labels from 0 to 9"""
        import numpy as np

        for _ in range(self.steps):
            yield np.random.rand(self.batch, *self.shape).astype("f4"), np.random.randint(0, 10, self.batch)

    def task(self, epoch):
        return Timed(self.name, "steps/s", lambda s: self.steps / s, epoch, warm_ups=1)


TRAININGS = {
    "d": Training("d.mlp train b128", 128, 50, (784,)),
    "e": Training("e.cnn train b64", 64, 12, (28, 28, 1)),
    "i": Training("i.lstm128 train s64 b64", 64, 10, (64, 64)),
    "eager": Training("eager.mlp train b128", 128, 50, (784,)),
}

# The GPT of cases f and k.
LAYERS, WIDTH, HEADS, LENGTH, BATCH, VOCABULARY = 4, 128, 4, 128, 16, 256


def tokens():
    """tokens and their successors [batch, length]"""
    import numpy as np

    x = np.random.RandomState(0).randint(0, VOCABULARY, (BATCH, LENGTH))
    return x, np.roll(x, -1, 1)


def gpt_tasks(case, make_step):
    """`make_step(library)` gives a step that returns when its loss is known."""
    if case == "k":
        return {"k": lambda library: Once("k.gpt first call", "s", make_step(library))}

    def steady(library):
        rate = lambda s: BATCH * LENGTH / s  # noqa: E731
        return Timed("f.gpt4x128 train b16 s128", "tokens/s", rate, make_step(library), warm_ups=2)

    return {"f": steady}


def picture():
    import numpy as np

    return np.random.RandomState(0).uniform(-1, 1, (1, 224, 224, 3)).astype("f4")


def picture_task(run):
    return Timed("g.mobilenetv2 b1", "ms", lambda s: s * 1e3, run, low=True)
