"""What Python says about Espalier's files, and files of Python's own for Espalier to read.

check.py FOLDER reads FOLDER/espalier.json, prints one JSON object a line for each check, writes its own files into
FOLDER and says in FOLDER/python.json what is in them.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import scipy.sparse as sp
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder = Path(sys.argv[1])
manifest = json.loads((folder / "espalier.json").read_text())


def report(check, problem=""):
    print(json.dumps({"check": check, "problem": problem}))


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def compare(check, found, expected):
    """Arrays by name against their type, shape and digest."""
    problems = [f"{name} is missing" for name in expected if name not in found]
    for name, array in found.items():
        said = expected.get(name)
        mine = {"type": array.dtype.str.lstrip("<|"), "shape": list(array.shape), "digest": digest(array)}
        if said != mine:
            problems.append(f"{name}: {mine} is not {said}")
    report(check, "; ".join(problems))


def our_files():
    for name, expected in manifest["checkpoints"].items():
        file = folder / f"{name}.safetensors"
        compare(f"safetensors reads the checkpoint of {name}", load_file(file), expected)
        with safe_open(file, "np") as opened:
            report(f"safetensors reads its metadata ({name})", "" if "espalier.network" in opened.metadata() else "none")
    for name in ("arrays", "compressed"):
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            compare(f"NumPy reads {name}.npz", dict(arrays), manifest["arrays"])
    compare("NumPy reads one.npy", {"one": np.load(folder / "one.npy")}, manifest["one"])
    for name, expected in manifest["matrices"].items():
        matrix = sp.load_npz(folder / name)
        canonical = "" if matrix.has_canonical_format and matrix.format == "csr" else f"{matrix.format}, not canonical"
        report(f"SciPy takes {name} for canonical CSR", canonical)
        compare(f"SciPy reads {name}", {"matrix": matrix.toarray()}, {"matrix": expected})
    for name in manifest["models"]:
        model = onnx.load(folder / name)
        # Its shape inference gives sparse initializers a type that no operator takes; runtimes make them dense.
        onnx.checker.check_model(model, full_check=not model.graph.sparse_initializer)
        report(f"onnx checks {name}")


def events():
    expected = manifest["events"]
    accumulator = EventAccumulator(str(folder / "logs"), size_guidance={"histograms": 0, "scalars": 0})
    accumulator.Reload()
    tags = accumulator.Tags()
    problems = []
    for tag, points in expected["scalars"].items():
        found = [[event.step, event.value] for event in accumulator.Scalars(tag)] if tag in tags["scalars"] else []
        if not np.array_equal(np.float32(found), np.float32(points)):
            problems.append(f"{tag}: {found} is not {points}")
    report("TensorBoard reads the scalars", "; ".join(problems))
    problems = []
    for tag, count in expected["histograms"].items():
        values = accumulator.Histograms(tag)[-1].histogram_value if tag in tags["histograms"] else None
        if values is None or values.num != count or sum(values.bucket) != count:
            problems.append(f"{tag}: {values} has not {count} values")
    report("TensorBoard reads the histograms", "; ".join(problems))


def plain(array):
    return {"shape": list(array.shape), "values": array.astype(np.float64).ravel().tolist()}


def arrays_of_python():
    rng = np.random.default_rng(1)
    arrays = {
        "float32": rng.standard_normal((3, 4)).astype("<f4"),
        "float64": rng.standard_normal(5),
        "half": rng.standard_normal((2, 2)).astype(np.float16),
        "big_endian": rng.integers(-1000, 1000, (2, 3)).astype(">i4"),
        "fortran": np.asfortranarray(rng.standard_normal((2, 3, 4)).astype(np.float32)),
        "int64": np.array([2**53, -(2**53)]),
        "mask": rng.random((4, 5)) > 0.5,
        "number": np.array(3.5),
        "empty": np.zeros((0, 3)),
        "layers/0/weight": rng.standard_normal((2, 2)),
    }
    np.savez(folder / "python.npz", **arrays)
    np.savez_compressed(folder / "python_compressed.npz", **arrays)
    np.save(folder / "python.npy", arrays["fortran"])
    return {name: plain(array) for name, array in arrays.items()}


def matrices_of_python():
    rng = np.random.default_rng(2)
    dense = np.where(rng.random((6, 8)) > 0.7, rng.standard_normal((6, 8)), 0)
    matrices = {}
    for kind in ("csr", "csc", "coo", "bsr"):
        for type_ in (np.float32, np.float64, np.bool_, np.int64):
            name = f"{kind}_{np.dtype(type_).name}.npz"
            given = (dense * 10).astype(type_)
            matrix = sp.bsr_matrix(given, blocksize=(2, 4)) if kind == "bsr" else getattr(sp, f"{kind}_matrix")(given)
            sp.save_npz(folder / name, matrix, compressed=type_ is np.float32)
            matrices[name] = plain(given)
    wide = sp.csr_array(dense.astype(np.float32))
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    sp.save_npz(folder / "csr_array.npz", wide)
    matrices["csr_array.npz"] = plain(dense.astype(np.float32))
    return matrices


def networks_of_python():
    """A perceptron, pruned here to 80 % a layer, and what it says about some samples, in float64."""
    rng = np.random.default_rng(3)
    sizes = [12, 30, 20, 4]
    layers = [
        (rng.standard_normal((o, i)).astype(np.float32), rng.standard_normal(o).astype(np.float32))
        for i, o in zip(sizes, sizes[1:])
    ]
    named = {}
    for n, (weight, bias) in enumerate(layers, 1):
        named[f"fc{n}.weight"], named[f"fc{n}.bias"] = weight, bias
    save_file(named, folder / "python.safetensors", metadata={"format": "pt"})
    pruned, masked = [], dict(named)
    for n, (weight, bias) in enumerate(layers, 1):
        if n < len(layers):
            keep = weight.size - int(np.floor(0.8 * weight.size))
            limit = np.sort(np.abs(weight), axis=None)[-keep]
            weight = np.where(np.abs(weight) >= limit, weight, 0)
        masked[f"fc{n}.weight"] = weight
        pruned.append((weight.astype(np.float64), bias.astype(np.float64)))
    np.savez_compressed(folder / "python_masked.npz", **masked)
    samples = rng.standard_normal((16, sizes[0])).astype(np.float32)
    x = samples.astype(np.float64)
    for n, (weight, bias) in enumerate(pruned, 1):
        x = x @ weight.T + bias
        if n < len(pruned):
            x = np.maximum(x, 0)
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    connections = [int(np.count_nonzero(weight)) for weight, _ in pruned]
    return {"samples": samples.ravel().tolist(), "probabilities": probabilities.ravel().tolist(), "connections": connections}


our_files()
events()
written = {"arrays": arrays_of_python(), "matrices": matrices_of_python(), "network": networks_of_python()}
(folder / "python.json").write_text(json.dumps(written))
