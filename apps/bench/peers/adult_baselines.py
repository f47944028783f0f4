"""Logistic regression and gradient boosting on Adult, for comparison with L0GM's runs.

    python -m pip install -r apps/bench/peers/requirements.txt
    python apps/bench/peers/adult_baselines.py

The official split; all of adult.data is used for training, since nothing is selected here. Metrics as in the bench: ECE over 15
equal-width bins of the top label, (lo, hi].
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, QuantileTransformer

FOLDER = Path(__file__).parent.parent / "data" / "adult"
COLUMNS = (
    "age workclass fnlwgt education education-num marital-status occupation relationship race sex "
    "capital-gain capital-loss hours-per-week native-country label"
).split()
NUMERIC = ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
CATEGORICAL = [name for name in COLUMNS[:-1] if name not in NUMERIC]


def read(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    table = pd.read_csv(FOLDER / f"{name}.gz", names=COLUMNS, skipinitialspace=True, comment="|")
    return table[COLUMNS[:-1]], (table["label"].str.rstrip(".") == ">50K").to_numpy().astype(int)


def calibration_error(positive: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    confidence = np.maximum(positive, 1 - positive)
    correct = (positive > 0.5).astype(int) == labels
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return sum(abs((confidence - correct)[index == b].sum()) for b in range(bins)) / len(labels)


def main() -> None:
    (x, y), (x_test, y_test) = read("adult.data"), read("adult.test")
    one_hot = OneHotEncoder(handle_unknown="ignore")
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    models = {
        "logistic regression, quantile-normal numbers": make_pipeline(
            make_column_transformer((QuantileTransformer(output_distribution="normal"), NUMERIC), (one_hot, CATEGORICAL)),
            LogisticRegression(max_iter=2000),
        ),
        "logistic regression, one-hot bins": make_pipeline(
            make_column_transformer((OneHotEncoder(handle_unknown="ignore", min_frequency=20), NUMERIC + CATEGORICAL)),
            LogisticRegression(max_iter=2000),
        ),
        "histogram gradient boosting": make_pipeline(
            make_column_transformer((ordinal, CATEGORICAL), remainder="passthrough"),
            HistGradientBoostingClassifier(
                categorical_features=list(range(len(CATEGORICAL))), max_iter=300, learning_rate=0.06, random_state=0
            ),
        ),
    }
    print(f"{'model':<46} accuracy    NLL     ECE  AUROC")
    for name, model in models.items():
        positive = model.fit(x, y).predict_proba(x_test)[:, 1]
        accuracy = ((positive > 0.5) == y_test).mean()
        row = accuracy, log_loss(y_test, positive), calibration_error(positive, y_test), roc_auc_score(y_test, positive)
        print(f"{name:<46}" + "  ".join(f"{value:7.4f}" for value in row))


if __name__ == "__main__":
    main()
