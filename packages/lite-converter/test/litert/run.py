"""Runs .tflite models in LiteRT: a request a line of JSON on stdin, an answer a line on stdout.

Request: {"model": base64, "signature": name, "inputs": {name: {"dtype", "shape", "data": base64}}, "plain": bool}
Answer: {"outputs": {name: {"dtype", "shape", "data"}}, "operators": [...]} or {"error": text}
`plain` leaves out the delegate that LiteRT uses by itself (XNNPACK), so that its built-in kernels answer.
"""

import base64
import json
import sys

import numpy as np
from ai_edge_litert import interpreter as litert


def decode(array):
    data = np.frombuffer(base64.b64decode(array["data"]), dtype=array["dtype"])
    return data.reshape(array["shape"])


def encode(array):
    array = np.asarray(array, order="C")
    return {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "data": base64.b64encode(array.tobytes()).decode(),
    }


def answer(request):
    resolver = litert.OpResolverType
    plain = resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    model = litert.Interpreter(
        model_content=base64.b64decode(request["model"]),
        num_threads=1,
        experimental_op_resolver_type=plain if request.get("plain") else resolver.BUILTIN,
    )
    runner = model.get_signature_runner(request["signature"])
    inputs = {name: decode(array) for name, array in request["inputs"].items()}
    outputs = runner(**inputs)
    operators = [op["op_name"] for op in model._get_ops_details()]
    return {"outputs": {name: encode(array) for name, array in outputs.items()}, "operators": operators}


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:  # whatever LiteRT refuses is the answer
        reply = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(reply), flush=True)
