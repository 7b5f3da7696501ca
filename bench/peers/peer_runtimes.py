"""LiteRT and ONNX Runtime: case g. The models are made by ../shared/anchors/g_export.py and g_onnx.py."""
import work
from serve import REFS, THREADS, serve


def litert(_):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(f"{REFS}/models/mnv2_fp32.tflite", num_threads=THREADS)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], work.picture())
    return work.picture_task(interpreter.invoke)


def onnxruntime(_):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(f"{REFS}/models/mnv2.onnx", options, providers=["CPUExecutionProvider"])
    x = {session.get_inputs()[0].name: work.picture()}
    return work.picture_task(lambda: session.run(None, x))


serve(lambda: None, {"g": {"LiteRT/XNNPACK fp32": {"g": litert}, "onnxruntime": {"g": onnxruntime}}})
