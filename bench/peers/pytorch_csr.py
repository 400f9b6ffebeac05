"""Truly sparse layers by what PyTorch has for them: CSR tensors.

Activations are features x batch, which the products want. The input gradient multiplies by a CSR tensor of the
transpose whose values are gathered once a step (the product with `.t()`, which is CSC, is several times slower); the
weight gradient is torch.sparse.sampled_addmm. Only the nonzeros have gradients and momentum.
"""

import warnings

import torch
from peer import Task, run

warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
torch.sparse.check_sparse_tensor_invariants.disable()
task = Task()
torch.set_num_threads(task.threads)
values = torch.from_numpy(task.values)
labels = torch.from_numpy(task.labels)


class Weight:
    """A sparse layer's values, and both views of them; the first shares its memory with the values."""

    def __init__(self, layer):
        shape = (task.sizes[layer + 1], task.sizes[layer])
        offsets, columns, numbers = (torch.from_numpy(part) for part in task.csr(layer))
        rows = torch.from_numpy(task.rows(layer))
        self.values = torch.nn.Parameter(numbers)
        self.matrix = torch.sparse_csr_tensor(offsets.int(), columns, self.values.detach(), shape)
        self.positions = torch.argsort(columns.long() * shape[0] + rows)
        counts = torch.bincount(columns, minlength=shape[1])
        transposed_offsets = torch.cat([torch.zeros(1, dtype=torch.long), counts.cumsum(0)])
        self.transposed_values = numbers[self.positions]
        self.transposed = torch.sparse_csr_tensor(
            transposed_offsets.int(), rows[self.positions].int(), self.transposed_values, (shape[1], shape[0])
        )


class SparseProduct(torch.autograd.Function):
    @staticmethod
    def forward(context, inputs, values, weight, product):
        context.save_for_backward(inputs)
        context.weight, context.product = weight, product
        return product(weight.matrix, inputs)

    @staticmethod
    def backward(context, gradient):
        (inputs,) = context.saved_tensors
        weight = context.weight
        sampled = torch.sparse.sampled_addmm(weight.matrix, gradient, inputs.t(), beta=0.0)
        below = None
        if context.needs_input_grad[0]:
            torch.index_select(weight.values.detach(), 0, weight.positions, out=weight.transposed_values)
            below = context.product(weight.transposed, gradient)
        return below, sampled.values(), None, None


def way(product, **how):
    def start():
        weights = [Weight(layer) for layer in task.sparse_layers]
        last = torch.nn.Parameter(torch.from_numpy(task.last_weight()))
        biases = [torch.nn.Parameter(torch.zeros(size, 1)) for size in task.sizes[1:]]
        optimizer = torch.optim.SGD(
            [*(weight.values for weight in weights), last, *biases],
            lr=task.learning_rate,
            momentum=task.momentum,
            nesterov=task.nesterov,
            **how,
        )

        def step(indices):
            optimizer.zero_grad()
            activations = values.index_select(0, indices).t().contiguous()
            for weight, bias in zip(weights, biases):
                activations = torch.relu_(SparseProduct.apply(activations, weight.values, weight, product) + bias)
            outputs = torch.addmm(biases[-1], last, activations).t()
            loss = torch.nn.functional.cross_entropy(outputs, labels.index_select(0, indices))
            loss.backward()
            optimizer.step()
            return loss.detach()

        return step

    return start


products = {"MKL": torch.mm, "torch.sparse.mm reduce": lambda matrix, dense: torch.sparse.mm(matrix, dense, "sum")}
optimizers = {"fused": {"fused": True}, "foreach": {"foreach": True}}
run(
    task,
    torch.__version__,
    {
        f"{product_name}, sampled_addmm, {name} optimizer": way(product, **how)
        for product_name, product in products.items()
        for name, how in optimizers.items()
    },
    torch.from_numpy,
)
