"""Mutants of the kinds of the generation and hubness protocols."""

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
    fitted,
    in_place,
)

GENERATION = "protocol: generation\nplugins: [wrong.py]\nsettings: {{samples: 64, steps: 4}}\nseeds: 2\nmetrics: fid_proxy\nvary: {{denoiser: {denoiser}, sampler: {sampler}, variance: {variance}, spacing: {spacing}, prior: {prior}, feature: {feature}}}\n"
HUBNESS = "protocol: hubness\nplugins: [wrong.py]\nsettings: {{n: 50}}\nseeds: 2\nmetrics: robin_hood\nvary: {{dataset: {{cloud: {{dim: 3}}}}, dissimilarity: {dissimilarity}}}\n"
FLAT = ["v.sum()", "v.flatten()"]
FEW_TIMES = [
    "v.flip(0)",
    "v + 1",
    "-v",
    "2 * v",
    "torch.ones_like(v)",
    "v[:-1]",
    "v[:1]",
    "v - 1",
    "v.repeat(2)",
    "v * 0",
    "v.roll(1)",
    "v.sqrt() * 1e3",
]

SAMPLED: dict[str, tuple[str, list[Mutant], str]] = {
    "denoiser": (
        "Normal",
        answers("predict", TYPES, DTYPES, COUNTS, SHAPES, NUMBERS, FLAT, INFINITE, UNSTEADY)
        + in_place("predict", 1, 2)
        + answers("predict", ["None", "'text'"], COUNTS, SHAPES, NUMBERS, when=LATER)
        + answers("predict", COUNTS, NUMBERS, when=LARGE),
        GENERATION,
    ),
    "sampler": (
        "PlainDDIM",
        answers("sample", TYPES, DTYPES, COUNTS, SHAPES, NUMBERS, FLAT, INFINITE, UNSTEADY)
        + answers("sample", TYPES[:4], COUNTS, SHAPES, NUMBERS, when="k > 2")
        + answers("sample", COUNTS, NUMBERS, when=LARGE),
        GENERATION,
    ),
    "variance": (
        "MeanSquaredError",
        fitted("fit", "error")
        + answers(
            "posterior_variance",
            ["None", "'text'", "(v, v)", "[v]", "{'value': v}"],
            [
                "v * float('nan')",
                "v.expand(3, 3)",
                "v - 9",
                "v / 0",
                "-v",
                "v.expand(2)",
                "v[None]",
                "1 / 0",
                "v.to(torch.complex64)",
            ],
            UNSTEADY,
        )
        + in_place("posterior_variance", 2, 5)
        + answers("posterior_variance", ["None", "'text'", "v * float('nan')", "v.expand(3, 3)", "v - 9"], when=LATER),
        GENERATION,
    ),
    "spacing": (
        "Geometric",
        answers(
            "times",
            [t for t in TYPES if "list" not in t and "numpy" not in t],
            DTYPES[:1],
            ["torch.cat([v, v])", "v[:0]"],
            SHAPES,
            NUMBERS,
            FLAT[:1],
            INFINITE,
            FEW_TIMES,
            UNSTEADY,
        )
        + answers(
            "times", ["[0.0]", "[3.0, 1.0]", "[5.0, 5.0, 0.0]", "[1e9, 0.0]", "[0.0, 0.0]", "[]", "0.0", "(3, 'x', 0)"]
        ),
        GENERATION,
    ),
    "schedule": (
        "Rational",
        answers(
            "alpha_bar",
            [t for t in TYPES if "1 / 0" not in t],
            DTYPES,
            ["v[..., None]", "v[None]", "v[None, None]"],
            NUMBERS[:1],
            INFINITE,
            ["v + 1", "-v", "v * 0", "1 - v", "v - 1", "1 / v", "2 * v", "1 / 0"],
        )
        + answers("alpha_bar", UNSTEADY[:1], ["v + 1", "-v", "v * 0", "v * float('nan')"], when="a[-1].max() < 900")
        + answers("alpha_bar", ["v + 1", "-v", "v * float('nan')", "v[..., None]"], when=LATER.replace("8", "2")),
        GENERATION,
    ),
    "prior": (
        "Scaled",
        answers(
            "draw", [t for t in TYPES if "list" not in t], DTYPES, COUNTS, SHAPES, NUMBERS, FLAT, INFINITE, UNSTEADY
        )
        + answers("draw", ["None", "'text'"], COUNTS, SHAPES, NUMBERS, when="k > 2"),
        GENERATION,
    ),
    "feature": (
        "Standardized",
        answers("__call__", TYPES, DTYPES, COUNTS, SHAPES, NUMBERS, FLAT, INFINITE, UNSTEADY)
        + in_place("__call__", 1)
        + fitted("prepare", "mean")
        + answers("__call__", COUNTS, NUMBERS, when=LATER.replace("8", "2")),
        GENERATION,
    ),
    "dissimilarity": (
        "Saturating",
        answers(
            "__call__", TYPES, DTYPES, COUNTS, SHAPES, NUMBERS[:1], FLAT, ["v[:, 1:]", "v[0]", "v[:, None]"], UNSTEADY
        )
        + in_place("__call__", 0)
        + answers("__call__", ["None", "'text'"], COUNTS, SHAPES, NUMBERS[:1], ["v[:, 1:]"], when=LARGE)
        + answers("__call__", ["None", "'text'"], COUNTS, NUMBERS[:1], when="k > 2"),
        HUBNESS,
    ),
}
"""Kind -> the good class, its mutants, the suite."""
