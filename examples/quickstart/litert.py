"""litert.py MODEL.tflite: reads digits from stdin as float32 bytes, writes LiteRT's probabilities to stdout likewise."""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

images = np.frombuffer(sys.stdin.buffer.read(), dtype=np.float32).reshape(-1, 28, 28, 1)
model = Interpreter(model_path=sys.argv[1], num_threads=2)
answer = model.get_signature_runner("serving_default")
sys.stdout.buffer.write(answer(input=images)["output"].tobytes())
