"""
What a new complaint over a known table costs in numpy, one thread: relaxed value, derivative, projections, scores, the top 100. 10 000 rows x 10 classes, k = 20, 60 000
training rows, float32, medians of 101. Two queries: the count of a class, and the errors, which touch every class of every row. Prints one JSON object.
"""

import json
import time

import numpy as np

ROWS, CLASSES, K, TRAINING, TOP = 10_000, 10, 20, 60_000, 100
rng = np.random.default_rng(1)
p = rng.dirichlet(np.ones(CLASSES), ROWS).astype(np.float32)
label = rng.integers(0, CLASSES, ROWS)
x = rng.random(ROWS)
by_class = rng.standard_normal((CLASSES, ROWS, K), dtype=np.float32)
flat = rng.standard_normal((ROWS * CLASSES, K), dtype=np.float32)
b = rng.standard_normal((K, TRAINING), dtype=np.float32)


def top(coefficients):
    scores = coefficients @ b
    best = np.argpartition(-scores, TOP)[:TOP]
    return best[np.argsort(-scores[best])]


def count():
    rows = np.flatnonzero(x > 0.2)
    value = p[rows, 7].sum()
    return value, top(-by_class[7][rows].sum(axis=0))


def errors():
    kept = x > 0.01
    weights = np.where(kept, np.float32(-1), np.float32(0))[:, None] * (np.arange(CLASSES) != label[:, None])
    value = -(weights * p).sum()
    return value, top(weights.astype(np.float32).ravel() @ flat)


def timed(work):
    for _ in range(10):
        work()
    taken = []
    for _ in range(101):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1e3)
    return float(np.median(taken))


print(json.dumps({"count": timed(count), "errors": timed(errors)}))
