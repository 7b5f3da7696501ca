// Names that nobody gave: "dense", "dense_1", "dense_2".

const taken = new Map<string, number>();

/** `base` the first time, then `base_1`, `base_2` … */
export function uniqueName(base: string): string {
  const count = taken.get(base) ?? 0;
  taken.set(base, count + 1);
  return count === 0 ? base : uniqueName(`${base}_${count}`);
}

/** Makes automatic names start again, so that the next model is named as the first of a process. */
export function resetNames(): void {
  taken.clear();
}

/** "MaxPooling2D" is "max_pooling2d", as Keras names layers, in files too. */
export function snakeCase(name: string): string {
  return name
    .replaceAll(/\W+/g, "")
    .replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** "max_pooling2d" is "maxPooling2d": how Keras's options are called here. */
export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
