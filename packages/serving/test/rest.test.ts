// TensorFlow Serving's REST contract: paths, bodies, codes and texts.
import * as tf from "@millrace/core";
import fastify from "fastify";
import { millraceServing } from "../src/index.js";
import { executable, listen, type Served, scale, serve } from "./helpers.js";

const predict = "/v1/models/scale:predict";
let server: Served;

beforeAll(async () => {
  const two = executable(({ a, b }) => ({ sum: tf.add(a!, b!), product: tf.mul(a!, b!) }), {
    a: { shape: ["batch", 2] },
    b: { shape: ["batch", 2] },
  });
  const several = new tf.Executable([
    tf.nameFunction("serving_default", ({ x }) => tf.add(x!, 1), { x: { shape: ["batch"] } }),
    tf.nameFunction("twice", ({ x }) => tf.mul(x!, 2), { x: { shape: ["batch"] } }),
  ]);
  const identity = (dtype: tf.DType): tf.Executable =>
    executable(({ x }) => ({ y: tf.reshape(x!, [-1]) }), { x: { shape: ["batch"], dtype } });
  server = await serve({
    models: {
      scale: { executable: scale(2), version: 7, labels: { stable: 7 } },
      two,
      several,
      int32: identity("int32"),
      int64: identity("int64"),
      uint8: identity("uint8"),
      bool: identity("bool"),
      float64: identity("float64"),
      image: executable(({ x }) => ({ y: tf.sum(x!, [1, 2]) }), { x: { shape: ["batch", 2, 2] } }),
      ragged: executable(({ x }) => ({ y: tf.sum(x!, [1]) }), { x: { shape: ["batch", "length"] } }),
      fixed: executable(({ x }) => ({ y: tf.sum(x!) }), { x: { shape: [2, 2] } }),
      uneven: executable(({ x }) => ({ y: tf.mul(x!, 1), z: tf.sum(x!, [0]) }), { x: { shape: [2, 3] } }),
    },
  });
});
afterAll(() => server.close());

const answers = async (path: string, body: string): Promise<[number, unknown]> => {
  const [status, text] = await server.post(path, body);
  return [status, JSON.parse(text)];
};
const error = (message: string): { error: string } => ({ error: message });

describe("predict", () => {
  test.each([
    ["rows", '{"instances": [[1, 2, 3], [0.5, -1e-3, 4E2]]}', '{"predictions":[[2.0,4.0,6.0],[1.0,-0.002,800.0]]}'],
    ["named rows", '{"instances": [{"x": [1, 2, 3]}]}', '{"predictions":[[2.0,4.0,6.0]]}'],
    ["a bare column", '{"inputs": [[1, 2, 3]]}', '{"outputs":[[2.0,4.0,6.0]]}'],
    ["a named column", '{"inputs": {"x": [[1, 2, 3]]}}', '{"outputs":[[2.0,4.0,6.0]]}'],
    [
      "a named signature",
      '{"signature_name": "serving_default", "instances": [[1, 2, 3]]}',
      '{"predictions":[[2.0,4.0,6.0]]}',
    ],
    ["a signature named last", '{"instances": [[1, 2, 3]], "signature_name": ""}', '{"predictions":[[2.0,4.0,6.0]]}'],
    ["a key that is unknown", '{"more": {"a": [1]}, "instances": [[1, 2, 3]]}', '{"predictions":[[2.0,4.0,6.0]]}'],
    ["NaN and Infinity", '{"instances": [[NaN, Infinity, -Infinity]]}', '{"predictions":[[NaN,Infinity,-Infinity]]}'],
    ["Inf", '{"instances": [[Inf, -Inf, -0.0]]}', '{"predictions":[[Infinity,-Infinity,-0.0]]}'],
    ["white space", ' {\n"instances"\t:[ [ 1 ,2 , 3 ] ]\r\n} ', '{"predictions":[[2.0,4.0,6.0]]}'],
    ["a key with escapes", '{"inst\\u0061nces": [[1, 2, 3]]}', '{"predictions":[[2.0,4.0,6.0]]}'],
  ])("takes %s", async (_, body, want) => {
    expect(await server.post(predict, body)).toEqual([200, want]);
  });

  test("finds a version by number and by label, in any case of the path", async () => {
    const body = '{"instances": [[1, 2, 3]]}';
    for (const path of [
      "/v1/models/scale/versions/7:predict",
      "/v1/models/scale/labels/stable:predict",
      `${predict}?a=b`,
    ]) {
      expect(await answers(path, body)).toEqual([200, { predictions: [[2, 4, 6]] }]);
    }
    expect(await answers("/v1/Models/scale:PREDICT", body)).toEqual([200, { predictions: [[2, 4, 6]] }]);
  });

  test("several outputs are objects by row, lists by column", async () => {
    const row = { a: [1, 2], b: [3, 4] };
    expect(await answers("/v1/models/two:predict", JSON.stringify({ instances: [row, row] }))).toEqual([
      200,
      { predictions: [0, 1].map(() => ({ sum: [4, 6], product: [3, 8] })) },
    ]);
    expect(await answers("/v1/models/two:predict", '{"inputs": {"a": [[1, 2]], "b": [[3, 4]]}}')).toEqual([
      200,
      { outputs: { sum: [[4, 6]], product: [[3, 8]] } },
    ]);
  });

  test("the signature that is named, whichever way the body is read", async () => {
    expect(await answers("/v1/models/several:predict", '{"instances": [5], "signature_name": "twice"}')).toEqual([
      200,
      { predictions: [10] },
    ]);
    expect(await answers("/v1/models/several:predict", '{"signature_name": "twice", "instances": [5]}')).toEqual([
      200,
      { predictions: [10] },
    ]);
    expect(await answers("/v1/models/several:predict", '{"instances": [5]}')).toEqual([200, { predictions: [6] }]);
  });

  test("every dtype comes back as it went in", async () => {
    const of = (model: string, values: string): Promise<[number, string]> =>
      server.post(`/v1/models/${model}:predict`, `{"instances":[${values}]}`);
    expect(await of("int32", "-2147483648,7")).toEqual([200, '{"predictions":[-2147483648,7]}']);
    expect(await of("int64", "9223372036854775807,-3")).toEqual([200, '{"predictions":[9223372036854775807,-3]}']);
    expect(await of("uint8", "0,255")).toEqual([200, '{"predictions":[0,255]}']);
    expect(await of("bool", "true,false")).toEqual([200, '{"predictions":[true,false]}']);
    expect(await of("float64", "0.1,1e300,3")).toEqual([200, '{"predictions":[0.1,1e+300,3.0]}']);
  });

  test("sizes that a signature leaves open are the request's", async () => {
    expect(await answers("/v1/models/ragged:predict", '{"instances": [[1, 2, 3, 4], [5, 6, 7, 8]]}')).toEqual([
      200,
      { predictions: [10, 26] },
    ]);
    expect(await answers("/v1/models/ragged:predict", '{"instances": [[1]]}')).toEqual([200, { predictions: [1] }]);
  });

  test("a signature without a batch runs alone", async () => {
    expect(await answers("/v1/models/fixed:predict", '{"inputs": [[1, 2], [3, 4]]}')).toEqual([200, { outputs: 10 }]);
    expect(await answers("/v1/models/fixed:predict", '{"instances": [[1, 2], [3, 4]]}')).toEqual([
      400,
      error("Tensor name: y has no shape information "),
    ]);
    const [status, body] = await answers("/v1/models/uneven:predict", '{"instances": [[1, 2, 3], [4, 5, 6]]}');
    expect([status, body]).toEqual([400, error("Tensor name: z has inconsistent batch size: 3 expecting: 2")]);
  });

  const element = (i: number, why: string, where = ""): string =>
    `Failed to process element: ${i}${where} of 'instances' list. Error: INVALID_ARGUMENT: ${why}`;
  test.each([
    ["", "JSON Parse error: The document is empty"],
    ["  ", "JSON Parse error: The document is empty"],
    ["instances = [1]", "JSON Parse error: Invalid value. at offset: 0"],
    ['{"instances": [1, 2}', "JSON Parse error: Missing a comma or ] after an array element. at offset: 19"],
    ['{"instances": [1]} x', "JSON Parse error: The document root must not be followed by other values. at offset: 19"],
    ["[1]", "JSON Value: [\n    1\n] Is not object"],
    ["{}", "Missing 'inputs' or 'instances' key"],
    ['{"signature_name": 1, "instances": []}', "signature_name' key must be a string value."],
    ['{"signature_name": "no", "instances": [1]}', 'Serving signature name: "no" not found in signature def'],
    ['{"instances": [1], "inputs": [1]}', "expecting only one of 'inputs' or 'instances' keys to exist"],
    ['{"instances": 1}', "Excepting 'instances' to be an list/array"],
    ['{"instances": []}', "No values in 'instances' array"],
    ['{"instances": [["a", 1, 2]]}', element(0, 'JSON Value: "a" Type: String is not of expected type: float')],
    ['{"instances": [[true, 1, 2]]}', element(0, "JSON Value: true Type: True is not of expected type: float")],
    ['{"instances": [[null, 1, 2]]}', element(0, "JSON Value: null Type: Null is not of expected type: float")],
    ['{"instances": [{"b64": "aGk="}]}', "Type: Object is not of expected type: float"],
    ['{"instances": [[1, 2, 3], [1, 2]]}', element(1, "Expecting tensor size: 3 but got: 2")],
    ['{"instances": [[[1, 2, 3]], [1, 2, 3]]}', element(1, "Expecting shape [1,3] but got: [3]")],
    [
      '{"instances": [[[1, 2], [1]]]}',
      element(0, "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
    ],
    ['{"instances": [[1, [2], 3]]}', element(0, "Encountered list at unexpected level: 1 expected < 1")],
    ['{"instances": [[[1], 2]]}', "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"],
    ['{"instances": [{"x": [1, 2, 3]}, [1, 2, 3]]}', "Expecting object but got list at item 1 of input list"],
    ['{"instances": [[1, 2, 3], {"x": [1, 2, 3]}]}', "Expecting value/list but got object at item 1 of input list"],
    ['{"instances": [{"z": [1]}]}', element(0, "JSON object: does not have named input: z", " key: z")],
    ['{"instances": [{}]}', "of 'instances' list. JSON object: {} keys must be equal to: x"],
    ['{"inputs": {"z": [1]}}', "Missing named input: x in 'inputs' object."],
    ['{"instances": [[1, 2, 16777217]]}', "Cannot convert JSON value: 16777217 to float without loss of precision."],
    ['{"instances": [[1, 2, 1e39]]}', "Cannot convert JSON value: 1e+39 to float without loss of precision."],
    ['{"instances": [[1, 2, 1e400]]}', "JSON Parse error: Number too big to be stored in double. at offset: 22"],
    ['{"instances": [[1, 2, .5]]}', "JSON Parse error: Invalid value. at offset: 22"],
    ['{"instances": [[1, 2, 01]]}', "JSON Parse error: Missing a comma or ] after an array element. at offset: 23"],
    ['{"instances": [[1, 2]]}', 'input "x" of signature "serving_default": expected shape [batch,3], got [1,2]'],
  ])("refuses %s", async (body, want) => {
    const [status, text] = await server.post(predict, body);
    expect(JSON.parse(text)).toEqual({ error: expect.stringContaining(want) });
    expect(status).toBe(400);
  });

  test("refuses what is nested too deeply for any tensor", async () => {
    const [status, text] = await server.post(predict, `{"instances": ${"[".repeat(100_000)}`);
    expect([status, JSON.parse(text)]).toEqual([
      400,
      error("JSON Parse error: Nested deeper than 100 levels. at offset: 113"),
    ]);
  });

  test("integers take integers only", async () => {
    for (const [model, value] of [
      ["int32", "1.0"],
      ["int32", "2147483648"],
      ["uint8", "256"],
      ["int64", "9223372036854775808"],
      ["int64", "1e3"],
    ] as const) {
      const [status, body] = await answers(`/v1/models/${model}:predict`, `{"instances": [${value}]}`);
      expect(body).toEqual({ error: expect.stringContaining(`Type: Number is not of expected type: ${model}`) });
      expect(status).toBe(400);
    }
    expect(await answers("/v1/models/bool:predict", '{"instances": [1]}')).toEqual([
      400,
      error(element(0, "JSON Value: 1 Type: Number is not of expected type: bool")),
    ]);
  });

  test("several inputs must be named", async () => {
    const path = "/v1/models/two:predict";
    expect(await answers(path, '{"instances": [[1, 2]]}')).toEqual([
      400,
      error(
        "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map",
      ),
    ]);
    expect(await answers(path, '{"inputs": [[1, 2]]}')).toEqual([
      400,
      error(
        "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map",
      ),
    ]);
    expect(await answers(path, '{"instances": [{"a": [1, 2]}]}')).toEqual([
      400,
      { error: expect.stringContaining("keys must be equal to: a,b") },
    ]);
    expect(await answers(path, '{"inputs": {"a": [[1, 2]], "b": [[1, 2], [3, 4]]}}')).toEqual([
      400,
      error('inputs of a batch share dimension 0: "a" has 1 rows, "b" has 2'),
    ]);
  });

  test("what is not there is not found", async () => {
    const body = '{"instances": [1]}';
    expect(await answers("/v1/models/no:predict", body)).toEqual([
      404,
      error("Servable not found for request: Latest(no)"),
    ]);
    expect(await answers("/v1/models/scale/versions/8:predict", body)).toEqual([
      404,
      error("Servable not found for request: Specific(scale, 8)"),
    ]);
    expect(await answers("/v1/models/scale/labels/no:predict", body)).toEqual([
      400,
      error("Unrecognized servable version label: no"),
    ]);
    // The body is looked at first.
    expect(await answers("/v1/models/no:predict", "")).toEqual([400, error("JSON Parse error: The document is empty")]);
  });

  test("malformed requests and what is not built", async () => {
    for (const path of [
      "/v1/models/scale",
      "/v1/foo",
      "/v1/models/scale/version/7:predict",
      "/v1/models/scale:explain",
    ]) {
      expect(await answers(path, "{}")).toEqual([400, error(`Malformed request: POST ${path}`)]);
    }
    const huge = "/v1/models/scale/versions/9223372036854775808:predict";
    expect(await answers(huge, "{}")).toEqual([
      400,
      error("Failed to convert version: 9223372036854775808 to numeric."),
    ]);
    for (const verb of ["classify", "regress"]) {
      expect(await answers(`/v1/models/scale:${verb}`, "{}")).toEqual([
        501,
        error(`the method ${verb} is not built yet, only predict`),
      ]);
    }
  });

  test("a body is JSON whatever its type is said to be", async () => {
    for (const type of ["application/json", "application/x-www-form-urlencoded", "text/plain"]) {
      const [status] = await server.post(predict, '{"instances": [[1, 2, 3]]}', { "content-type": type });
      expect(status).toBe(200);
    }
  });
});

describe("status and metadata", () => {
  test("a model's versions with their states", async () => {
    const status = { version: "7", state: "AVAILABLE", status: { error_code: "OK", error_message: "" } };
    for (const path of ["", "/versions/7", "/labels/stable"]) {
      const [code, body] = await server.get(`/v1/models/scale${path}`);
      expect([code, JSON.parse(body)]).toEqual([200, { model_version_status: [status] }]);
    }
  });

  test("signatures, with -1 for sizes that are open", async () => {
    const [, body] = await server.get("/v1/models/scale/metadata");
    const tensor = (name: string): object => ({
      dtype: "DT_FLOAT",
      tensor_shape: { dim: ["-1", "3"].map((size) => ({ size, name: "" })), unknown_rank: false },
      name,
    });
    expect(JSON.parse(body)).toEqual({
      model_spec: { name: "scale", signature_name: "", version: "7" },
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              inputs: { x: tensor("serving_default_x:0") },
              outputs: { y: tensor("StatefulPartitionedCall:0") },
              method_name: "tensorflow/serving/predict",
            },
          },
        },
      },
    });
  });

  test.each([
    ["/v1/models", 400, "Missing model name in request."],
    ["/v1/models/no", 404, "Could not find any versions of model no"],
    ["/v1/models/scale/versions/8", 404, "Could not find version 8 of model scale"],
    ["/v1/models/no/metadata", 404, "Servable not found for request: Latest(no)"],
    ["/v1/models/scale:predict", 400, "Malformed request: GET /v1/models/scale:predict"],
    ["/v1/foo", 400, "Malformed request: GET /v1/foo"],
  ])("%s is %d", async (path, status, message) => {
    const [code, body] = await server.get(path);
    expect([code, JSON.parse(body)]).toEqual([status, error(message)]);
  });
});

test("the plugin may stand under a prefix", async () => {
  const app = fastify();
  await app.register(millraceServing, { prefix: "/ml", models: { scale: scale(2) }, pollMs: 0 });
  const outer = await listen(app);
  expect(await outer.post("/ml/v1/models/scale:predict", '{"instances": [[1, 2, 3]]}')).toEqual([
    200,
    '{"predictions":[[2.0,4.0,6.0]]}',
  ]);
  await outer.close();
});
