// Zip archives: the directory is read here, so that sizes are checked before and checksums after anything is unpacked.
import { inflateSync, zipSync } from "fflate";
import { badFile, believing, type Limits, show, utf8 } from "./checks.js";

/** The files of an archive by name; each is unpacked when it is asked for. */
export interface Archive {
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Throws E_FORMAT where there is no such file, or it is not what the directory says. */
  read(name: string): Uint8Array;
}

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

const signatures = { local: 0x04034b50, entry: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 };
const methods = { stored: 0, deflated: 8 };
/** Deflate makes nothing smaller than by this factor. */
const greatestRatio = 1032;

/** Reads the directory of an archive. Throws E_FORMAT. */
export function openArchive(bytes: Uint8Array, limits: Limits): Archive {
  const entries = believing("the archive", () => readDirectory(bytes));
  let total = 0;
  for (const [name, { size, packed, method }] of entries) {
    total += size;
    const most = method === methods.stored ? packed : packed * greatestRatio;
    if (size > most) throw badFile(`${show(name)} in the archive says that ${packed} bytes unpack to ${size}`);
    if (total > limits.bytes) {
      throw badFile(`the archive unpacks to over the limit of ${limits.bytes} bytes; see limits.bytes`);
    }
  }
  return {
    names: [...entries.keys()],
    has: (name) => entries.has(name),
    read(name) {
      const entry = entries.get(name);
      if (!entry) throw badFile(`the archive holds no ${name}`);
      const data = believing(`${name} in the archive`, () => unpack(bytes, entry));
      if (data.length === entry.size && crc32(data) === entry.crc) return data;
      throw badFile(`${name} in the archive is damaged: its size or checksum is not what the directory says`);
    },
  };
}

function readDirectory(bytes: Uint8Array): Map<string, Entry> {
  const view = viewOf(bytes);
  const end = findEnd(view);
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if ((count === 0xffff || at === 0xffffffff) && end >= 20 && view.getUint32(end - 20, true) === signatures.locator64) {
    const end64 = size64(view, end - 12);
    if (view.getUint32(end64, true) !== signatures.end64) throw badFile("the archive has no directory");
    count = size64(view, end64 + 32);
    at = size64(view, end64 + 48);
  }
  const entries = new Map<string, Entry>();
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at, true) !== signatures.entry) throw badFile("the directory of the archive is damaged");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const name = utf8(part(bytes, at + 46, nameLength!));
    if (!isPlainName(name)) throw badFile(`the archive holds the name ${show(name)}`);
    if (entries.has(name)) throw badFile(`the archive holds ${show(name)} twice`);
    const isEncrypted = view.getUint16(at + 8, true) & 1;
    if (isEncrypted) throw badFile(`${show(name)} in the archive is encrypted`);
    entries.set(name, readEntry(view, at, at + 46 + nameLength!, extraLength!));
    at += 46 + nameLength! + extraLength! + commentLength!;
  }
  return entries;
}

/** The end of the directory, which a comment may follow. */
function findEnd(view: DataView): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--) {
    if (view.getUint32(at, true) === signatures.end) return at;
  }
  throw badFile("the archive is truncated: it has no directory");
}

function readEntry(view: DataView, at: number, extra: number, extraLength: number): Entry {
  const method = view.getUint16(at + 10, true);
  if (method !== methods.stored && method !== methods.deflated) {
    throw badFile(`the archive is packed by method ${method}, which is not read`);
  }
  const entry = { method, crc: view.getUint32(at + 16, true) };
  const sizes = [24, 20, 42].map((field) => view.getUint32(at + field, true));
  // What does not fit in 32 bits stands in an extra field, in this order.
  if (sizes.includes(0xffffffff)) {
    for (let field = extra; field + 4 <= extra + extraLength; field += 4 + view.getUint16(field + 2, true)) {
      if (view.getUint16(field, true) !== 1) continue;
      let next = field + 4;
      sizes.forEach((size, i) => {
        if (size !== 0xffffffff) return;
        sizes[i] = size64(view, next);
        next += 8;
      });
      break;
    }
  }
  const [size, packed, offset] = sizes as [number, number, number];
  return { ...entry, size, packed, offset };
}

function unpack(bytes: Uint8Array, { method, packed, size, offset }: Entry): Uint8Array {
  const view = viewOf(bytes);
  if (view.getUint32(offset, true) !== signatures.local) throw badFile("the archive is damaged");
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const data = part(bytes, start, packed);
  return method === methods.stored ? data : inflateSync(data, { out: new Uint8Array(size) });
}

/** An archive of these files, stored as they are. */
export function writeArchive(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  // The oldest time that an archive can hold: the same files give the same bytes.
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
}

function part(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (start + length <= bytes.length) return bytes.subarray(start, start + length);
  throw badFile("the archive is truncated");
}

function size64(view: DataView, at: number): number {
  const size = view.getBigUint64(at, true);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw badFile("the archive names a place outside of it");
  return Number(size);
}

/** A name that leads nowhere but below. */
function isPlainName(name: string): boolean {
  return name !== "" && !/^\/|^[a-z]:|\\|\0/i.test(name) && name.split("/").every((part) => part !== "..");
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The checksum of IEEE 802.3. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
