"""All seeds at once: the parameters of 32 runs in one stack, the loss of one run mapped over them."""

from __future__ import annotations

import itertools
import math
from typing import ClassVar

import torch
from harness.stock.trainers._fields import Moving
from harness.stock.trainers._inputs import class_counts, forward, schedule
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from harness import Outcome, Trainer, call, hookimpl, wanted

ALONE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm, nn.RNNBase, nn.modules.conv._ConvNd)
ELEMENTWISE = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softplus, nn.Identity)


class Stacked(Trainer):
    """Trains a block of 32 seeds as one stack of models, for networks without random layers.

    A block always holds 32 lanes, so that a seed's numbers are the same to the bit whichever seeds are asked for; a
    lane that diverges stays alone with its NaN. Learning rates may differ between lanes.
    """

    width: ClassVar[int] = 32

    def skip(self, job):
        """Random, running or convolutional layers, mixed precision, and what torch.func cannot map over seeds."""
        if job.settings.amp:
            return "mixed precision (amp) is trained one seed at a time"
        model = job.model()
        for name, module in model.named_modules():
            if isinstance(module, ALONE):
                return f"the model's layer {name or 'itself'} ({type(module).__name__}) is trained one seed at a time"
        try:
            _Stack(job, [model]).step(torch.arange(3)[None] % job.train.index.shape[1], 0, 0, 1)
        except Exception as error:
            return f"torch.func cannot map it over seeds: {_first_sentence(error)}"
        return None

    def fit(self, job):
        """Train every lane for the set number of epochs."""
        stack = _Stack(job, [job.model(k) for k in range(len(job.seeds))])
        settings, examples = job.settings, job.train.index.shape[1]
        batches = math.ceil(examples / settings.batch)
        streams = [job.generator("batches", k) for k in range(len(job.seeds))]
        for epoch in range(settings.epochs):
            order = torch.stack([torch.randperm(examples, generator=stream) for stream in streams])
            for batch, places in enumerate(order.split(settings.batch, 1)):
                stack.step(places, epoch * batches + batch, epoch, settings.epochs * batches)
            job.report(epoch + 1, settings.epochs)
        return Outcome(test=stack.logits(job.test), validation=stack.logits(job.validation), learned=stack.learned())


def _first_sentence(error):
    return str(error).split("\n")[0].split(". ")[0][:160] or type(error).__name__


class _Stack:
    """The models of a block, the loss's moving fields and the optimizer of both."""

    def __init__(self, job, models):
        self.job = job
        self.lanes = len(models)
        self.moving = Moving(job.loss)
        self.wants = wanted(job.loss)
        self.network = _network(models, job.device)
        self.free = self.moving.start.to(job.device).repeat(self.lanes, 1).requires_grad_()
        self.leaves = [*self.network.weights.values(), self.free]
        self.optimizer = _Optimizer(self.leaves, job)
        self.norm = None
        self.state = {name: value.expand(self.lanes, *value.shape) for name, value in job.loss.state().items()}
        self.counts = class_counts(job.train.labels, job.classes) if "class_counts" in self.wants else None

    def step(self, places, step, epoch, total):
        """One optimizer step on the training examples at `places` [lanes, batch]."""
        job, progress = self.job, step / max(1, total - 1)
        examples, labels = job.train.rows(places).to(job.device), job.train.labels.gather(1, places).to(job.device)
        logits, features = self.network(examples, "features" in self.wants)
        mapped = {"index": job.train.index.gather(1, places), "features": features, "class_counts": self.counts}
        mapped = {name: value for name, value in mapped.items() if name in self.wants}
        shared = {"progress": torch.tensor(progress), "step": step, "epoch": epoch}
        if "generator" in self.wants:
            shared["generator"] = job.generator(f"loss/{step}")
        losses, state = vmap(self._loss_of_a_lane(shared), randomness="different")(
            logits, labels, self.free, mapped, self.state
        )
        self.state = {name: value.detach() for name, value in state.items()}
        gradients = torch.autograd.grad(losses.sum(), self.leaves, materialize_grads=True)
        if job.settings.normalize_gradient:
            gradients = self._normalized(gradients)
        self.optimizer.step(gradients, schedule(job.settings, progress))

    def _loss_of_a_lane(self, shared):
        def run(logits, labels, free, mapped, state):
            loss = self.moving.at(free.unbind(0), float(shared["progress"]))
            result = call(loss, logits, labels, **shared, **mapped, state=state)
            value, state = result if isinstance(result, tuple) else (result, state)
            return value.mean(), state

        return run

    def _normalized(self, gradients):
        """Each lane's gradient divided by a running mean of its norm, never by less than 0.01."""
        norm = torch.stack([gradient.flatten(1).square().sum(1) for gradient in gradients]).sum(0).sqrt()
        self.norm = norm if self.norm is None else 0.9 * self.norm + 0.1 * norm
        divisor = self.norm.clamp(min=0.01)
        return [gradient / divisor.view(-1, *[1] * (gradient.ndim - 1)) for gradient in gradients]

    @torch.no_grad()
    def logits(self, part):
        """Logits [lanes, m, classes] on every example of a part."""
        places = torch.arange(part.index.shape[1]).expand(self.lanes, -1)
        return self.network(part.rows(places).to(self.job.device), False)[0]

    def learned(self):
        """The learned fields after training."""
        return self.moving.learned(self.free.detach())


class _Optimizer:
    """torch's own optimizer on slices of the stack: neighbouring lanes with the same learning rate share a slice."""

    def __init__(self, leaves, job):
        self.slices, groups, start = [], [], 0
        for lr, lanes in itertools.groupby(job.lr):
            stop = start + len(list(lanes))
            views = [leaf.detach()[start:stop] for leaf in leaves]
            self.slices.append((start, stop, views))
            decays = [(views[:-1], job.settings.weight_decay), (views[-1:], 0.0)]
            groups += [{"params": part, "lr": lr, "weight_decay": decay, "base": lr} for part, decay in decays]
            start = stop
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[job.settings.optimizer]
        self.torch = kind(groups, fused=True)

    def step(self, gradients, scale):
        """One step with the learning rates multiplied by `scale`."""
        for start, stop, views in self.slices:
            for view, gradient in zip(views, gradients, strict=True):
                view.grad = gradient[start:stop].contiguous()  # the fused kernels read it as the parameter lies
        for group in self.torch.param_groups:
            group["lr"] = group["base"] * scale
        self.torch.step()


def _network(models, device):
    layers = list(models[0]) if type(models[0]) is nn.Sequential else [models[0]]
    simple = isinstance(layers[-1], nn.Linear) and all(isinstance(m, (nn.Linear, *ELEMENTWISE)) for m in layers)
    return (_Layers if simple else _Mapped)(models, device)


class _Mapped:
    """Any network, mapped over its stacked parameters by torch.func."""

    def __init__(self, models, device):
        self.model = models[0]
        weights, self.buffers = stack_module_state([model.to(device) for model in models])
        self.weights = {name: weight.detach().requires_grad_() for name, weight in weights.items()}

    def __call__(self, examples, wants_features):
        """(logits [lanes, b, classes], features [lanes, b, h] or None)."""

        def run(weights, buffers, x):
            logits, features = forward(
                self.model, lambda: functional_call(self.model, (weights, buffers), (x,)), wants_features
            )
            return (logits, features) if wants_features else logits

        result = vmap(run)(self.weights, self.buffers, examples)
        return result if wants_features else (result, None)


class _Layers(_Mapped):
    """Linear layers and elementwise functions, stacked by hand: the same function from fewer and faster operations.

    Examples are columns, [lanes, features, b]: the products with few classes and their gradients are then three to four
    times faster than with examples as rows.
    """

    def __call__(self, examples, wants_features):
        """(logits [lanes, b, classes], input of the last layer [lanes, b, h])."""
        x = features = examples.mT
        for name, layer in self.model.named_children() if type(self.model) is nn.Sequential else [("", self.model)]:
            if isinstance(layer, nn.Linear):
                features, dot = x, f"{name}." if name else ""
                weight, bias = self.weights[f"{dot}weight"], self.weights.get(f"{dot}bias")
                x = torch.bmm(weight, x) if bias is None else torch.baddbmm(bias[:, :, None], weight, x)
            else:
                x = layer(x)
        return x.mT, features.mT


@hookimpl
def components():
    return [Stacked]
