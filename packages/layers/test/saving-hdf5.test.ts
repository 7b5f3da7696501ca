// HDF5 files of weights: what h5py and the writer here make is read; what lies or is of another kind is refused by name.
import { readFileSync } from "node:fs";
import { listDatasets, openHdf5 } from "../src/saving/hdf5-reader.js";
import { checksum, writeHdf5 } from "../src/saving/hdf5-writer.js";

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (it: string): Uint8Array => new TextEncoder().encode(it);

describe("HDF5", () => {
  test("groups, shapes and numbers are read as written, scalars and empty ones too", () => {
    const datasets = [
      { name: "0", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: "1", shape: [], data: Int32Array.of(7) },
      { name: "2", shape: [0, 4], data: new Float32Array(0) },
      { name: "3", shape: [2], data: Float64Array.of(0.1, Number.NaN) },
      { name: "4", shape: [1], data: BigUint64Array.of(2n ** 63n) },
    ];
    const reader = openHdf5(writeHdf5([{ path: "layers/dense/vars", name: "größe", datasets }]));
    expect(reader.keys("layers/dense/vars")).toEqual(["0", "1", "2", "3", "4"]);
    expect([reader.keys("layers/none"), reader.shape("layers"), reader.keys("layers/dense/vars/0")]).toEqual([
      null,
      null,
      null,
    ]);
    for (const { name, shape, data } of datasets) {
      const path = `layers/dense/vars/${name}`;
      expect([reader.shape(path), reader.numbers(path)]).toEqual([shape, data]);
    }
  });

  // Each was made by h5py: fixtures/make.py.
  test.each([
    ["soft-link", "E_FORMAT", /link to elsewhere/],
    ["external-link", "E_FORMAT", /link to elsewhere/],
    ["external-data", "E_UNIMPLEMENTED", /data in other files/],
    ["chunked", "E_UNIMPLEMENTED", /data in chunks/],
    ["float16", "E_UNIMPLEMENTED", /neither float32 or float64/],
    ["big-endian", "E_UNIMPLEMENTED", /neither float32 or float64/],
    ["text", "E_UNIMPLEMENTED", /neither float32 or float64/],
    ["never-written", "E_FORMAT", /never written/],
    ["dense-group", "E_UNIMPLEMENTED", /an index of their own/],
  ])("%s is refused", (name, code, reason) => {
    const bytes = fixture(`${name}.h5`);
    const found = (): unknown => openHdf5(bytes).numbers("group/data");
    expect(found).toThrow(expect.objectContaining({ code, reason: expect.stringMatching(reason) }));
  });

  test("datasets are listed by their paths; a group that holds itself is refused", () => {
    const data = Float32Array.of(1, 2);
    const bytes = writeHdf5([
      { path: "layers/dense/vars", name: "d", datasets: [{ name: "0", shape: [2], data }] },
      { path: "optimizer/vars", name: "o", datasets: [{ name: "0", shape: [1, 2], data }] },
    ]);
    expect(listDatasets(openHdf5(bytes))).toEqual([
      { path: "layers/dense/vars/0", shape: [2] },
      { path: "optimizer/vars/0", shape: [1, 2] },
    ]);
    const inItself = { keys: () => ["a", "b"], shape: () => null, numbers: () => new Float32Array(0) };
    expect(() => listDatasets(inItself)).toThrow(expect.objectContaining({ code: "E_FORMAT" }));
  });

  test("names that share their letters are refused: few bytes would make many", () => {
    const bytes = fixture("many.h5");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const placesOf = (mark: string): number[] =>
      [...text(bytes.map((byte) => byte & 127)).matchAll(new RegExp(mark, "g"))].map(({ index }) => index);
    // The first heap and node are the root's.
    const heap = placesOf("HEAP")[1]!;
    const [size, names] = [8, 24].map((field) => Number(view.getBigUint64(heap + field, true))) as [number, number];
    bytes.fill(0x61, names, names + size - 1).fill(0, names + size - 1, names + size);
    for (const node of placesOf("SNOD").slice(1))
      for (let i = 0; i < view.getUint16(node + 6, true); i++) view.setBigUint64(node + 8 + 40 * i, 0n, true);
    expect(() => openHdf5(bytes).keys("group")).toThrow(/more than its bytes can/);
  });

  test.each(["earliest", "latest", "many", "compact"])("%s is read", (name) => {
    const reader = openHdf5(fixture(`${name}.h5`));
    const last = name === "many" ? "299" : "data";
    expect([reader.shape(`group/${last}`), reader.numbers(`group/${last}`)]).toEqual([
      [2, 2],
      Float32Array.of(1, 2, 3, 4),
    ]);
    expect(reader.keys("group")!.length).toBe(name === "many" ? 300 : 1);
  });

  test("the checksum is the one of the format", () => {
    // Of "Four score and seven years ago", as the author of the function gives it.
    expect(checksum(bytesOf("Four score and seven years ago"))).toBe(0x17770551);
  });
});
