// Registering, starting and choosing backends.
import { inspect } from "node:util";
import * as tf from "@millrace/core";
import { type Buf, ReferenceBackend } from "@millrace/core/backend";
import { applyOp, defineOp, noRule } from "@millrace/core/extend";

const codeOf = (f: () => unknown): string | undefined => {
  try {
    f();
  } catch (error) {
    return tf.isMillraceError(error) ? error.code : `${error}`;
  }
  return undefined;
};

test("before any is registered an op says what to import", () => {
  expect(codeOf(() => tf.add(1, 2))).toBe("E_NO_BACKEND");
  expect(() => tf.zeros([2])).toThrow(/import "millrace", or call registerBackend/);
});

test("registering starts nothing, and a second registration of a name changes nothing", async () => {
  const started: string[] = [];
  const make = (name: string) => () => {
    started.push(name);
    return new ReferenceBackend({ name });
  };
  tf.registerBackend("later", async () => make("later")(), { priority: 5 });
  tf.registerBackend("later", make("another"), { priority: 9 });
  tf.registerBackend("broken", () => {
    throw new Error("no such device");
  });
  expect(started).toEqual([]);

  // Only what starts at once can serve an op that does not wait.
  expect(codeOf(() => tf.add(1, 2))).toBe("E_BACKEND_NOT_READY");
  expect(() => tf.add(1, 2)).toThrow(/await tf.ready\(\)/);
  expect(() => tf.device("later", () => tf.ones([1]))).toThrow(/await tf.setBackend\("later"\)/);

  await tf.ready();
  expect([tf.getBackend(), started]).toEqual(["later", ["later"]]);
  expect(tf.add(1, 2).itemSync()).toBe(3);

  await expect(tf.setBackend("broken")).rejects.toMatchObject({
    code: "E_BACKEND",
    reason: "the broken backend cannot start: no such device",
  });
  await expect(tf.setBackend("abacus")).rejects.toMatchObject({
    code: "E_BACKEND",
    reason: "no backend is called abacus; registered: later, broken",
  });
  expect(tf.getBackend()).toBe("later");
});

test("unknown options are refused", () => {
  const factory = (): ReferenceBackend => new ReferenceBackend();
  expect(codeOf(() => tf.registerBackend("typo", factory, { prioriti: 1 } as object))).toBe("E_ARGUMENT");
});

describe("a backend that cannot read at once", () => {
  class Waiting extends ReferenceBackend {
    constructor() {
      super({ name: "waiting" });
      Object.defineProperty(this, "readSync", { value: undefined });
    }
    override async read(buf: Buf): Promise<Uint8Array> {
      return ReferenceBackend.prototype.readSync.call(this, buf);
    }
  }
  beforeAll(async () => {
    tf.registerBackend("waiting", () => new Waiting(), { priority: -1 });
    await tf.setBackend("waiting");
  });

  test("is read with await, and says so", async () => {
    const x = tf.tensor([1, 2]).mul(2);
    expect(await x.array()).toEqual([2, 4]);
    expect(codeOf(() => x.dataSync())).toBe("E_SYNC_READ");
    expect(() => x.arraySync()).toThrow(/arraySync: the waiting backend cannot read at once, use await array\(\)/);
    expect(() => tf.scalar(1).itemSync()).toThrow(/await item\(\)/);
  });
  test("shows no values", () => {
    expect(inspect(tf.ones([2]))).toBe("Tensor float32[2] on waiting:0");
  });
  test("runs no op from outside of core, and says so", () => {
    const op = defineOp({
      name: "test/same",
      arity: 1,
      infer: ([x]) => [x!],
      reference() {},
      vjp: noRule("not needed"),
      batch: noRule("not needed"),
    });
    expect(codeOf(() => applyOp(op, [tf.ones([1])]))).toBe("E_UNIMPLEMENTED");
  });
});
