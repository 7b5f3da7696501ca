// A backend of another version is refused, not passed over for the next one.
import * as core from "@millrace/core";
import { ReferenceBackend } from "@millrace/core/backend";

class Versioned extends ReferenceBackend {
  readonly version: string;
  constructor(version: string) {
    super({ name: "versioned" });
    this.version = version;
  }
}

test("a backend of another version than core's stops the first op, and says which two met", async () => {
  core.registerBackend("versioned", () => new Versioned("0.0.1"), { priority: 5 });
  core.registerReferenceBackend();
  const said = /versioned backend is version 0\.0\.1, @millrace\/core \d+\.\d+\.\d+: install one version/;
  expect(() => core.add(1, 2)).toThrow(said);
  await expect(core.ready()).rejects.toMatchObject({ code: "E_VERSION", message: expect.stringMatching(said) });
  await expect(core.setBackend("versioned")).rejects.toMatchObject({ code: "E_BACKEND" });
  await core.setBackend("reference");
  expect(core.add(1, 2).itemSync()).toBe(3);
});
