"""
Method `auto` on real label errors in float64 numpy, and what each of its parts adds: average precisions, for several penalties, of complaints about
the errors on the test rows and on the query rows (which no choice of the rule has ever seen). Prints one JSON object.

    python3 complaints_reference.py ../shared/data/corrupted
"""

import json
import sys
from pathlib import Path

import numpy as np

CLASSES = 2
PENALTIES = [1e-4, 1e-3, 1e-2, 1e-1]


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def one_hot(y):
    return np.eye(CLASSES)[y]


def hessian(x, p, l2):
    """Of the summed objective; parameters are inputs x classes."""
    n, d = x.shape
    inner = p[:, :, None] * np.eye(CLASSES) - p[:, :, None] * p[:, None, :]
    return np.einsum("nce,ni,nj->icje", inner, x, x).reshape(d * CLASSES, -1) + n * l2 * np.eye(d * CLASSES)


def fit(x, y, l2):
    """Newton's method, halving steps that do not help; all parameters are penalised."""
    theta = np.zeros(x.shape[1] * CLASSES)

    def objective(t):
        p = softmax(x @ t.reshape(-1, CLASSES))
        return -np.log(p[np.arange(len(y)), y]).sum() + len(y) * l2 / 2 * (t @ t), p

    value, p = objective(theta)
    for _ in range(100):
        gradient = (x.T @ (p - one_hot(y))).ravel() + len(y) * l2 * theta
        if np.linalg.norm(gradient) < 1e-9 * len(y):
            return theta, p
        step = np.linalg.solve(hessian(x, p, l2), gradient)
        for _ in range(40):
            tried, q = objective(theta - step)
            if tried <= value:
                break
            step /= 2
        theta, value, p = theta - step, tried, q
    return theta, p


def average_precision(scores, wrong):
    hit = wrong[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hit) / np.arange(1, len(hit) + 1))[hit].mean())


class Rankings:
    def __init__(self, x, y, wrong, l2):
        self.x, self.y, self.wrong, self.rows = x, y, wrong, np.arange(len(y))
        self.theta, self.p = fit(x, y, l2)
        self.hessian = hessian(x, self.p, l2)
        values, vectors = np.linalg.eigh(self.hessian)
        values, vectors = values[::-1][:20], vectors[:, ::-1][:, :20]
        kept = values > 1.05 * len(y) * l2
        self.values, self.vectors = values[kept], vectors[:, kept]

    def moved(self, direction):
        return self.x @ direction.reshape(-1, CLASSES)

    def removal(self, gradient):
        moved = self.moved(np.linalg.solve(self.hessian, gradient))
        return self.precision((self.p * moved).sum(axis=1) - moved[self.rows, self.y])

    def auto(self, gradient, weighed=True, damped=True, lifted=True):
        other = 1 - self.y
        typical = np.array([self.p[self.y == c, c].mean() for c in range(CLASSES)])
        odds = self.p[self.rows, other] / typical[other]
        mu = np.sqrt(self.values[0] * self.values.sum() / len(self.y)) if damped else 0
        moved = self.moved(self.vectors @ ((self.vectors.T @ gradient) / (self.values + mu)))
        gain = (odds if weighed else 1) * (moved[self.rows, other] - moved[self.rows, self.y])
        if lifted:
            confident = np.where((odds >= 1) & (gain > 0), gain, 0)
            totals = np.bincount(self.y * CLASSES + other, weights=confident, minlength=CLASSES**2)
            background = totals.sum() - totals + totals.sum() / max(1, np.count_nonzero(confident))
            lift = np.maximum(1, totals / np.maximum(2 * background, np.finfo(float).tiny))
            gain = np.where(gain > 0, gain * lift[self.y * CLASSES + other], gain)
        return self.precision(gain)

    def loss(self):
        return self.precision(-np.log(self.p[self.rows, self.y]))

    def precision(self, scores):
        return average_precision(scores, self.wrong)


def measured(folder):
    def read(name):
        return np.loadtxt(folder / f"{name}.csv", delimiter=",")

    raw, given, truth = read("x_train"), read("y_corr").astype(int), read("y_train").astype(int)
    mean, deviation = raw.mean(axis=0), raw.std(axis=0)

    def encoded(rows):
        return np.c_[(rows - mean) / deviation, np.ones(len(rows))]

    found = []
    for l2 in PENALTIES:
        rankings = Rankings(encoded(raw), given, given != truth, l2)
        for rows in ("test", "query"):
            x, y = encoded(read(f"x_{rows}")), read(f"y_{rows}").astype(int)
            p = softmax(x @ rankings.theta.reshape(-1, CLASSES))
            own = p[np.arange(len(y)), y]
            # Of minus the expected number of errors, and of minus the summed loss.
            errors = (x.T @ (own[:, None] * (one_hot(y) - p))).ravel()
            loss = (x.T @ (one_hot(y) - p)).ravel()
            found.append(
                {
                    "set": folder.name,
                    "rows": rows,
                    "l2": l2,
                    "errors": int((p.argmax(axis=1) != y).sum()),
                    "auto": rankings.auto(errors),
                    "without the lift": rankings.auto(errors, lifted=False),
                    "without μ": rankings.auto(errors, damped=False),
                    "without κ": rankings.auto(errors, weighed=False),
                    "without all three": rankings.auto(errors, False, False, False),
                    "removal": rankings.removal(errors),
                    "influence on the loss": rankings.removal(loss),
                    "training loss": rankings.loss(),
                }
            )
    return found


if __name__ == "__main__":
    print(json.dumps([one for name in ("diabetes", "bcancer") for one in measured(Path(sys.argv[1]) / name)]))
