"""A peer of a case as a process: the Python side of bench/lib/serve.mjs, the same lines in and out.

    python peer_torch.py --list               {case: {system: [task, …]}}
    python peer_torch.py CASE [SYSTEM]        measures, and prints JSON lines
    python peer_torch.py CASE SYSTEM --serve  stays, and measures a round of a task for each line on stdin

THREADS=1|2 sets the threads, before any library is imported. $REFS has the model files.
"""
import gc
import json
import os
import statistics
import sys
import time
import warnings

THREADS = int(os.environ.get("THREADS", "2"))
REFS = os.environ.get("REFS", "refs")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "3")
# One process compiles: workers that wait for more would stay beside the measurement.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(THREADS)
warnings.filterwarnings("ignore")


def five(x):
    return float(f"{x:.5g}")


def line_of(what, system, wall, cpu, extra=None):
    """A line as bench/lib/measure.mjs writes it; `what` has name, unit, rate and low."""
    pick = (lambda xs: five(min(xs))) if what["low"] else (lambda xs: five(max(xs)))
    rates = [what["rate"](s) for s in wall]
    line = dict(case=what["name"], system=system, threads=THREADS, unit=what["unit"])
    line |= dict(best=pick(rates), median=five(statistics.median(rates)), runs=len(wall))
    if THREADS == 1:
        cpu_rates = [what["rate"](max(s, 1e-12)) for s in cpu]
        line |= dict(best_cpu=pick(cpu_rates), median_cpu=five(statistics.median(cpu_rates)))
    return line | (extra or {})


class Timed:
    """Samples of at least `sample` seconds of calls of `run`, for `budget` seconds a round."""

    def __init__(self, name, unit, rate, run, low=False, sample=0.01, warm_ups=3):
        self.what = dict(name=name, unit=unit, rate=rate, low=low)
        self.run, self.sample, self.warm_ups, self.calls = run, sample, warm_ups, 0

    def calibrate(self):
        self.calls = 1
        while True:
            start = time.perf_counter()
            for _ in range(self.calls):
                self.run()
            seconds = time.perf_counter() - start
            if seconds >= self.sample:
                break
            self.calls *= 2
        self.calls = max(1, round(self.calls * self.sample / seconds))

    def measure(self, system, budget):
        if self.calls == 0:
            for _ in range(self.warm_ups):
                self.run()
            self.calibrate()
            if self.calls > 1:
                self.calibrate()
        run, calls, wall, cpu = self.run, self.calls, [], []
        gc.disable()
        end = time.perf_counter() + budget
        while time.perf_counter() < end or not wall:
            start, cpu_start = time.perf_counter(), time.process_time()
            for _ in range(calls):
                run()
            wall.append((time.perf_counter() - start) / calls)
            cpu.append((time.process_time() - cpu_start) / calls)
        gc.enable()
        return line_of(self.what, system, wall, cpu)


class Once:
    """What happens once a process."""

    def __init__(self, name, unit, run):
        self.what, self.run = dict(name=name, unit=unit, rate=lambda s: s, low=True), run

    def measure(self, system, budget):
        start, cpu_start = time.perf_counter(), time.process_time()
        self.run()
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu_start
        return line_of(self.what, system, [wall], [cpu])


class Lengths:
    """One step of each batch size from 1 to 512 by a net of its own; the slowest and the median stand on the line, ms."""

    def __init__(self, make_step, features=64, longest=512):
        self.make_step, self.features, self.longest = make_step, features, longest

    def measure(self, system, budget):
        step = self.make_step(self.features, self.longest + 8)

        def time_of(length):
            start = time.perf_counter()
            step(length)
            return (time.perf_counter() - start) * 1e3

        for more in range(1, 9):
            time_of(self.longest + more)
        cpu = time.process_time()
        times = [time_of(length) for length in range(1, self.longest + 1)]
        cpu = time.process_time() - cpu
        slowest = max(times)
        extra = dict(slowest_ms=float(f"{slowest:.4g}"), slowest_length=times.index(slowest) + 1)
        extra["median_ms"] = float(f"{sorted(times)[self.longest // 2]:.4g}")
        what = dict(name="eager.lengths 1 to 512", unit="s", rate=lambda s: s, low=True)
        return line_of(what, system, [sum(times) / 1e3], [cpu], extra)


def resident(field):
    """MB; None where there is no /proc."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field + ":"))
    except OSError:
        return None


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
    except OSError:
        pass


def serve(load, cases):
    """cases: {case: {system: {task: (library) → object with measure}}}; `load` imports the library."""
    if "--list" in sys.argv:
        print(json.dumps({c: {s: list(tasks) for s, tasks in systems.items()} for c, systems in cases.items()}))
        return
    case, *names = [a for a in sys.argv[1:] if not a.startswith("--")]
    systems = cases[case]
    library = load()
    imported = resident("VmRSS")
    reset_peak()
    ready = {}

    def measure(system, task, budget):
        try:
            if (system, task) not in ready:
                ready[system, task] = systems[system][task](library)
            return ready[system, task].measure(system, budget)
        except Exception as error:  # the harness shows it and goes on with the other systems
            return dict(task=task, system=system, error=f"{type(error).__name__}: {error}".split("\n")[0][:300])

    def show(line):
        print(json.dumps(line), flush=True)

    if "--serve" not in sys.argv:
        for system in names or systems:
            for task in systems[system]:
                show(measure(system, task, 3))
        return
    for line in sys.stdin:
        asked = json.loads(line)
        if asked.get("memory"):
            show(dict(memory={"import": imported, "peak": resident("VmHWM")}))
        else:
            show(measure(names[0], asked["task"], asked.get("budget", 0.6)))
