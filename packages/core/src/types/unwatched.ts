// While a function is watched for what it calls (runtime/purity.ts), functions of the platform have stand-ins that take
// note. What the engine itself calls meanwhile goes past them.

// boundary: a function of any signature
type Callable = (...args: never[]) => unknown;

const originals = new WeakMap<Callable, Callable>();

/** Says that `standIn` takes note of calls to `original`. */
export function standsFor(standIn: Callable, original: Callable): void {
  originals.set(standIn, original);
}

/** The function itself, where what is found in its place may be a stand-in. */
export function unwatched<F extends Callable>(found: F): F {
  let f: Callable = found;
  for (let original = originals.get(f); original; original = originals.get(f)) f = original;
  // boundary: a stand-in has the signature of what it stands for
  return f as F;
}
