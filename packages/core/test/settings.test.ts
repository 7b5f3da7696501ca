// A backend that a wrong setting keeps from starting is not passed over in silence for the next one.
import * as core from "@millrace/core";

test("its error stops the first op", async () => {
  const fail = (): never => {
    throw new core.MillraceError("E_ARGUMENT", "the setting is wrong");
  };
  core.registerBackend("set wrong", fail, { priority: 9 });
  core.registerReferenceBackend();
  expect(() => core.add(1, 2)).toThrow("the setting is wrong");
  await expect(core.ready()).rejects.toMatchObject({ code: "E_ARGUMENT" });
  await core.setBackend("reference");
  expect(core.add(1, 2).itemSync()).toBe(3);
});
