"""Truly sparse layers with SciPy's CSR products, which run on one thread, and everything else in NumPy.

SciPy has no sampled product. The weight gradient either keeps to the nonzeros (rows of both factors gathered and
multiplied, in chunks that stay in cache) or is a dense product of NumPy's BLAS (on all threads) of which the
nonzeros are taken: the faster one counts.
"""

import numpy
import scipy
from peer import Task, run

task = Task()
CHUNK = 4096


class Weight:
    def __init__(self, layer):
        shape = (task.sizes[layer + 1], task.sizes[layer])
        offsets, columns, values = task.csr(layer)
        self.rows, self.columns = task.rows(layer), columns.astype(numpy.int64)
        self.places = self.rows * shape[1] + self.columns
        self.matrix = scipy.sparse.csr_matrix((values, columns, offsets.astype(numpy.int32)), shape=shape)
        self.values = self.matrix.data
        self.positions = numpy.lexsort((self.rows, self.columns))
        ends = numpy.cumsum(numpy.bincount(self.columns, minlength=shape[1]))
        self.transposed = scipy.sparse.csr_matrix(
            (
                values[self.positions],
                self.rows[self.positions].astype(numpy.int32),
                numpy.concatenate([[0], ends]).astype(numpy.int32),
            ),
            shape=(shape[1], shape[0]),
        )

    def transposed_product(self, gradient):
        numpy.take(self.values, self.positions, out=self.transposed.data)
        return self.transposed @ gradient


def gathered(weight, gradient, inputs):
    result = numpy.empty_like(weight.values)
    for begin in range(0, len(result), CHUNK):
        part = slice(begin, begin + CHUNK)
        numpy.einsum("nb,nb->n", gradient[weight.rows[part]], inputs[weight.columns[part]], out=result[part])
    return result


def picked(weight, gradient, inputs):
    return numpy.take(gradient @ inputs.T, weight.places)


def way(weight_gradient):
    def start():
        weights = [Weight(layer) for layer in task.sparse_layers]
        last = task.last_weight()
        biases = [numpy.zeros((size, 1), numpy.float32) for size in task.sizes[1:]]
        parameters = [*(weight.values for weight in weights), last, *biases]
        velocities = [numpy.zeros_like(parameter) for parameter in parameters]

        def update(gradients):
            for parameter, velocity, gradient in zip(parameters, velocities, gradients):
                velocity *= task.momentum
                velocity += gradient
                if task.nesterov:
                    gradient += task.momentum * velocity
                    parameter -= task.learning_rate * gradient
                else:
                    parameter -= task.learning_rate * velocity

        def step(indices):
            activations = [numpy.ascontiguousarray(task.values[indices].T)]
            for weight, bias in zip(weights, biases):
                outputs = weight.matrix @ activations[-1]
                outputs += bias
                activations.append(numpy.maximum(outputs, 0, out=outputs))
            outputs = last @ activations[-1] + biases[-1]
            outputs -= outputs.max(axis=0)
            gradient = numpy.exp(outputs)
            sums = gradient.sum(axis=0)
            labels, samples = task.labels[indices], numpy.arange(len(indices))
            loss = numpy.mean(numpy.log(sums) - outputs[labels, samples])
            gradient /= sums
            gradient[labels, samples] -= 1
            gradient /= len(indices)
            bias_gradients = [gradient.sum(axis=1, keepdims=True)]
            last_gradient = gradient @ activations[-1].T
            gradient = last.T @ gradient
            weight_gradients = []
            for index in reversed(task.sparse_layers):
                gradient *= activations[index + 1] > 0
                weight_gradients.insert(0, weight_gradient(weights[index], gradient, activations[index]))
                bias_gradients.insert(0, gradient.sum(axis=1, keepdims=True))
                if index > 0:
                    gradient = weights[index].transposed_product(gradient)
            update([*weight_gradients, last_gradient, *bias_gradients])
            return loss

        return step

    return start


run(
    task,
    f"{scipy.__version__}, NumPy {numpy.__version__}",
    {
        "CSR products on one thread; weight gradient gathered at the nonzeros": way(gathered),
        "CSR products on one thread; weight gradient dense, nonzeros taken": way(picked),
    },
)
