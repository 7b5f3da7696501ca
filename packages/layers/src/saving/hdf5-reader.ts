// Reads HDF5 files as h5py and the writer beside it make them. Each place that a file names is checked before it is looked
// at, each block is read once, and nothing but a dataset that is asked for takes memory of the size that the file says.
import { MillraceError } from "@millrace/autodiff";
import { badFile, believing, utf8 } from "./checks.js";
import { floatLayouts, isHdf5, messages, type Numbers, typeClasses, undefinedAddress } from "./hdf5.js";

/** A file that is read. Paths are the names of groups with "/" between them. */
export interface Hdf5Reader {
  /** The names in a group, sorted; null where there is no group. The path of the file itself is "". */
  keys(path: string): readonly string[] | null;
  /** The shape of a dataset; null where there is none. */
  shape(path: string): readonly number[] | null;
  /** Its numbers, a copy. Ask for the shape first. Throws E_FORMAT, or E_UNIMPLEMENTED for kinds of data that are not read. */
  numbers(path: string): Numbers;
}

/** A message of an object header: its data lies from `start` to `end`. */
interface Message {
  readonly type: number;
  readonly isShared: boolean;
  readonly start: number;
  readonly end: number;
}

/** An object: a group has links, a dataset a shape. */
interface Found {
  readonly messages: readonly Message[];
  /** Names and the addresses of their objects; null marks a link that leads elsewhere than to an object of the file. */
  readonly links: ReadonlyMap<string, number | null> | null;
  /** The names of the links, sorted. */
  readonly names: readonly string[] | null;
}

/** Opens a file. Throws E_FORMAT. */
export function openHdf5(bytes: Uint8Array): Hdf5Reader {
  if (!isHdf5(bytes)) throw badFile("the weights are no HDF5 file");
  return new Reader(bytes);
}

/** A file may say that groups hold one another; so many datasets, so deep, are those of models. */
const [mostDatasets, mostGroups] = [100_000, 64];

/** Every dataset of a file, in the order of their names. Throws E_FORMAT. */
export function listDatasets(reader: Hdf5Reader): { readonly path: string; readonly shape: readonly number[] }[] {
  const found: { readonly path: string; readonly shape: readonly number[] }[] = [];
  let seen = 0;
  const list = (names: readonly string[], within: string, depth: number): void => {
    for (const name of names) {
      if (++seen > mostDatasets || depth > mostGroups) throw badFile("its groups hold more than those of a model");
      const path = within + name;
      const inner = reader.keys(path);
      if (inner) list(inner, `${path}/`, depth + 1);
      else found.push({ path, shape: reader.shape(path) ?? [] });
    }
  };
  list(reader.keys("") ?? [], "", 0);
  return found;
}

class Reader implements Hdf5Reader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly root: number;
  private readonly objects = new Map<number, Found>();
  /** Bytes of headers, entries and names that may still be read: in a file whose objects share none, no more than it has. */
  private budget: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.budget = bytes.length;
    this.root = believing("the weights", () => this.readSuperblock());
  }

  keys(path: string): readonly string[] | null {
    return this.find(path)?.names ?? null;
  }

  shape(path: string): readonly number[] | null {
    const found = this.find(path);
    if (!found || found.links) return null;
    return believing(path, () => this.readShape(this.message(found, messages.dataspace)));
  }

  numbers(path: string): Numbers {
    const found = this.find(path);
    if (!found || found.links) throw badFile(`${path} is no dataset`);
    return believing(path, () => this.readNumbers(found));
  }

  private find(path: string): Found | null {
    return believing(path, () => {
      let found = this.object(this.root);
      for (const name of path === "" ? [] : path.split("/")) {
        const address = found.links?.get(name);
        if (address === undefined) return null;
        if (address === null) throw badFile(`${name} is a link to elsewhere`);
        found = this.object(address);
      }
      return found;
    });
  }

  // --- the file

  /** The address of the root group. */
  private readSuperblock(): number {
    const version = this.byte(8);
    if (version > 3) throw badFile(`version ${version} of HDF5 is not known`);
    const isOld = version < 2;
    const [offsets, lengths] = isOld ? [this.byte(13), this.byte(14)] : [this.byte(9), this.byte(10)];
    if (offsets !== 8 || lengths !== 8) throw unread("addresses of another size than 8 bytes");
    const addresses = isOld ? (version === 1 ? 28 : 24) : 12;
    if (this.number(addresses) !== 0) throw unread("a file that begins with another");
    const end = this.number(addresses + 16);
    if (end > this.bytes.length) throw badFile(`it is truncated: ${this.bytes.length} of ${end} bytes are there`);
    return isOld ? this.number(addresses + 40) : this.number(addresses + 24);
  }

  /** The object whose header lies at an address; read once. */
  private object(address: number): Found {
    const known = this.objects.get(address);
    if (known) return known;
    const list = this.readHeader(address);
    const isGroup = list.some(({ type }) => type === messages.symbolTable || type === messages.linkInfo);
    const links = isGroup ? this.readLinks(list) : null;
    const found = { messages: list, links, names: links && [...links.keys()].sort() };
    this.objects.set(address, found);
    return found;
  }

  private message({ messages: list }: Found, type: number): Message {
    const message = list.find((one) => one.type === type);
    if (!message) throw badFile("a part of it is missing");
    if (message.isShared) throw unread("types that datasets share");
    return message;
  }

  // --- object headers

  private readHeader(address: number): Message[] {
    const isNew = this.isMarked(address, "OHDR");
    const list: Message[] = [];
    const blocks: { readonly start: number; readonly end: number }[] = [];
    let step = 8;
    if (isNew) {
      if (this.byte(address + 4) !== 2) throw badFile("a header is of a version that is not known");
      const flags = this.byte(address + 5);
      const sizeAt = address + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
      const sizeBytes = 1 << (flags & 3);
      const start = sizeAt + sizeBytes;
      blocks.push({ start, end: start + this.number(sizeAt, sizeBytes) });
      step = flags & 4 ? 6 : 4;
    } else {
      if (this.byte(address) !== 1) throw badFile("a header is of a version that is not known");
      blocks.push({ start: address + 16, end: address + 16 + this.number(address + 8, 4) });
    }
    const seen = new Set<number>();
    for (let i = 0; i < blocks.length; i++) {
      const { start, end } = blocks[i]!;
      if (seen.has(start)) throw badFile("a header continues in itself");
      seen.add(start);
      this.check(start, end - start);
      this.spend(end - start);
      for (let at = start; at + step <= end; ) {
        const type = isNew ? this.byte(at) : this.number(at, 2);
        const size = this.number(at + (isNew ? 1 : 2), 2);
        const isShared = (this.byte(at + (isNew ? 3 : 4)) & 2) !== 0;
        const message = { type, isShared, start: at + step, end: at + step + size };
        if (message.end > end) throw badFile("a header is damaged");
        list.push(message);
        if (type === messages.continuation) {
          const [next, length] = [this.number(message.start), this.number(message.start + 8)];
          // A new block has a mark before, and a checksum behind.
          if (isNew && !this.isMarked(next, "OCHK")) throw badFile("a header is damaged");
          blocks.push(isNew ? { start: next + 4, end: next + length - 4 } : { start: next, end: next + length });
        }
        at = message.end;
      }
    }
    return list;
  }

  // --- groups

  private readLinks(list: readonly Message[]): Map<string, number | null> {
    const links = new Map<string, number | null>();
    for (const { type, start, end } of list) {
      if (type === messages.symbolTable) this.readSymbolTable(this.number(start), this.number(start + 8), links);
      else if (type === messages.link) this.readLink(start, end, links);
      else if (type === messages.linkInfo) {
        const heap = start + 2 + (this.byte(start + 1) & 1 ? 8 : 0);
        if (this.view.getBigUint64(heap, true) !== undefinedAddress) throw unread("groups with an index of their own");
      }
    }
    return links;
  }

  /** The links of a group in the old form: a tree of nodes with entries, whose names lie in a heap. */
  private readSymbolTable(tree: number, heap: number, links: Map<string, number | null>): void {
    if (!this.isMarked(heap, "HEAP")) throw badFile("a group has no names");
    const [size, names] = [this.number(heap + 8), this.number(heap + 24)];
    this.check(names, size);
    const seen = new Set<number>();
    const nodes = [tree];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (seen.has(node)) throw badFile("a group holds itself");
      seen.add(node);
      if (this.isMarked(node, "TREE")) {
        const count = this.number(node + 6, 2);
        this.spend(16 * count);
        // Keys and children take turns.
        for (let i = 0; i < count; i++) nodes.push(this.number(node + 32 + 16 * i));
        continue;
      }
      if (!this.isMarked(node, "SNOD")) throw badFile("a group is damaged");
      const count = this.number(node + 6, 2);
      this.spend(40 * count);
      for (let i = 0; i < count; i++) {
        const entry = node + 8 + 40 * i;
        const name = this.readName(names + this.number(entry), names + size);
        // Kind 2 of an entry is a link by name.
        links.set(name, this.number(entry + 16, 4) === 2 ? null : this.number(entry + 8));
      }
    }
  }

  private readName(start: number, end: number): string {
    this.check(start, 0);
    const stop = this.bytes.indexOf(0, start);
    if (stop < 0 || stop >= end) throw badFile("a name has no end");
    this.spend(stop - start);
    return utf8(this.bytes.subarray(start, stop));
  }

  private readLink(start: number, end: number, links: Map<string, number | null>): void {
    const flags = this.byte(start + 1);
    let at = start + 2;
    const kind = flags & 8 ? this.byte(at++) : 0;
    if (flags & 4) at += 8;
    if (flags & 16) at += 1;
    const lengthBytes = 1 << (flags & 3);
    const length = this.number(at, lengthBytes);
    at += lengthBytes;
    if (at + length + 8 > end && kind === 0) throw badFile("a link is damaged");
    this.check(at, length);
    links.set(utf8(this.bytes.subarray(at, at + length)), kind === 0 ? this.number(at + length) : null);
  }

  // --- datasets

  private readShape({ start }: Message): readonly number[] {
    const [version, rank] = [this.byte(start), this.byte(start + 1)];
    if (version !== 1 && version !== 2) throw badFile("its shape is of a version that is not known");
    if (version === 2 && this.byte(start + 3) === 2) throw unread("datasets without a shape");
    const sizes = start + (version === 1 ? 8 : 4);
    return Array.from({ length: rank }, (_, axis) => this.number(sizes + 8 * axis));
  }

  private readNumbers(found: Found): Numbers {
    if (found.messages.some(({ type }) => type === messages.externalFiles)) throw unread("data in other files");
    const count = this.readShape(this.message(found, messages.dataspace)).reduce((n, size) => n * size, 1);
    const { width, make } = this.readType(this.message(found, messages.datatype));
    if (count === 0) return make(new ArrayBuffer(0));
    const size = count * width;
    const { start, end } = this.message(found, messages.layout);
    const [version, kind] = [this.byte(start), this.byte(start + 1)];
    if (version !== 3 && version !== 4) throw unread(`data laid out by version ${version}`);
    let at: number;
    let length: number;
    if (kind === 0) {
      [at, length] = [start + 4, this.number(start + 2, 2)];
      if (at + length > end) throw badFile("its data is damaged");
    } else if (kind === 1) {
      if (this.view.getBigUint64(start + 2, true) === undefinedAddress) throw badFile("its data was never written");
      [at, length] = [this.number(start + 2), this.number(start + 10)];
    } else throw unread("data in chunks, packed or not");
    if (length !== size) throw badFile(`it has ${length} bytes of data, and its shape says ${size}`);
    this.check(at, length);
    return make(this.bytes.slice(at, at + length).buffer);
  }

  /** How wide a number is, and what array holds such numbers. */
  private readType({ start }: Message): { readonly width: number; readonly make: (data: ArrayBuffer) => Numbers } {
    const kind = this.byte(start) & 15;
    const [flags, width] = [this.byte(start + 1), this.number(start + 4, 4)];
    const isBigEndian = (flags & 1) !== 0;
    if (!isBigEndian && kind === typeClasses.float) {
      const [bits, exponentAt, exponentBits] = [
        this.number(start + 10, 2),
        this.byte(start + 12),
        this.byte(start + 13),
      ];
      const bias = this.number(start + 16, 4);
      for (const [name, layout] of Object.entries(floatLayouts)) {
        const fits = layout.bits === bits && layout.exponentAt === exponentAt && layout.bias === bias;
        if (!fits || layout.exponentBits !== exponentBits || width * 8 !== bits) continue;
        return { width, make: (data) => (name === "float32" ? new Float32Array(data) : new Float64Array(data)) };
      }
    }
    if (!isBigEndian && kind === typeClasses.whole && this.number(start + 10, 2) === width * 8) {
      const isSigned = (flags & 8) !== 0;
      if (width === 4) return { width, make: (data) => (isSigned ? new Int32Array(data) : new Uint32Array(data)) };
      if (width === 8)
        return { width, make: (data) => (isSigned ? new BigInt64Array(data) : new BigUint64Array(data)) };
    }
    throw unread("numbers that are neither float32 or float64 nor whole of 32 or 64 bits");
  }

  // --- bytes

  private spend(count: number): void {
    this.budget -= count;
    if (this.budget < 0) throw badFile("its parts hold more than its bytes can");
  }

  private byte(at: number): number {
    return this.view.getUint8(at);
  }

  /** A whole number of so many bytes, least first. */
  private number(at: number, width = 8): number {
    if (width === 1) return this.view.getUint8(at);
    if (width === 2) return this.view.getUint16(at, true);
    if (width === 4) return this.view.getUint32(at, true);
    const number = this.view.getBigUint64(at, true);
    if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw badFile("it names a place outside of the file");
    return Number(number);
  }

  private isMarked(at: number, mark: string): boolean {
    this.check(at, 4);
    return Array.from(mark).every((letter, i) => this.bytes[at + i] === letter.charCodeAt(0));
  }

  /** Throws where a place is not in the file. */
  private check(start: number, length: number): void {
    if (length >= 0 && start >= 0 && start + length <= this.bytes.length) return;
    throw badFile("it names a place outside of the file");
  }
}

function unread(what: string): MillraceError {
  return new MillraceError("E_UNIMPLEMENTED", `HDF5 files with ${what} are not read`);
}
