"""Mutants of the kinds of the accuracy protocol."""

from __future__ import annotations

from tests.helpers.mutants import (
    COUNTS,
    DTYPES,
    INFINITE,
    LARGE,
    LATER,
    NUMBERS,
    SHAPES,
    TYPES,
    UNSTEADY,
    Mutant,
    answers,
    in_place,
    replaced,
)

ACCURACY = "protocol: accuracy\nplugins: [wrong.py]\nsettings: {{epochs: 1}}\nseeds: 2\nmetrics: {metrics}\nvary: {{dataset: {dataset}, model: {model}, loss: {loss}, trainer: {trainer}}}\n"
WIDE = ["v[:, None] - v", "v.view(-1, 1).expand(-1, 2)"]
FLAT = ["v.sum()", "v.flatten()"]
NO_DISTRIBUTION = ["2 * v", "v - 0.1", "v[..., :-1]", "v.mT", "v * torch.linspace(0, 1, v.shape[-1])", "-v"]
PARTS = [
    "v[1:]",
    "v[:, 1:]",
    "v[..., 1:]",
    "v[0]",
    "v.argmax(-1)",
    "v.numpy()",
    "v.mT",
    "v[None]",
    "v[..., None]",
    "v.long()",
    "v.to(torch.complex64)",
    "v.tolist()",
    "'text'",
    "v.flatten()",
]

TRAINED: dict[str, tuple[str, list[Mutant], str]] = {
    "loss": (
        "Tempered",
        answers(
            "__call__",
            TYPES,
            DTYPES,
            COUNTS,
            SHAPES,
            NUMBERS,
            UNSTEADY,
            WIDE,
            ["v.detach()", "v.detach().requires_grad_()"],
        )
        + in_place("__call__", 0, 1)
        + answers("__call__", TYPES[:3], ["v.to(torch.complex64)"], COUNTS, SHAPES, WIDE, when="k > 4")
        + answers("__call__", WIDE, COUNTS, when=LARGE),
        ACCURACY,
    ),
    "transform": (
        "ScaledSoftmax",
        answers("__call__", TYPES, DTYPES, COUNTS, SHAPES, NUMBERS, FLAT, UNSTEADY, NO_DISTRIBUTION, INFINITE)
        + in_place("__call__", 0)
        + answers("__call__", TYPES[:3], COUNTS, NO_DISTRIBUTION, when=LARGE),
        ACCURACY,
    ),
    "metric": (
        "AmongFirst",
        answers(
            "__call__",
            ["'text'", "(v, v)", "{'value': v}", "1 / 0", "v.tolist()"],
            ["v.to(torch.complex64)"],
            COUNTS,
            UNSTEADY[:1],
        )
        + answers(
            "__call__",
            [
                "v[:, None].expand(-1, 3)",
                "v[None]",
                "v[..., None]",
                "v[None, :, None]",
                "torch.stack([v, v])",
                "v[:, None] - v",
                "lambda v, k: v + k",
            ],
        )
        + in_place("__call__", 0, 1)
        + answers(
            "__call__",
            ["'text'", "(v, v)", "1 / 0"],
            COUNTS,
            ["v[:, None].expand(-1, 3)"],
            when=LATER.replace("8", "2"),
        )
        + answers("__call__", ["1 / 0"], COUNTS, when=LARGE.replace("20", "15")),
        ACCURACY,
    ),
    "model": (
        "OneHiddenLayer",
        answers(
            "build",
            [
                "None",
                "'net'",
                "nn.LazyLinear(7)",
                "nn.LazyLinear(1)",
                "(v, v)",
                "v.forward",
                "1 / 0",
                "type(v)",
                "list(v)",
                "v.state_dict()",
            ],
        )
        + answers(
            "build",
            [
                f"nn.Sequential(v, {layer})"
                for layer in (
                    "nn.Flatten(0)",
                    "nn.Unflatten(1, (1, -1))",
                    "nn.Linear(3, 4)",
                    "nn.Linear(3, 2)",
                    "nn.LazyConv1d(3, 1)",
                    "nn.Linear(5, 3)",
                    "nn.AdaptiveAvgPool1d(1)",
                    "nn.ZeroPad1d(1)",
                    "nn.LSTM(3, 3)",
                )
            ],
        )
        + answers(
            "build",
            [
                f"nn.Sequential({layer}, v)"
                for layer in (
                    "nn.Flatten(0)",
                    "nn.Unflatten(1, (1, -1))",
                    "nn.Linear(4, 5)",
                    "nn.Linear(5, 4)",
                    "nn.ZeroPad1d(1)",
                )
            ],
        )
        + answers(
            "build",
            [
                f"type('Net', (nn.Module,), {{'forward': lambda s, x: {out}}})()"
                for out in (
                    "None",
                    "'text'",
                    "x[1:]",
                    "(x, x)",
                    "x.long()",
                    "x[:, :3].to(torch.complex64)",
                    "1 / 0",
                    "x[:, :3].sum()",
                    "{'logits': x}",
                )
            ],
        )
        + answers("build", ["lambda v, k: v if k < 3 else None", "v.double()"]),
        ACCURACY,
    ),
    "dataset": (
        "Moons",
        answers(
            "load",
            [
                "None",
                "(v.inputs, v.targets)",
                "1 / 0",
                "'text'",
                "[v]",
                "v.inputs",
                "{'inputs': v.inputs, 'targets': v.targets}",
            ],
        )
        + replaced(
            "load",
            *(
                f"inputs={value}"
                for value in (
                    "v.inputs.double()",
                    "v.inputs * float('nan')",
                    "v.inputs[1:]",
                    "v.inputs[:, 0]",
                    "v.inputs.numpy()",
                    "v.inputs.long()",
                    "v.inputs.to(torch.complex64)",
                    "v.inputs / 0",
                    "v.inputs.tolist()",
                    "None",
                    "v.inputs[:0]",
                    "torch.cat([v.inputs, v.inputs])",
                    "v.inputs[:, :0]",
                )
            ),
            *(
                f"targets={value}"
                for value in (
                    "v.targets.float()",
                    "v.targets + 5",
                    "v.targets - 1",
                    "v.targets[:-1]",
                    "v.targets[:, None]",
                    "None",
                    "v.targets.int()",
                    "v.targets.tolist()",
                    "v.targets > 0",
                    "v.targets.numpy()",
                    "torch.cat([v.targets, v.targets])",
                )
            ),
            *(
                "classes=1",
                "classes=0",
                "classes='two'",
                "classes=2.0",
                "task='regression'",
                "label_noise=2.0",
                "label_noise=-0.1",
                "imbalance=0.5",
                "part=torch.zeros(3)",
                "part=torch.full((200,), 3)",
            ),
        ),
        ACCURACY,
    ),
    "trainer": (
        "GradientDescent",
        answers("fit", ["None", "v.test", "(v, v)", "'text'", "[v]", "{'test': v.test}", "1 / 0", "v.test.numpy()"])
        + replaced("fit", *(f"test={change.replace('v', 'v.test', 1)}" for change in PARTS))
        + replaced("fit", *(f"validation={change.replace('v', 'v.validation', 1)}" for change in PARTS[1:9]))
        + replaced("fit", "test=v.test[:, 1:]", "test=v.test[0]", "validation=v.validation[:, 1:]", when="k > 1"),
        ACCURACY,
    ),
}
"""Kind -> the good class, its mutants, the suite."""
