"""What engine.mjs compares with: the same passes in numpy (OpenBLAS) and JAX (jit, CPU), and scikit-learn's L-BFGS on the same objective.

Reads a line of JSON for each repetition wanted, {"library", "task"}, carries it out once and answers with its milliseconds and those of processor time,
so that the two sides of a comparison take turns and share the machine's load. Data comes in files named by the first line. Needs numpy; JAX and scikit-learn where they are installed.
"""
import json
import sys
import time

import numpy as np

out = sys.stdout


def say(**message):
    out.write(json.dumps(message) + "\n")
    out.flush()


meta = json.loads(sys.stdin.readline())
n, d, m, h, batch, l2 = (meta[key] for key in ("rows", "inputs", "classes", "hidden", "batch", "l2"))
X = np.fromfile(meta["x"], dtype=np.float32).reshape(n, d)
y = np.fromfile(meta["y"], dtype=np.int32)
Y = np.eye(m, dtype=np.float32)[y]
rng = np.random.default_rng(0)
random = lambda *shape: (rng.random(shape, dtype=np.float32) - 0.5) * 0.1
tangents = 10
V = random(d, tangents * m)
c = random(tangents * m)
weights = [(random(d, m), random(m)) for _ in range(4)]
network = [[random(d, h), random(h), random(h, m), random(m)] for _ in range(4)]
index = rng.random((meta["pairs"], n), dtype=np.float32)
large_index = rng.random((meta["pairs"], 10 * n), dtype=np.float32)


def softmax(z):
    z -= z.max(1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(1, keepdims=True)
    return z


def logistic_hvp(turn, count=1):
    W, b = weights[turn % 4]
    p = softmax(X @ W + b)
    t = X @ V[:, : count * m]
    t += c[: count * m]
    t = t.reshape(n, count, m)
    t *= p[:, None]
    t -= t.sum(2, keepdims=True) * p[:, None]
    t = t.reshape(n, count * m)
    return X.T @ t, t.sum(0)


kept = {}


def logistic_hvp8_kept(turn):
    if "p" not in kept:
        W, b = weights[0]
        kept["p"] = softmax(X @ W + b)
    p = kept["p"]
    t = X @ V[:, : 8 * m]
    t += c[: 8 * m]
    t = t.reshape(n, 8, m)
    t *= p[:, None]
    t -= t.sum(2, keepdims=True) * p[:, None]
    t = t.reshape(n, 8 * m)
    return X.T @ t, t.sum(0)


def logistic_jvp(turn, count=1):
    W, b = weights[turn % 4]
    e = softmax(X @ W + b)
    e -= Y
    t = X @ V[:, : count * m]
    t += c[: count * m]
    t = t.reshape(n, count, m)
    t *= e[:, None]
    return t.sum(2)


def products(turn, count):
    return X @ V[:, : count * m]


def mlp_hvp(turn):
    W1, b1, W2, b2 = network[1 + turn % 3]
    V1, c1, V2, c2 = network[0]
    a = X @ W1
    a += b1
    np.maximum(a, 0, out=a)
    step = a > 0
    p = softmax(a @ W2 + b2)
    moved = X @ V1
    moved += c1
    moved *= step
    t = moved @ W2
    t += a @ V2
    t += c2
    e = p - Y
    t *= p
    t -= p * t.sum(1, keepdims=True)
    second = a.T @ t + moved.T @ e
    r = t @ W2.T
    r += e @ V2.T
    r *= step
    return X.T @ r, r.sum(0), second, t.sum(0)


rate, beta1, beta2, epsilon = 1e-3, 0.9, 0.999, 1e-7


def mlp_epoch(turn):
    P = [p.copy() for p in network[0]]
    M = [np.zeros_like(p) for p in P]
    S = [np.zeros_like(p) for p in P]
    order = rng.permutation(n)
    for k, start in enumerate(range(0, n, batch), 1):
        rows = order[start : start + batch]
        x, t = X[rows], Y[rows]
        a = x @ P[0]
        a += P[1]
        np.maximum(a, 0, out=a)
        e = softmax(a @ P[2] + P[3])
        e -= t
        e /= len(rows)
        r = e @ P[2].T
        r *= a > 0
        G = [x.T @ r, r.sum(0), a.T @ e, e.sum(0)]
        now = rate * np.sqrt(1 - beta2**k) / (1 - beta1**k)
        for p, g, mean, square in zip(P, G, M, S):
            g += l2 * p
            mean *= beta1
            mean += (1 - beta1) * g
            np.square(g, out=g)
            g *= 1 - beta2
            square *= beta2
            square += g
            step = np.sqrt(square)
            step += epsilon
            np.divide(mean, step, out=step)
            step *= now
            p -= step
    return P


def rank(b):
    def once(turn):
        scores = rng.random(meta["pairs"], dtype=np.float32)
        start = time.perf_counter()
        s = scores @ b
        top = np.argpartition(-s, meta["top"])[: meta["top"]]
        top[np.argsort(-s[top])]
        return (time.perf_counter() - start) * 1e3

    # One ranking takes less than the clock is good for when the machine is busy.
    return lambda turn: sorted(once(turn) for _ in range(15))[7]


tasks = {
    "numpy": {
        "logisticHvp": logistic_hvp,
        "logisticJvp": logistic_jvp,
        "jvp10": lambda turn: logistic_jvp(turn, 10),
        "product10": lambda turn: products(turn, 10),
        "hvp8Kept": logistic_hvp8_kept,
        "mlpHvp": mlp_hvp,
        "mlpEpoch": mlp_epoch,
    }
}
timed = {"numpy": {"rank": rank(index), "rankLarge": rank(large_index)}}
versions = {"numpy": np.__version__}

try:
    import jax
    import jax.numpy as jnp

    versions["jax"] = jax.__version__
    jX, jY = jnp.asarray(X), jnp.asarray(Y)

    def logistic_loss(P, X, Y):
        z = X @ P[0] + P[1]
        return (jax.nn.logsumexp(z, 1) - (z * Y).sum(1)).sum()

    def network_loss(P, X, Y):
        a = jax.nn.relu(X @ P[0] + P[1])
        z = a @ P[2] + P[3]
        return (jax.nn.logsumexp(z, 1) - (z * Y).sum(1)).sum()

    def hvp_of(loss):
        return lambda P, T, X, Y: jax.jvp(jax.grad(lambda q: loss(q, X, Y)), (P,), (T,))[1]

    def row_losses(P, X, Y):
        z = X @ P[0] + P[1]
        return jax.nn.logsumexp(z, 1) - (z * Y).sum(1)

    def jvp_rows(P, T, X, Y):
        return jax.jvp(lambda q: row_losses(q, X, Y), (P,), (T,))[1]

    jW = [tuple(map(jnp.asarray, w)) for w in weights]
    jN = [tuple(map(jnp.asarray, w)) for w in network]
    one = (jnp.asarray(V[:, :m]), jnp.asarray(c[:m]))
    many = (
        jnp.asarray(V.reshape(d, tangents, m).transpose(1, 0, 2)),
        jnp.asarray(c.reshape(tangents, m)),
    )
    eight = tuple(t[:8] for t in many)
    jax_hvp = jax.jit(hvp_of(logistic_loss))
    jax_hvp8 = jax.jit(jax.vmap(hvp_of(logistic_loss), (None, 0, None, None)))
    jax_jvp = jax.jit(jvp_rows)
    jax_jvp10 = jax.jit(jax.vmap(jvp_rows, (None, 0, None, None)))
    jax_mlp_hvp = jax.jit(hvp_of(network_loss))

    @jax.jit
    def adam_step(P, M, S, k, rows):
        G = jax.grad(network_loss)(P, jX[rows], jY[rows])
        now = rate * jnp.sqrt(1 - beta2**k) / (1 - beta1**k)
        P2, M2, S2 = [], [], []
        for p, g, mean, square in zip(P, G, M, S):
            g = g / rows.shape[0] + l2 * p
            mean = beta1 * mean + (1 - beta1) * g
            square = beta2 * square + (1 - beta2) * g * g
            P2.append(p - now * mean / (jnp.sqrt(square) + epsilon))
            M2.append(mean)
            S2.append(square)
        return tuple(P2), tuple(M2), tuple(S2)

    def jax_epoch(turn):
        P = jN[0]
        M = S = tuple(jnp.zeros_like(p) for p in P)
        order = rng.permutation(n).astype(np.int32)
        for k, start in enumerate(range(0, n, batch), 1):
            P, M, S = adam_step(P, M, S, np.float32(k), order[start : start + batch])
        return P

    tasks["jax"] = {
        "logisticHvp": lambda turn: jax_hvp(jW[turn % 4], one, jX, jY),
        "logisticJvp": lambda turn: jax_jvp(jW[turn % 4], one, jX, jY),
        "jvp10": lambda turn: jax_jvp10(jW[turn % 4], many, jX, jY),
        "hvp8Kept": lambda turn: jax_hvp8(jW[0], eight, jX, jY),
        "mlpHvp": lambda turn: jax_mlp_hvp(jN[1 + turn % 3], jN[0], jX, jY),
        "mlpEpoch": jax_epoch,
    }
except ImportError as missing:
    jax = None
    sys.stderr.write(f"without JAX: {missing}\n")

try:
    import sklearn
    from sklearn.linear_model import LogisticRegression

    versions["scikit-learn"] = sklearn.__version__
except ImportError as missing:
    LogisticRegression = None
    sys.stderr.write(f"without scikit-learn: {missing}\n")


def train_sklearn(task):
    """Biases are penalised as ours are, so they are a column of ones; the loss is evaluated in float64, outside the clock."""
    files = task["files"]
    x = np.fromfile(files["x"], dtype=np.float32).reshape(n, d)
    labels = np.fromfile(files["y"], dtype=np.int32)
    ones = np.concatenate([x, np.ones((n, 1), np.float32)], 1)
    model = LogisticRegression(C=1 / (task["l2"] * n), fit_intercept=False, tol=task["tolerance"], max_iter=2000)
    start = time.perf_counter()
    model.fit(ones, labels)
    ms = (time.perf_counter() - start) * 1e3
    z = ones.astype(np.float64) @ model.coef_.T
    top = z.max(1, keepdims=True)
    loss = (np.log(np.exp(z - top).sum(1)) + top[:, 0] - z[np.arange(n), labels]).mean()
    return ms, loss + task["l2"] / 2 * (model.coef_**2).sum(), int(model.n_iter_.max())


def exact_hvp(task):
    """In float64, at the θ and along the v of a file each."""
    theta = np.fromfile(task["theta"])
    v = np.fromfile(task["v"])
    W, b = theta[: d * m].reshape(d, m), theta[d * m :]
    T, t0 = v[: d * m].reshape(d, m), v[d * m :]
    x = X.astype(np.float64)
    p = softmax(x @ W + b)
    t = x @ T + t0
    t *= p
    t -= t.sum(1, keepdims=True) * p
    return (np.concatenate([(x.T @ t).ravel(), t.sum(0)]) / n + l2 * v).tolist()


say(versions=versions, tasks={library: [*own, *timed.get(library, {})] for library, own in tasks.items()})
turn = 0
for line in sys.stdin:
    task = json.loads(line)
    turn += 1
    if task["task"] == "sklearn":
        if LogisticRegression is None:
            say(ms=None)
            continue
        ms, loss, iterations = train_sklearn(task)
        say(ms=ms, loss=float(loss), iterations=iterations)
    elif task["task"] == "exactHvp":
        say(values=exact_hvp(task))
    elif task["task"] in timed.get(task["library"], {}):
        say(ms=timed[task["library"]][task["task"]](turn))
    else:
        start, spent = time.perf_counter(), time.process_time()
        result = tasks[task["library"]][task["task"]](turn)
        if task["library"] == "jax":
            jax.block_until_ready(result)
        say(ms=(time.perf_counter() - start) * 1e3, cpu=(time.process_time() - spent) * 1e3)
        del result
