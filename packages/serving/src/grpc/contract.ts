import protobuf from "protobufjs";

// The part of TensorFlow Serving's gRPC contract that is served: packages, messages, fields and their numbers. Enums are
// int32, and well-known wrappers have a message of their own: on the wire they are the same. What is left out of a message
// is skipped when it is read, as unknown fields are.

const tensorText = `
syntax = "proto3";

package tensorflow;

message TensorShapeProto {
  message Dim { int64 size = 1; string name = 2; }
  repeated Dim dim = 2;
  bool unknown_rank = 3;
}
message TensorProto {
  int32 dtype = 1;
  TensorShapeProto tensor_shape = 2;
  bytes tensor_content = 4;
  repeated float float_val = 5;
  repeated double double_val = 6;
  repeated int32 int_val = 7;
  repeated int64 int64_val = 10;
  repeated bool bool_val = 11;
  repeated int32 half_val = 13;
}
message TensorInfo { string name = 1; int32 dtype = 2; TensorShapeProto tensor_shape = 3; }
message SignatureDef {
  map<string, TensorInfo> inputs = 1;
  map<string, TensorInfo> outputs = 2;
  string method_name = 3;
}
`;

const servingText = `
syntax = "proto3";

package tensorflow.serving;

message Int64Value { int64 value = 1; }
message Any { string type_url = 1; bytes value = 2; }
message ModelSpec { string name = 1; Int64Value version = 2; string signature_name = 3; string version_label = 4; }

message PredictRequest {
  ModelSpec model_spec = 1;
  map<string, tensorflow.TensorProto> inputs = 2;
  repeated string output_filter = 3;
}
message PredictResponse { map<string, tensorflow.TensorProto> outputs = 1; ModelSpec model_spec = 2; }

message GetModelMetadataRequest { ModelSpec model_spec = 1; repeated string metadata_field = 2; }
message SignatureDefMap { map<string, tensorflow.SignatureDef> signature_def = 1; }
message GetModelMetadataResponse { ModelSpec model_spec = 1; map<string, Any> metadata = 2; }

message GetModelStatusRequest { ModelSpec model_spec = 1; }
message StatusProto { int32 error_code = 1; string error_message = 2; }
message ModelVersionStatus { int64 version = 1; int32 state = 2; StatusProto status = 3; }
message GetModelStatusResponse { repeated ModelVersionStatus model_version_status = 1; }
`;

const healthText = `
syntax = "proto3";

package grpc.health.v1;

message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { int32 status = 1; }
`;

const root = new protobuf.Root();
for (const text of [tensorText, servingText, healthText]) protobuf.parse(text, root, { keepCase: true });

/** A 64-bit integer on the wire: two halves. */
export interface Long {
  readonly low: number;
  readonly high: number;
}

export interface TensorShape {
  readonly dim?: readonly { readonly size?: Long | number }[];
  readonly unknown_rank?: boolean;
}

export interface TensorProto {
  readonly dtype?: number;
  readonly tensor_shape?: TensorShape | null;
  readonly tensor_content?: Uint8Array;
  readonly float_val?: ArrayLike<number>;
  readonly double_val?: ArrayLike<number>;
  readonly int_val?: ArrayLike<number>;
  /** The bits of 16-bit floats. */
  readonly half_val?: ArrayLike<number>;
  readonly int64_val?: ArrayLike<Long>;
  readonly bool_val?: ArrayLike<boolean | number>;
}

export interface ModelSpecProto {
  readonly name?: string;
  readonly version?: { readonly value?: Long | number } | null;
  readonly signature_name?: string;
  readonly version_label?: string;
}

export interface PredictRequest {
  readonly model_spec?: ModelSpecProto | null;
  readonly inputs?: Readonly<Record<string, TensorProto>>;
  readonly output_filter?: readonly string[];
}

export interface PredictResponse {
  readonly outputs?: Readonly<Record<string, TensorProto>>;
  readonly model_spec?: ModelSpecProto | null;
}

export interface TensorInfo {
  readonly name: string;
  readonly dtype: number;
  readonly tensor_shape: TensorShape;
}

export interface SignatureDefMap {
  readonly signature_def: Readonly<
    Record<
      string,
      {
        readonly inputs: Readonly<Record<string, TensorInfo>>;
        readonly outputs: Readonly<Record<string, TensorInfo>>;
        readonly method_name: string;
      }
    >
  >;
}

export interface GetModelMetadataRequest {
  readonly model_spec?: ModelSpecProto | null;
  readonly metadata_field?: readonly string[];
}

export interface GetModelMetadataResponse {
  readonly model_spec: ModelSpecProto;
  readonly metadata: Readonly<Record<string, { readonly type_url: string; readonly value: Uint8Array }>>;
}

export interface GetModelStatusRequest {
  readonly model_spec?: ModelSpecProto | null;
}

export interface GetModelStatusResponse {
  readonly model_version_status: readonly {
    readonly version: Long;
    readonly state: number;
    readonly status: { readonly error_code: number; readonly error_message: string };
  }[];
}

export interface HealthCheckRequest {
  readonly service?: string;
}

export interface HealthCheckResponse {
  readonly status: number;
}

/** A message type: how its bytes are read and written. */
export interface Codec<T> {
  /** @throws where the bytes are no such message */
  decode(bytes: Uint8Array): T;
  encode(message: T): Buffer;
}

function codec<T>(name: string): Codec<T> {
  const type = root.lookupType(name);
  return {
    // boundary: the messages' interfaces above are written by the text beside them; absent fields have their defaults
    decode: (bytes) => type.decode(bytes) as T & protobuf.Message,
    encode: (message) => Buffer.from(type.encode(message as Record<string, unknown>).finish()),
  };
}

export const messages: {
  readonly predictRequest: Codec<PredictRequest>;
  readonly predictResponse: Codec<PredictResponse>;
  readonly metadataRequest: Codec<GetModelMetadataRequest>;
  readonly metadataResponse: Codec<GetModelMetadataResponse>;
  readonly signatureDefMap: Codec<SignatureDefMap>;
  readonly statusRequest: Codec<GetModelStatusRequest>;
  readonly statusResponse: Codec<GetModelStatusResponse>;
  readonly healthRequest: Codec<HealthCheckRequest>;
  readonly healthResponse: Codec<HealthCheckResponse>;
} = {
  predictRequest: codec("tensorflow.serving.PredictRequest"),
  predictResponse: codec("tensorflow.serving.PredictResponse"),
  metadataRequest: codec("tensorflow.serving.GetModelMetadataRequest"),
  metadataResponse: codec("tensorflow.serving.GetModelMetadataResponse"),
  signatureDefMap: codec("tensorflow.serving.SignatureDefMap"),
  statusRequest: codec("tensorflow.serving.GetModelStatusRequest"),
  statusResponse: codec("tensorflow.serving.GetModelStatusResponse"),
  healthRequest: codec("grpc.health.v1.HealthCheckRequest"),
  healthResponse: codec("grpc.health.v1.HealthCheckResponse"),
};

/** The numbers of a version's states. */
export const stateNumbers = { START: 10, LOADING: 20, AVAILABLE: 30, UNLOADING: 40, END: 50 } as const;

/** The exact integer. */
export function bigOf(x: Long | number): bigint {
  return typeof x === "number" ? BigInt(x) : (BigInt(x.high) << 32n) | BigInt(x.low >>> 0);
}

export function longOf(x: number | bigint): Long {
  const big = BigInt.asIntN(64, BigInt(x));
  return { low: Number(BigInt.asIntN(32, big)), high: Number(BigInt.asIntN(32, big >> 32n)) };
}
