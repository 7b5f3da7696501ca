// Writes HDF5 files that libhdf5 reads from version 1.8 on: groups whose links stand in their headers, and datasets in one
// piece.
import { toUtf8 } from "./checks.js";
import { type FloatLayout, floatLayouts, messages, type Numbers, signature, typeClasses } from "./hdf5.js";

/** A group that is written: its name in an attribute, as Keras has it, and its datasets. */
export interface Hdf5Group {
  /** Names with "/" between them. */
  readonly path: string;
  readonly name: string;
  readonly datasets: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: Numbers }[];
}

/** A group of the tree that is laid out. */
interface Group {
  readonly children: Map<string, Group | Dataset>;
  name: string | null;
}
interface Dataset {
  readonly shape: readonly number[];
  readonly data: Numbers;
}

/** The bytes of a file with these groups. */
export function writeHdf5(groups: readonly Hdf5Group[]): Uint8Array {
  const root: Group = { children: new Map(), name: null };
  for (const { path, name, datasets } of groups) {
    let at = root;
    for (const part of path.split("/")) {
      const next = at.children.get(part) ?? { children: new Map(), name: null };
      at.children.set(part, next);
      // boundary: no group has the name of a dataset, since datasets are numbered
      at = next as Group;
    }
    at.name = name;
    for (const { name: own, shape, data } of datasets) at.children.set(own, { shape, data });
  }
  return new Layout(root).bytes;
}

const superblockSize = 48;
const aligned = (at: number): number => Math.ceil(at / 8) * 8;

/** Headers have the same size wherever they point to: places are given first, and then written. */
class Layout {
  readonly bytes: Uint8Array;
  private readonly places = new Map<Group | Dataset, number>();
  private readonly dataPlaces = new Map<Dataset, number>();

  constructor(root: Group) {
    const objects: (Group | Dataset)[] = [root];
    // Children are added while the list is gone through.
    for (const object of objects) if (isGroup(object)) objects.push(...object.children.values());
    let end = superblockSize;
    for (const object of objects) {
      this.places.set(object, end);
      end = aligned(end + this.header(object).length);
    }
    for (const object of objects) {
      if (isGroup(object) || object.data.length === 0) continue;
      this.dataPlaces.set(object, end);
      end = aligned(end + object.data.byteLength);
    }
    this.bytes = new Uint8Array(end);
    const superblock = new Bytes().put(signature).u8(2, 8, 8, 0).u64(0).nowhere().u64(end);
    this.bytes.set(superblock.u64(superblockSize).sealed());
    for (const object of objects) this.bytes.set(this.header(object), this.places.get(object)!);
    for (const [{ data }, at] of this.dataPlaces) {
      this.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    }
  }

  private header(object: Group | Dataset): Uint8Array {
    const body = isGroup(object) ? this.groupMessages(object) : this.datasetMessages(object);
    // Version 2; the size of the messages takes four bytes.
    return new Bytes().text("OHDR").u8(2, 2).u32(body.length).put(body).sealed();
  }

  private groupMessages({ children, name }: Group): Uint8Array {
    const out = new Bytes();
    out.message(messages.linkInfo, new Bytes().u8(0, 0).nowhere().nowhere());
    out.message(messages.groupInfo, new Bytes().u8(0, 0));
    for (const [own, child] of children) {
      const encoded = toUtf8(own);
      // A hard link whose name is UTF-8, its length in two bytes.
      const link = new Bytes().u8(1, 0x11, 1).u16(encoded.length).put(encoded);
      out.message(messages.link, link.u64(this.places.get(child) ?? 0));
    }
    if (name !== null) out.message(messages.attribute, attribute("name", name));
    return out.take();
  }

  private datasetMessages(dataset: Dataset): Uint8Array {
    const { shape, data } = dataset;
    const out = new Bytes();
    out.message(messages.dataspace, dataspace(shape));
    out.message(messages.datatype, datatype(data));
    // Memory is taken late, and a fill value written if there is one: there is none.
    out.message(messages.fillValue, new Bytes().u8(3, 0x0a));
    const place = new Bytes().u8(3, 1);
    if (data.length === 0) place.nowhere();
    else place.u64(this.dataPlaces.get(dataset) ?? 0);
    out.message(messages.layout, place.u64(data.byteLength));
    return out.take();
  }
}

function isGroup(object: Group | Dataset): object is Group {
  return "children" in object;
}

function dataspace(shape: readonly number[]): Bytes {
  const out = new Bytes().u8(2, shape.length, 0, shape.length === 0 ? 0 : 1);
  for (const size of shape) out.u64(size);
  return out;
}

function datatype(data: Numbers): Bytes {
  if (data instanceof Float32Array) return floatType(floatLayouts.float32);
  if (data instanceof Float64Array) return floatType(floatLayouts.float64);
  const isSigned = data instanceof Int32Array || data instanceof BigInt64Array;
  const width = data.BYTES_PER_ELEMENT;
  return new Bytes()
    .u8(0x10 | typeClasses.whole, isSigned ? 8 : 0, 0, 0)
    .u32(width)
    .u16(0)
    .u16(width * 8);
}

function floatType({ bits, exponentAt, exponentBits, bias }: FloatLayout): Bytes {
  // The first bit of the mantissa is implied; the sign is the last bit.
  const out = new Bytes()
    .u8(0x10 | typeClasses.float, 0x20, bits - 1, 0)
    .u32(bits / 8)
    .u16(0)
    .u16(bits);
  return out.u8(exponentAt, exponentBits, 0, exponentAt).u32(bias);
}

/** An attribute of one text in UTF-8. */
function attribute(name: string, value: string): Bytes {
  const [encodedName, encoded] = [toUtf8(`${name}\0`), toUtf8(value === "" ? "\0" : value)];
  const type = new Bytes()
    .u8(0x10 | typeClasses.text, 0x11, 0, 0)
    .u32(encoded.length)
    .take();
  const space = dataspace([]).take();
  const sizes = new Bytes().u8(3, 0).u16(encodedName.length).u16(type.length).u16(space.length).u8(1);
  return sizes.put(encodedName).put(type).put(space).put(encoded);
}

/** Bytes one after another, the least of a number first. */
class Bytes {
  private bytes = new Uint8Array(64);
  private length = 0;

  private room(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(2 * this.length);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    return at;
  }

  u8(...values: readonly number[]): this {
    return this.put(values);
  }
  u16(value: number): this {
    return this.u8(value & 255, (value >>> 8) & 255);
  }
  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16);
  }
  u64(value: number): this {
    return this.u32(value >>> 0).u32(Math.floor(value / 2 ** 32));
  }
  /** An address where nothing is. */
  nowhere(): this {
    return this.u32(0xffff_ffff).u32(0xffff_ffff);
  }
  text(value: string): this {
    return this.put(toUtf8(value));
  }
  put(values: ArrayLike<number>): this {
    const at = this.room(values.length);
    this.bytes.set(values, at);
    return this;
  }
  /** A message of an object header. */
  message(type: number, body: Bytes): void {
    this.u8(type).u16(body.length).u8(0).put(body.take());
  }
  take(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
  /** With a checksum behind. */
  sealed(): Uint8Array {
    return this.u32(checksum(this.take())).take();
  }
}

/** Bob Jenkins's lookup3 (2006), as the format has it. */
export function checksum(bytes: Uint8Array): number {
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  let a = (0xdeadbeef + bytes.length) | 0;
  let b = a;
  let c = a;
  const word = (at: number): number => {
    let value = 0;
    for (let i = 0; i < 4 && at + i < bytes.length; i++) value |= bytes[at + i]! << (8 * i);
    return value;
  };
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = ((a - c) ^ rotate(c, 4)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 6)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 8)) | 0;
    b = (b + a) | 0;
    a = ((a - c) ^ rotate(c, 16)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 19)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 4)) | 0;
    b = (b + a) | 0;
  }
  if (at < bytes.length) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    c = ((c ^ b) - rotate(b, 14)) | 0;
    a = ((a ^ c) - rotate(c, 11)) | 0;
    b = ((b ^ a) - rotate(a, 25)) | 0;
    c = ((c ^ b) - rotate(b, 16)) | 0;
    a = ((a ^ c) - rotate(c, 4)) | 0;
    b = ((b ^ a) - rotate(a, 14)) | 0;
    c = ((c ^ b) - rotate(b, 24)) | 0;
  }
  return c >>> 0;
}
