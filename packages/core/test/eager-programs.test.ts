// Programs of eager ops are kept, up to a number; one that is in use stays.
import * as tf from "@millrace/core";
import { type Executable, ReferenceBackend } from "@millrace/core/backend";

class Counting extends ReferenceBackend {
  compiled = 0;
  released = 0;
  override compile(program: Uint8Array): Executable {
    this.compiled++;
    return super.compile(program);
  }
  override releaseExecutable(exe: Executable): void {
    this.released++;
    super.releaseExecutable(exe);
  }
}

test("the least recently used go first", () => {
  const backend = new Counting();
  tf.registerBackend("counting", () => backend, { priority: 1 });
  const x = tf.tensor([-2, 2]);
  const count = 1500;
  for (let i = 1; i <= count; i++) {
    // Another attribute is another program.
    tf.leakyRelu(x, i).dispose();
    tf.leakyRelu(x, 0.5).dispose();
  }
  expect(backend.compiled).toBe(count + 1);
  expect(backend.released).toBeGreaterThan(0);
  expect(backend.compiled - backend.released).toBeLessThanOrEqual(1024);
});
