"""A DataFrame with text and missing values, as `to_csv` writes it, reaches the table of results from the page alone."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.conftest import Bench
from tests.stories.conftest import Documented, program

pytestmark = pytest.mark.verify


def test_text_and_missing_values_are_read_as_they_are(bench: Bench, documented: Documented) -> None:
    documented("data.md")
    assert program(bench, "python")("people.py").code == 0
    frame = pd.read_csv(bench.folder / "people.csv", index_col=0)
    assert frame.town.isna().any() and frame.age.isna().any() and not pd.api.types.is_numeric_dtype(frame.town)
    assert bench("validate", "people.yaml").code == 0
    ended = bench("people.yaml", "--json", "-")
    assert ended.code == 0, ended.err
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["age", "income"]),
        (OneHotEncoder(), ["town"]),
    )
    theirs = make_pipeline(columns, LogisticRegression())
    splits = ShuffleSplit(20, train_size=0.6, test_size=0.2, random_state=0)
    expected = cross_val_score(theirs, frame.drop(columns="paid"), frame.paid, cv=splits).mean()
    numbers = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    assert expected > cross_val_score(numbers, frame[["age", "income"]], frame.paid, cv=splits).mean() + 0.1
    assert len(ended.json["cells"]) == 2
    for cell in ended.json["cells"]:
        assert cell["metrics"]["accuracy"]["mean"] == pytest.approx(expected, abs=0.05)
    notes = " ".join(ended.json["cells"][0]["notes"])
    assert "town" in notes and "age" in notes, "what was encoded and filled in is said"
