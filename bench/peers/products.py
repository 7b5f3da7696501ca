"""Case b for every peer: the sizes of the products."""
from serve import Timed

SIZES = {"64": (64, 64, 64), "256": (256, 256, 256), "1024": (1024,) * 3, "2048": (2048,) * 3, "skinny": (1, 4096, 4096)}


def products(make):
    """`make(library, x, y)` turns two NumPy matrices into a function that multiplies them and waits."""

    def task(size, m, k, n):
        def setup(library):
            import numpy as np

            x, y = np.random.randn(m, k).astype("f4"), np.random.randn(k, n).astype("f4")
            return Timed(f"b.sgemm {size}", "GFLOP/s", lambda s: 2 * m * k * n / s / 1e9, make(library, x, y))

        return setup

    return {f"b.{size}": task(size, *shape) for size, shape in SIZES.items()}
