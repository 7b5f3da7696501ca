// Changes of artifacts that nobody would make: single bytes, and JSON of another shape.

type Files = ReadonlyMap<string, Uint8Array>;
type Random = () => number;
type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

/** An artifact with one to three changes. */
export function mutate(files: Files, random: Random): Map<string, Uint8Array> {
  const made = new Map(files);
  for (let n = Math.floor(random() * 3); n >= 0; n--) {
    const name = random() < 0.85 ? "artifact.json" : "weights.safetensors";
    const bytes = made.get(name)!;
    const isJson = random() < 0.8;
    made.set(name, isJson ? (mutateJson(name, bytes, random) ?? bytes) : mutateBytes(bytes, random));
  }
  return made;
}

function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  // The beginning of a file of weights is its header.
  const at = Math.floor(random() * Math.min(bytes.length, random() < 0.5 ? 512 : bytes.length));
  const copy = bytes.slice();
  const kind = random();
  if (kind < 0.5) copy[at] = copy[at]! ^ (1 << Math.floor(random() * 8));
  else if (kind < 0.7) copy[at] = Math.floor(random() * 256);
  else if (kind < 0.85) return copy.slice(0, at);
  else return Uint8Array.from([...copy.slice(0, at), ...copy.slice(at + Math.floor(random() * 9))]);
  return copy;
}

function mutateJson(name: string, bytes: Uint8Array, random: Random): Uint8Array | undefined {
  const isWeights = name !== "artifact.json";
  if (isWeights && bytes.length < 8) return undefined;
  const length = isWeights ? Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)) : bytes.length;
  if (length + 8 > bytes.length + (isWeights ? 0 : 8)) return undefined;
  const [from, to] = isWeights ? [8, 8 + length] : [0, bytes.length];
  let json: Json;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes.subarray(from, to)));
  } catch {
    return undefined;
  }
  const places = placesOf(json);
  if (places.length === 0) return undefined;
  change(pick(random, places), places, random);
  const text = new TextEncoder().encode(JSON.stringify(json));
  if (!isWeights) return text;
  const made = new Uint8Array(8 + text.length + bytes.length - to);
  new DataView(made.buffer).setBigUint64(0, BigInt(text.length), true);
  made.set(text, 8);
  made.set(bytes.subarray(to), 8 + text.length);
  return made;
}

/** A value, by the object or list that holds it. */
interface Place {
  readonly holder: Json[] | { [name: string]: Json };
  readonly key: string | number;
}

function placesOf(json: Json, into: Place[] = []): Place[] {
  if (typeof json !== "object" || json === null) return into;
  const keys = Array.isArray(json) ? json.keys() : Object.keys(json);
  for (const key of keys) {
    into.push({ holder: json, key });
    placesOf(valueAt({ holder: json, key }), into);
  }
  return into;
}

// boundary: the key is one of the holder's
const valueAt = ({ holder, key }: Place): Json => (holder as Record<string | number, Json>)[key]!;
const put = ({ holder, key }: Place, value: Json): void => {
  (holder as Record<string | number, Json>)[key] = value;
};

const numbers = [0, 1, -1, 2, 3, 7, 0.5, 1e9, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 31), 1e300];
const strings = [
  ..."float32 float64 int32 int64 bool uint8 batch batch*batch 2*batch floorDiv(batch,2) max(batch,3)".split(" "),
  ..."add cond whileLoop call constant dimension dotGeneral reshape softmax gather convGeneral".split(" "),
  ..."serving_default x NaN Infinity -0 __proto__ constructor toString ".split(" "),
];

function change(place: Place, places: readonly Place[], random: Random): void {
  const value = valueAt(place);
  const { holder, key } = place;
  const kind = random();
  if (kind < 0.35) put(place, near(value, random));
  else if (kind < 0.55) put(place, structuredClone(valueAt(pick(random, places))));
  else if (kind < 0.65)
    put(place, pick<Json>(random, [null, true, false, [], {}, pick(random, numbers), pick(random, strings)]));
  else if (kind < 0.8 && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (kind < 0.9 && Array.isArray(holder)) holder.splice(Number(key), 0, structuredClone(value));
  else if (!Array.isArray(holder)) {
    delete holder[key];
    if (kind > 0.9) holder[pick(random, strings)] = value;
  }
}

/** Another value of the same kind. */
function near(value: Json, random: Random): Json {
  if (typeof value === "number") return random() < 0.5 ? value + pick(random, [1, -1, 2]) : pick(random, numbers);
  if (typeof value === "string") return pick(random, strings);
  if (typeof value === "boolean") return !value;
  if (Array.isArray(value)) return random() < 0.5 ? value.toReversed() : [...value, ...value];
  return value;
}
