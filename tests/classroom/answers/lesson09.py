"""Answers to lesson 9's problems, written otherwise than the course writes them."""

import autograd.numpy as np


def logsumexp(scores, axis=None):
    most = np.max(scores, axis=axis, keepdims=True)
    total = most + np.log(np.sum(np.exp(scores - most), axis=axis, keepdims=True))
    return np.squeeze(total, axis=axis)


def log_softmax(scores, axis):
    return scores - np.expand_dims(logsumexp(scores, axis), axis)


def by_one_hot(z, y, ways):
    own = np.eye(ways)[y]
    return own.T @ z / own.sum(axis=0)[:, None]


def row_by_row(z, y, ways):
    total, count = [0.0] * ways, [0] * ways
    for row, label in zip(z, y, strict=True):
        total[label], count[label] = total[label] + row, count[label] + 1
    return [each / k for each, k in zip(total, count, strict=True)]


def query_by_query(z, prototypes):
    rows = []
    for query in z:
        scores = [-np.dot(query - c, query - c) for c in prototypes]
        rows.append(scores - logsumexp(scores))
    return rows


def through_the_linear(z, prototypes):
    return log_softmax(2 * z @ prototypes.T - (prototypes**2).sum(1), axis=1)


def class_by_class(prototypes):
    return np.stack([2 * c for c in prototypes], axis=-1), [-np.dot(c, c) for c in prototypes]


def from_values(prototypes):
    """The function is linear up to |z|^2: its value at 0 is the bias, and along each axis the weights."""
    bias = -(np.linalg.norm(prototypes, axis=1) ** 2)
    size = prototypes.shape[1]
    weights = [-((np.eye(size)[i] - prototypes) ** 2).sum(axis=1) + 1 - bias for i in range(size)]
    return [weights, bias]


def from_the_middle(prototypes):
    """Distances from the middle of the prototypes: what is the same for all classes is another number, and no matter."""
    middle = prototypes - prototypes.mean(axis=0)
    return 2 * middle.T, -(prototypes**2).sum(axis=1) + 7


def along_the_wrong_axis(z, y, ways):
    c = np.zeros((ways, z.shape[1]))
    for n in range(ways):
        c[n] = np.mean(z[y == n], axis=1)
    return c


def without_an_axis(z, y, ways):
    c = np.zeros((ways, z.shape[1]))
    for n in range(ways):
        c[n] = np.mean(z[y == n])
    return c


def cosines_of(q, s):
    return (q / np.linalg.norm(q, axis=1)[:, None]) @ (s / np.linalg.norm(s, axis=1)[:, None]).T


def to_the_mean_embedding(z_query, z_support, y_support, ways):
    means = np.stack([z_support[y_support == n].mean(axis=0) for n in range(ways)])
    return log_softmax(cosines_of(z_query, means), axis=1)


def averaged_and_divided(z_query, z_support, y_support, ways):
    a = np.exp(cosines_of(z_query, z_support))
    p = np.stack([a[:, y_support == n].mean(axis=1) for n in range(ways)], axis=1)
    return np.log(p / p.sum(axis=1, keepdims=True))


def by_counting(correct):
    shares = [sum(row) / len(row) for row in correct]
    mean = sum(shares) / len(shares)
    s = (sum((share - mean) ** 2 for share in shares) / (len(shares) - 1)) ** 0.5
    return mean, 1.959964 * s / len(shares) ** 0.5


def example_by_example(z_query, z_support, y_support, ways):
    result = np.zeros((len(z_query), ways))
    for q, query in enumerate(z_query):
        cosines = [np.dot(query, z) / (np.dot(query, query) * np.dot(z, z)) ** 0.5 for z in z_support]
        weights = np.exp(cosines)
        for weight, label in zip(weights, y_support, strict=True):
            result[q, label] += weight / sum(weights)
    return np.log(result)


def by_log_sums(z_query, z_support, y_support, ways):
    lengths = np.outer(np.linalg.norm(z_query, axis=1), np.linalg.norm(z_support, axis=1))
    log_a = log_softmax(z_query @ z_support.T / lengths, axis=1)
    return np.stack([logsumexp(log_a[:, y_support == n], axis=1) for n in range(ways)], axis=1)


def sum_of_exponentials(z, prototypes):
    scores = -np.sum((z[:, None] - prototypes) ** 2, axis=2)
    return scores - np.log(np.exp(scores).sum(axis=1))[:, None]


RIGHT = {
    "prototypes": [by_one_hot, row_by_row],
    "log_probabilities": [query_by_query, through_the_linear],
    "as_linear": [class_by_class, from_values, from_the_middle],
    "accuracy_ci": [by_counting, lambda c: (c.mean(), 1.96 * (c.mean(1).var(ddof=1) / len(c)) ** 0.5)],
    "matching": [example_by_example, by_log_sums],
    "choose_method": [tuple, lambda labels: [label.upper() for label in labels]],
}

WRONG = {
    "prototypes": [
        ("one mean for all", lambda z, y, ways: [z.mean(axis=0)] * ways),
        ("sum for mean", lambda z, y, ways: np.eye(ways)[:, y] @ z),
        ("rows taken in order", lambda z, y, ways: z.reshape(ways, -1, z.shape[-1]).mean(axis=1)),
        ("mean over the embedding", along_the_wrong_axis),
        ("one number for a point", without_an_axis),
        ("one mean for all + sum for mean", lambda z, y, ways: np.ones((ways, len(z))) @ z),
    ],
    "log_probabilities": [
        ("nearest gets least", lambda z, c: log_softmax(((z[:, None] - c) ** 2).sum(-1), axis=1)),
        ("distance not squared", lambda z, c: log_softmax(-np.linalg.norm(z[:, None] - c, axis=-1), axis=1)),
        ("bias left out", lambda z, c: log_softmax(2 * z @ c.T, axis=1)),
        ("softmax over the queries", lambda z, c: log_softmax(-((z[:, None] - c) ** 2).sum(-1), axis=0)),
        ("overflow", sum_of_exponentials),
        ("probabilities for their logarithms", lambda z, c: np.exp(through_the_linear(z, c))),
    ],
    "as_linear": [
        ("factor 2 missing", lambda c: (c.T, [-np.dot(each, each) for each in c])),
        ("bias left out", lambda c: (c.T * 2, np.zeros(len(c)))),
        ("half of everything", lambda c: (c.T, -0.5 * np.einsum("nd,nd->n", c, c))),
        ("factor 2 missing + sign of the bias", lambda c: (c.T, (c * c).sum(axis=1))),
    ],
    "accuracy_ci": [
        ("interval over images", lambda c: (c.mean(), 1.96 * np.std(c.ravel() * 1.0, ddof=1) / c.size**0.5)),
        ("deviation for error", lambda c: (c.mean(), 1.96 * c.mean(axis=1).std(ddof=1))),
        ("deviation with ddof 0", lambda c: (c.mean(), 1.96 * c.mean(axis=1).std() / np.sqrt(len(c)))),
    ],
    "matching": [
        (
            "no cosine",
            lambda q, s, y, ways: np.log(np.exp(log_softmax(q @ s.T, axis=1)) @ np.eye(ways)[y]),
        ),
        (
            "attention over the queries",
            lambda q, s, y, ways: np.log(np.exp(log_softmax(cosines_of(q, s), axis=0)) @ np.eye(ways)[y]),
        ),
        ("cosine to the mean embedding", to_the_mean_embedding),
        ("mean for sum, made to add up", averaged_and_divided),
        (
            "added before the softmax",
            lambda q, s, y, ways: log_softmax(cosines_of(q, s) @ np.eye(ways)[y], axis=1),
        ),
    ],
}
