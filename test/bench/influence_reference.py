"""
Influence of training rows by numpy in float64: what `assay`'s rankings are compared with, at the same parameters. Needs numpy only.

    python influence_reference.py FOLDER [--threads N] [--repeat N] [--write]     the reference of a folder, as JSON on stdout
    python influence_reference.py --ranking N K TOP [--threads N] [--repeat N]    only the time of a ranking, on random numbers
    python influence_reference.py --self-test                                     derivatives, solvers and signs against brute force

FOLDER holds raw little-endian files, all row-major, and their sizes:

    meta.json      {"rows": n, "features": d, "classes": C, "queryRows": V, "l2": 0.001,
                    "k": [5, 10], "autoK": 20, "iterations": 20, "tolerance": 1e-4}    (from "k" on: optional, these if absent)
    X.f32          n x d    training inputs, as the model sees them (encoded, without a column of ones)
    y.i32          n        given labels, 0 to C - 1
    theta.f64      d*C + C  parameters of softmax regression: weights (d x C), then biases
    Q.f32          V x d    inputs of the complaint's table
    weights.f32    V x C    dq/dp of the complaint, q signed so that *more is better* (a count that is too high: -1)
    corrupted.u8   n        optional: 1 where the given label is known to be wrong; gives AUC_R and average precision
    scores-*.f32   n        optional: rankings to compare with the reference of the same name, higher first:
                            scores-cg, scores-spectral-10 (any k above), scores-auto, scores-loss

The objective is the mean cross-entropy + l2/2 * |theta|^2 over all parameters; H is the Hessian of n times that. Scores, higher = q gains more:

    cg             dq' H^-1 grad l(z), by conjugate gradients stopped after `iterations` or at the relative residual `tolerance`
    spectral-k     the same in the span of the k top eigenvectors of H
    auto           relabelling, weighed: see auto_scores
    loss           -log p_y

With --write each score is also written to FOLDER as reference-NAME.f64.
"""

import json
import os
import sys
from pathlib import Path
from statistics import median
from time import perf_counter


def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


THREADS = option("--threads", 1)
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[variable] = str(THREADS)

import numpy as np  # noqa: E402  (the number of threads is read when numpy loads)


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Softmax:
    """Softmax regression at given parameters. Vectors are flat: weights (d x C), then biases."""

    def __init__(self, x, classes, l2, theta):
        self.x, self.classes, self.l2, self.theta = x, classes, l2, theta
        self.n, self.d = x.shape
        self.p = softmax(self.logits(x, theta))

    def logits(self, x, vector):
        matrix = vector.reshape(self.d + 1, self.classes)
        return x @ matrix[:-1] + matrix[-1]

    def pull(self, x, cotangent):
        return np.concatenate([(x.T @ cotangent).ravel(), cotangent.sum(axis=0)])

    def hessian_product(self, vector):
        moved = self.logits(self.x, vector)
        turned = self.p * (moved - (self.p * moved).sum(axis=1, keepdims=True))
        return self.pull(self.x, turned) + self.n * self.l2 * vector

    def query_gradient(self, q, weights):
        p = softmax(self.logits(q, self.theta))
        return self.pull(q, p * (weights - (p * weights).sum(axis=1, keepdims=True)))

    def training_gradient(self, y):
        residual = self.p.copy()
        residual[np.arange(self.n), y] -= 1
        return self.pull(self.x, residual) / self.n + self.l2 * self.theta


def conjugate_gradients(product, b, iterations, tolerance):
    x, r = np.zeros_like(b), b.copy()
    p, rr = r.copy(), r @ r
    limit, done = tolerance * np.sqrt(rr), 0
    while done < iterations and np.sqrt(rr) > limit:
        hp = product(p)
        alpha = rr / (p @ hp)
        x += alpha * p
        r -= alpha * hp
        rr, last = r @ r, rr
        p = r + rr / last * p
        done += 1
    return x, {"iterations": done, "residual": float(np.sqrt(rr) / np.linalg.norm(b)) if b.any() else 0.0}


def top_eigenpairs(product, size, k, tolerance=1e-7):
    """Lanczos with full re-orthogonalisation, to residuals of `tolerance` times the largest eigenvalue; in falling order."""
    k, products = min(k, size), 0
    v = np.random.default_rng(0).standard_normal(size)
    basis, alphas, betas = [v / np.linalg.norm(v)], [], []
    while True:
        w = product(basis[-1])
        products += 1
        alphas.append(float(basis[-1] @ w))
        matrix = np.array(basis)
        for _ in range(2):
            w -= matrix.T @ (matrix @ w)
        beta = float(np.linalg.norm(w))
        full = len(basis) == size or beta < 1e-12 * max(abs(a) for a in alphas)
        if len(basis) >= k and (full or len(basis) % 5 == 0):
            t = np.diag(alphas) + np.diag(betas, 1) + np.diag(betas, -1)
            values, vectors = np.linalg.eigh(t)
            values, vectors = values[::-1], vectors[:, ::-1]
            if full or (beta * np.abs(vectors[-1, :k])).max() <= tolerance * values[0]:
                return values[:k], (matrix.T @ vectors[:, :k]).T, products
        if full:  # fewer than k vectors were reached from this start
            return values_of(alphas, betas, matrix) + (products,)
        betas.append(beta)
        basis.append(w / beta)


def values_of(alphas, betas, matrix):
    values, vectors = np.linalg.eigh(np.diag(alphas) + np.diag(betas, 1) + np.diag(betas, -1))
    return values[::-1], (matrix.T @ vectors[:, ::-1]).T


def removal(model, y, direction):
    """<direction, grad l(z)> of every row: what removing the row does to q, where direction = H^-1 grad q."""
    moved = model.logits(model.x, direction)
    return (model.p * moved).sum(axis=1) - moved[np.arange(model.n), y]


def auto_scores(model, y, gradient, values, vectors):
    """
    The expected gain of correcting a row's label. a: the most probable class but the given one; t_c: mean p_c over the rows labelled c; the
    chance that a is right: p_a/t_a. The gain of relabelling to a, in the span of the top eigenvectors, 1/(lambda + mu) for 1/lambda with
    mu = sqrt(lambda_1 * sum lambda / n) (the size of H's sampling error). Gains of one pair (given, alternative) are raised together by the
    lift of its confident rows (p_a >= t_a) over the other pairs', over twice the mean of the others and one row more, and never lowered.
    """
    rows, classes = np.arange(model.n), model.classes
    others = model.p.copy()
    others[rows, y] = -1
    other = others.argmax(axis=1)
    typical = np.array([model.p[y == c, c].mean() if (y == c).any() else 1.0 for c in range(classes)])
    chance = others[rows, other] / typical[other]
    mu = np.sqrt(values[0] * values.sum() / model.n)
    moved = model.logits(model.x, vectors.T @ ((vectors @ gradient) / (values + mu)))
    gain = chance * (moved[rows, other] - moved[rows, y])
    confident = np.where((chance >= 1) & (gain > 0), gain, 0.0)
    pair = y * classes + other
    totals = np.bincount(pair, weights=confident, minlength=classes * classes)
    total, count = totals.sum(), max(1, np.count_nonzero(confident))
    background = (total - totals) / max(1, classes - 1) + total / count
    lift = np.maximum(1.0, totals / np.maximum(2 * background, np.finfo(float).tiny))
    return np.where(gain > 0, gain * lift[pair], gain), {"mu": float(mu), "pairs": top_pairs(totals, lift, classes)}


def top_pairs(totals, lift, classes):
    order = [i for i in np.argsort(-totals)[:5] if totals[i] > 0]
    return [{"given": int(i) // classes, "alternative": int(i) % classes, "total": float(totals[i]), "lift": float(lift[i])} for i in order]


def recall_area(scores, corrupted):
    """AUC_R: the mean share of the N true corruptions found among the first i <= N, over its maximum."""
    count = int(corrupted.sum())
    found = np.cumsum(corrupted[np.argsort(-scores, kind="stable")[:count]])
    return float(found.sum() / (count * (count + 1) / 2))


def average_precision(scores, corrupted):
    hit = corrupted[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hit) / np.arange(1, len(hit) + 1))[hit].mean())


def ranks(values):
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]


def agreement(mine, theirs):
    n = len(mine)
    first = {top: set(np.argsort(-mine, kind="stable")[:top]) & set(np.argsort(-theirs, kind="stable")[:top]) for top in (25, 100, 1000) if top <= n}
    return {"spearman": float(np.corrcoef(ranks(mine), ranks(theirs))[0, 1]), "shared": {str(t): len(s) / t for t, s in first.items()}}


def timed(work, repeat):
    work()
    times = []
    for _ in range(repeat):
        start = perf_counter()
        work()
        times.append((perf_counter() - start) * 1000)
    return {"medianMs": round(median(times), 4), "minMs": round(min(times), 4)}


def ranking_times(n, k, top, repeat):
    """Product and argpartition, the chosen rows sorted, in float32, with the index as n x k and as k x n (each eigenvector's numbers together)."""
    rng = np.random.default_rng(1)
    q, by_row = rng.standard_normal(k, dtype=np.float32), rng.standard_normal((n, k), dtype=np.float32)
    by_vector = np.ascontiguousarray(by_row.T)

    def first(scores):
        chosen = np.argpartition(scores, n - top)[n - top :]
        return chosen[np.argsort(-scores[chosen])]

    return {
        "n": n,
        "k": k,
        "top": top,
        "rowMajor": timed(lambda: first(by_row @ q), repeat),
        "vectorMajor": timed(lambda: first(q @ by_vector), repeat),
    }


def read(folder, name, kind, *shape):
    values = np.fromfile(folder / name, dtype=kind)
    if values.size != np.prod(shape):
        raise SystemExit(f"{folder / name} has {values.size} values; {' x '.join(map(str, shape))} are wanted (see meta.json).")
    return values.reshape(shape)


def reference(folder, repeat, write):
    meta = json.loads((folder / "meta.json").read_text())
    n, d, classes, v = (meta[key] for key in ("rows", "features", "classes", "queryRows"))
    spans, auto_k = meta.get("k", [5, 10]), meta.get("autoK", 20)
    y = read(folder, "y.i32", "<i4", n).astype(np.int64)
    theta = read(folder, "theta.f64", "<f8", d * classes + classes)
    model = Softmax(read(folder, "X.f32", "<f4", n, d).astype(np.float64), classes, meta["l2"], theta)
    gradient = model.query_gradient(read(folder, "Q.f32", "<f4", v, d).astype(np.float64), read(folder, "weights.f32", "<f4", v, classes).astype(np.float64))

    start = perf_counter()
    solution, solved = conjugate_gradients(model.hessian_product, gradient, meta.get("iterations", 20), meta.get("tolerance", 1e-4))
    solved["seconds"] = round(perf_counter() - start, 3)
    start = perf_counter()
    values, vectors, products = top_eigenpairs(model.hessian_product, theta.size, max([*spans, auto_k]))
    found = {"products": products, "seconds": round(perf_counter() - start, 3)}
    shares = np.cumsum((vectors @ gradient) ** 2) / (gradient @ gradient)

    scores = {"loss": -np.log(np.maximum(model.p[np.arange(n), y], 1e-300)), "cg": removal(model, y, solution)}
    for k in spans:
        scores[f"spectral-{k}"] = removal(model, y, vectors[:k].T @ ((vectors[:k] @ gradient) / values[:k]))
    positive = values[:auto_k] > 0
    scores["auto"], auto = auto_scores(model, y, gradient, values[:auto_k][positive], vectors[:auto_k][positive])

    result = {
        "rows": n,
        "parameters": int(theta.size),
        "gradientNorm": float(np.linalg.norm(model.training_gradient(y))),
        "conjugateGradients": solved,
        "lanczos": found,
        "eigenvalues": values.tolist(),
        "share": shares.tolist(),
        "auto": auto,
    }
    if (folder / "corrupted.u8").exists():
        wrong = read(folder, "corrupted.u8", "u1", n).astype(bool)
        result["corrupted"] = int(wrong.sum())
        result["quality"] = {name: {"aucR": recall_area(s, wrong), "averagePrecision": average_precision(s, wrong)} for name, s in scores.items()}
    result["compared"] = {}
    for file in sorted(folder.glob("scores-*.f32")):
        name = file.stem.removeprefix("scores-")
        given = read(folder, file.name, "<f4", n).astype(np.float64)
        compared = agreement(scores[name], given) if name in scores else {}
        if (folder / "corrupted.u8").exists():
            compared |= {"aucR": recall_area(given, wrong), "averagePrecision": average_precision(given, wrong)}
        result["compared"][name] = compared
    if write:
        for name, s in scores.items():
            s.astype("<f8").tofile(folder / f"reference-{name}.f64")
    result["times"] = {
        "threads": THREADS,
        "hessianProduct": timed(lambda: model.hessian_product(gradient), max(1, min(repeat, 10))),
        "ranking": ranking_times(n, auto_k, min(100, n), repeat),
    }
    return result


def self_test():
    rng = np.random.default_rng(7)
    n, d, classes, l2 = 120, 4, 3, 0.01
    x, y = rng.standard_normal((n, d)), rng.integers(0, classes, n)
    y[:60] = (x[:60, 0] > 0) + (x[:60, 1] > 0.5)

    def fit(keep, labels, theta):
        """Newton to a gradient norm of 1e-12; the penalty stays n * l2 whatever rows are kept."""
        for _ in range(50):
            m = Softmax(x[keep], classes, l2 * n / keep.sum(), theta)
            g = m.training_gradient(labels[keep]) * keep.sum()
            if np.linalg.norm(g) < 1e-12:
                break
            theta = theta - np.linalg.solve(np.array([m.hessian_product(e) for e in np.eye(theta.size)]), g)
        return theta

    everything = np.ones(n, bool)
    theta = fit(everything, y, np.zeros(d * classes + classes))
    model = Softmax(x, classes, l2, theta)
    hessian = np.array([model.hessian_product(e) for e in np.eye(theta.size)])
    step = 1e-5
    numeric = np.array([(Softmax(x, classes, l2, theta + step * e).training_gradient(y) - Softmax(x, classes, l2, theta - step * e).training_gradient(y)) * n / (2 * step) for e in np.eye(theta.size)])
    q, weights = rng.standard_normal((40, d)), np.tile([0.0, 0.0, -1.0], (40, 1))
    gradient = model.query_gradient(q, weights)
    value = lambda t: float((softmax(model.logits(q, t)) * weights).sum())  # noqa: E731
    slope = np.array([(value(theta + step * e) - value(theta - step * e)) / (2 * step) for e in np.eye(theta.size)])
    values, vectors, _ = top_eigenpairs(model.hessian_product, theta.size, 6)
    exact = np.linalg.eigvalsh(hessian)[::-1][:6]
    solution, _ = conjugate_gradients(model.hessian_product, gradient, 200, 1e-12)
    predicted = removal(model, y, solution)
    real = np.array([value(fit(np.arange(n) != i, y, theta)) - value(theta) for i in range(n)])
    other = (y + 1) % classes
    moved = model.logits(x, solution)
    relabelled = moved[np.arange(n), other] - moved[np.arange(n), y]
    changed = np.array([value(fit(everything, np.where(np.arange(n) == i, other, y), theta)) - value(theta) for i in range(n)])
    figures = {
        "hessian": float(np.abs(hessian - numeric).max() / np.abs(hessian).max()),
        "queryGradient": float(np.abs(gradient - slope).max() / np.abs(gradient).max()),
        "eigenvalues": float(np.abs(values - exact).max() / exact[0]),
        "eigenvectors": float(np.abs(hessian @ vectors.T - vectors.T * values).max() / exact[0]),
        "solve": float(np.linalg.norm(hessian @ solution - gradient) / np.linalg.norm(gradient)),
        "removalSpearman": agreement(predicted, real)["spearman"],
        "removalSigns": float((np.sign(predicted) == np.sign(real)).mean()),
        "relabelSpearman": agreement(relabelled, changed)["spearman"],
        "relabelSigns": float((np.sign(relabelled) == np.sign(changed)).mean()),
    }
    limits = {"hessian": 1e-7, "queryGradient": 1e-7, "eigenvalues": 1e-10, "eigenvectors": 1e-6, "solve": 1e-10}
    least = {"removalSpearman": 0.99, "removalSigns": 0.95, "relabelSpearman": 0.99, "relabelSigns": 0.95}
    good = all(figures[name] <= limit for name, limit in limits.items()) and all(figures[name] >= limit for name, limit in least.items())
    return {**figures, "passed": bool(good)}


def main():
    repeat = option("--repeat", 51)
    if "--self-test" in sys.argv:
        result = self_test()
    elif "--ranking" in sys.argv:
        at = sys.argv.index("--ranking")
        result = {**ranking_times(*map(int, sys.argv[at + 1 : at + 4]), repeat), "threads": THREADS}
    elif len(sys.argv) > 1 and Path(sys.argv[1]).is_dir():
        result = reference(Path(sys.argv[1]), repeat, "--write" in sys.argv)
    else:
        raise SystemExit(__doc__)
    print(json.dumps(result))
    if result.get("passed") is False:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
