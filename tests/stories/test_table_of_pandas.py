"""A DataFrame with text and missing values, as `to_csv` writes it, is a data set."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.conftest import Bench

pytestmark = pytest.mark.verify

SUITE = """
question: Who pays back?
protocol: accuracy
vary:
  dataset: {csv: {path: people.csv, target: paid}}
  model: linear
  loss: [cross_entropy, hinge]
settings: {epochs: 20}
seeds: 8
metrics: [accuracy, nll]
baseline: cross_entropy
"""


def people(n: int = 600) -> pd.DataFrame:
    """A class that depends on numbers, a text and whether a number is missing."""
    draw = np.random.default_rng(0)
    age, income = draw.integers(18, 90, n).astype(float), draw.lognormal(8, 1, n)
    town = draw.choice(["Aix", "Bern", "Caen, west"], n)
    missing = draw.random(n) < 0.2
    score = (np.log(income) - 8) + (town == "Bern") - 1.5 * missing + 0.01 * (age - 50) + draw.normal(0, 0.5, n)
    frame = pd.DataFrame({"age": age, "income": income, "town": town, "member": draw.random(n) < 0.5})
    frame.loc[missing, "age"] = np.nan
    frame.loc[draw.random(n) < 0.1, "town"] = None
    return frame.assign(paid=np.where(score > 0, "yes", "no"))


def test_text_and_missing_values_are_read_as_they_are(bench: Bench) -> None:
    frame = people()
    frame.to_csv(bench.folder / "people.csv")
    bench.write("people.yaml", SUITE)
    assert bench("validate", "people.yaml").code == 0
    ended = bench("people.yaml", "--json", "-")
    assert ended.code == 0, ended.err
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["age", "income"]),
        (OneHotEncoder(), ["town", "member"]),
    )
    theirs = make_pipeline(columns, LogisticRegression())
    splits = ShuffleSplit(20, train_size=0.6, test_size=0.2, random_state=0)
    expected = cross_val_score(theirs, frame.drop(columns="paid"), frame.paid, cv=splits).mean()
    numbers = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    assert expected > cross_val_score(numbers, frame[["age", "income"]], frame.paid, cv=splits).mean() + 0.1
    for cell in ended.json["cells"]:
        assert cell["metrics"]["accuracy"]["mean"] == pytest.approx(expected, abs=0.05)
    notes = " ".join(ended.json["cells"][0]["notes"])
    assert "town" in notes and "age" in notes, "what was encoded and filled in is said"
