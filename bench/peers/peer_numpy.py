"""NumPy: cases a and b."""
from products import products
from serve import Timed, serve


def load():
    import numpy

    return numpy


def add(np):
    a, b = np.ones(8, "f4"), np.ones(8, "f4")
    return Timed("a.dispatch add[8]", "ns/op", lambda s: s * 1e9, lambda: np.add(a, b), low=True)


serve(
    load,
    {
        "a": {"numpy": {"a": add}},
        "b": {"numpy": products(lambda np, x, y: lambda: x @ y)},
    },
)
