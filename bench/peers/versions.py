"""The versions of the peers that are installed, as JSON."""
import importlib.metadata
import json

versions = {}
for name in ("torch", "tensorflow-cpu", "keras", "jax", "numpy", "onnxruntime", "ai-edge-litert"):
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(versions))
