"""What the Python peers share: a task's files, the choice of the fastest way, timing, the answer."""

import itertools
import json
import os
import statistics
import sys
import time

import numpy


class Task:
    """The task given on the command line as JSON (task.ts), with its files (files.ts)."""

    def __init__(self):
        given = json.loads(sys.argv[1])
        self.folder = given["folder"]
        self.sizes = given["sizes"]
        self.batch = given["batch"]
        self.threads = given["threads"]
        self.learning_rate = given["learningRate"]
        self.momentum = given["momentum"]
        self.nesterov = given["nesterov"]
        self.check_steps = given["checkSteps"]
        self.seconds = given["seconds"]
        self.values = self._read("values", numpy.float32).reshape(-1, self.sizes[0])
        self.labels = self._read("labels", numpy.int32).astype(numpy.int64)
        self.order = self._read("order", numpy.int32).astype(numpy.int64)

    def _read(self, name, type):
        return numpy.fromfile(os.path.join(self.folder, name), dtype=type)

    @property
    def sparse_layers(self):
        return range(len(self.sizes) - 2)

    def csr(self, layer):
        """Row offsets, columns and values of a sparse layer, outputs x inputs."""
        return (
            self._read(f"layers.{layer}.crow_indices", numpy.int64),
            self._read(f"layers.{layer}.col_indices", numpy.int32),
            self._read(f"layers.{layer}.values", numpy.float32),
        )

    def rows(self, layer):
        """The row of each value of a sparse layer."""
        offsets = self.csr(layer)[0]
        return numpy.repeat(numpy.arange(len(offsets) - 1), numpy.diff(offsets))

    def masked(self, layer):
        """A sparse layer as a dense matrix, outputs x inputs, and its mask of zeros and ones."""
        _, columns, values = self.csr(layer)
        rows = self.rows(layer)
        weight = numpy.zeros((self.sizes[layer + 1], self.sizes[layer]), numpy.float32)
        mask = numpy.zeros_like(weight)
        weight[rows, columns] = values
        mask[rows, columns] = 1
        return weight, mask

    def last_weight(self):
        """The weights of the dense last layer, outputs x inputs."""
        weight = self._read(f"layers.{len(self.sizes) - 2}.weight", numpy.float32)
        return weight.reshape(self.sizes[-1], self.sizes[-2])

    def batches(self, convert):
        """The sample numbers of each batch, over and over, in the form that convert makes of them."""
        starts = range(0, len(self.order), self.batch)
        return itertools.cycle([convert(self.order[start : start + self.batch]) for start in starts])


def _times(step, batches, seconds):
    """Milliseconds of each step, after three to warm up."""
    for _ in range(3):
        step(next(batches))
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        step(next(batches))
        times.append(1000 * (time.perf_counter() - start))
    return times


def run(task, version, ways, convert=lambda indices: indices):
    """Takes the fastest way, checks its first losses, times it and prints the answer.

    ways: what each is called, and a function that starts from the task's weights and returns
    step(indices), which trains on these samples and returns their mean loss before the update.
    """
    quickest = {
        name: statistics.median(_times(way(), task.batches(convert), task.seconds / 8)) for name, way in ways.items()
    }
    name = min(quickest, key=quickest.get)
    step = ways[name]()
    batches = task.batches(convert)
    loss = statistics.mean(float(step(next(batches))) for _ in range(task.check_steps))
    milliseconds = _times(step, batches, task.seconds)
    print(json.dumps({"version": version, "note": name, "loss": loss, "milliseconds": milliseconds}))
