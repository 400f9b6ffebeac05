"""Masked dense layers in PyTorch: what sparse training mostly is today.

The weights start masked and every gradient is masked, so that without weight decay they stay masked: one product
with the mask a step and layer, where masking the weights too would take two.
"""

import torch
from peer import Task, run

task = Task()
torch.set_num_threads(task.threads)
values = torch.from_numpy(task.values)
labels = torch.from_numpy(task.labels)


def linear(weight):
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.zero_()
    return layer


def way(**how):
    def start():
        layers, masked = [], []
        for index in task.sparse_layers:
            weight, mask = task.masked(index)
            layers += [linear(weight), torch.nn.ReLU()]
            masked.append((layers[-2].weight, torch.from_numpy(mask)))
        model = torch.nn.Sequential(*layers, linear(task.last_weight()))
        optimizer = torch.optim.SGD(
            model.parameters(), lr=task.learning_rate, momentum=task.momentum, nesterov=task.nesterov, **how
        )

        def step(indices):
            optimizer.zero_grad()
            outputs = model(values.index_select(0, indices))
            loss = torch.nn.functional.cross_entropy(outputs, labels.index_select(0, indices))
            loss.backward()
            for weight, mask in masked:
                weight.grad.mul_(mask)
            optimizer.step()
            return loss.detach()

        return step

    return start


run(
    task,
    torch.__version__,
    {"fused optimizer": way(fused=True), "foreach optimizer": way(foreach=True), "plain optimizer": way(foreach=False)},
    torch.from_numpy,
)
