"""Asks a server through tensorflow-serving-api's own stubs: predict.py TARGET. Prints what came back, as JSON."""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

channel = grpc.insecure_channel(sys.argv[1])
predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
models = model_service_pb2_grpc.ModelServiceStub(channel)


def request_of(model, version=None, label=None, signature=None, filter=(), **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    if signature is not None:
        request.model_spec.signature_name = signature
    request.output_filter.extend(filter)
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def predict(*args, **kwargs):
    try:
        response = predictions.Predict(request_of(*args, **kwargs), timeout=30)
    except grpc.RpcError as error:
        return {"code": error.code().name, "details": error.details()}
    outputs = {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}
    return {
        "spec": [response.model_spec.name, response.model_spec.version.value, response.model_spec.signature_name],
        "outputs": {name: [str(x.dtype), x.shape, x.tolist()] for name, x in outputs.items()},
    }


def fields(model, dtype, shape, **values):
    """A request whose tensor has its values in a field of their own."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    proto = request.inputs["x"]
    proto.dtype = dtype
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    for field, items in values.items():
        getattr(proto, field).extend(items)
    try:
        response = predictions.Predict(request, timeout=30)
    except grpc.RpcError as error:
        return {"code": error.code().name, "details": error.details()}
    return tf.make_ndarray(response.outputs["y"]).tolist()


def metadata(model):
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = model
    request.metadata_field.append("signature_def")
    response = predictions.GetModelMetadata(request, timeout=30)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    def info(tensors):
        return {n: [t.dtype, [d.size for d in t.tensor_shape.dim]] for n, t in tensors.items()}
    return {
        "version": response.model_spec.version.value,
        "signatures": {n: [info(s.inputs), info(s.outputs), s.method_name] for n, s in signatures.signature_def.items()},
    }


def status(model):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = model
    try:
        response = models.GetModelStatus(request, timeout=30)
    except grpc.RpcError as error:
        return {"code": error.code().name, "details": error.details()}
    state = get_model_status_pb2.ModelVersionStatus.State
    return [[s.version, state.Name(s.state), s.status.error_code, s.status.error_message] for s in response.model_version_status]


f = np.float32
ones = np.ones([1, 3], f)
print(
    json.dumps(
        {
            "float": predict("scale", x=np.array([[1, 2, 3], [0.5, -1, 1e30]], f)),
            "version": predict("scale", version=7, x=ones),
            "label": predict("scale", label="stable", x=ones),
            "int64": predict("int64", x=np.array([2**62 + 1, -(2**63)], np.int64)),
            "int32": predict("int32", x=np.array([-7, 2**31 - 1], np.int32)),
            "uint8": predict("uint8", x=np.array([0, 255], np.uint8)),
            "bool": predict("bool", x=np.array([True, False])),
            "float64": predict("float64", x=np.array([0.1, 1e300])),
            "two": predict("two", a=np.array([[1, 2]], f), b=np.array([[3, 4]], f)),
            "filter": predict("two", filter=["sum"], a=np.array([[1, 2]], f), b=np.array([[3, 4]], f)),
            "fields": fields("scale", 1, [2, 3], float_val=[1, 2, 3, 4, 5, 6]),
            "last value repeats": fields("scale", 1, [2, 3], float_val=[1, 2]),
            "no value": fields("scale", 1, [1, 3]),
            "int64 fields": fields("int64", 9, [2], int64_val=[-5, 2**53 + 1]),
            "too many values": fields("scale", 1, [1, 3], float_val=[1, 2, 3, 4]),
            "no model": predict("no", x=ones),
            "no version": predict("scale", version=8, x=ones),
            "no label": predict("scale", label="no", x=ones),
            "no signature": predict("scale", signature="no", x=ones),
            "missing input": predict("two", a=ones),
            "extra input": predict("scale", x=ones, z=ones),
            "other input": predict("scale", z=ones),
            "no output": predict("scale", filter=["no"], x=ones),
            "dtype": predict("scale", x=np.ones([1, 3], np.int64)),
            "strings": predict("scale", x=np.array(["a"])),
            "shape": predict("scale", x=np.ones([1, 4], f)),
            "metadata": metadata("two"),
            "status": status("scale"),
            "no status": status("no"),
        }
    )
)
