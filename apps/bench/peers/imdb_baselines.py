"""Logistic regression on TF-IDF of words and pairs of words on IMDB, for comparison with L0GM's runs.

    python -m pip install -r apps/bench/peers/requirements.txt
    python apps/bench/peers/imdb_baselines.py FOLDER

FOLDER holds the two parquet files of IMDB's plain text. The official split; a tenth of the training reviews chooses the strength C of
the penalty by likelihood, and all 25,000 train the model. ECE as in the bench: 15 equal-width bins of the top label, (lo, hi].
"""

import sys
from pathlib import Path

import pandas as pd
from adult_baselines import calibration_error
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split


STRENGTHS = [1, 4, 16, 64]


def logistic(c: float) -> LogisticRegression:
    return LogisticRegression(C=c, max_iter=1000)


def read(folder: Path, split: str) -> tuple[pd.Series, pd.Series]:
    table = pd.read_parquet(folder / f"{split}-00000-of-00001.parquet").sample(frac=1, random_state=0)
    return table["text"].str.replace("<br />", " ", regex=False), table["label"].to_numpy()


def main() -> None:
    folder = Path(sys.argv[1])
    (x, y), (x_test, y_test) = read(folder, "train"), read(folder, "test")
    print(f"{'features':<24} C   accuracy    NLL     ECE  AUROC")
    for name, ngrams in {"words": (1, 1), "words and their pairs": (1, 2)}.items():
        vectorizer = TfidfVectorizer(ngram_range=ngrams, min_df=2, sublinear_tf=True)
        train, held, y_train, y_held = train_test_split(vectorizer.fit_transform(x), y, test_size=0.1, random_state=0, stratify=y)
        losses = {c: log_loss(y_held, logistic(c).fit(train, y_train).predict_proba(held)) for c in STRENGTHS}
        c = min(losses, key=losses.get)
        positive = logistic(c).fit(vectorizer.transform(x), y).predict_proba(vectorizer.transform(x_test))[:, 1]
        accuracy = ((positive > 0.5) == y_test).mean()
        row = accuracy, log_loss(y_test, positive), calibration_error(positive, y_test), roc_auc_score(y_test, positive)
        print(f"{name:<24}{c:3}   " + "  ".join(f"{value:7.4f}" for value in row))


if __name__ == "__main__":
    main()
