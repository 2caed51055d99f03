"""A trainer: from a model, a loss and data to logits."""

import torch

from harness import (
    PositiveInt,
    Trainer,
    TrainingJob,
    TrainingResult,
    call_with_inputs,
    hookimpl,
)


class GradientDescent(Trainer):
    """Gradient descent on all training examples at once."""

    steps: PositiveInt = 20

    def fit(self, job: TrainingJob) -> TrainingResult:
        """Logits of every seed, trained one after the other."""
        test, validation = [], []
        for k in range(len(job.seeds)):
            model = job.model(k)
            weights = list(model.parameters())
            for step in range(self.steps):
                progress = {"progress": step / self.steps}
                logits, targets = model(job.train.inputs), job.train.targets
                losses = call_with_inputs(job.loss, logits, targets, **progress)
                gradients = torch.autograd.grad(losses.mean(), weights)
                for weight, gradient in zip(weights, gradients, strict=True):
                    weight.data -= job.lr[k] * gradient
            with torch.no_grad():
                test.append(model(job.test.inputs))
                validation.append(model(job.validation.inputs))
            job.on_progress(k + 1, len(job.seeds))
        logits, others = torch.stack(test), torch.stack(validation)
        return TrainingResult(test=logits, validation=others)


@hookimpl
def components() -> list[type[Trainer]]:
    """The component classes of this module."""
    return [GradientDescent]
