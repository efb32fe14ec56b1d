"""The bundled networks written out by hand for HIPS autograd: an oracle that shares no code with the package.

Each function takes the parameters, the inputs x, the targets y and the states before t = 0 by name, and returns the
total loss.
"""

from __future__ import annotations

import autograd.numpy as np
from autograd import value_and_grad


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cross_entropy(q, y):
    """−log softmax(q)[y], with the logits shifted so that nothing overflows."""
    shifted = q - np.max(q)
    return np.log(np.sum(np.exp(shifted))) - shifted[y]


def question(p, x, y, s, f=np.tanh):
    s = f(p["u"] * x[0] + p["w"] * s)
    s = f(p["u"] * x[1] + p["w"] * s)
    return cross_entropy(p["v"] * s, y)


def question_sigmoid(p, x, y, s):
    return question(p, x, y, s, f=sigmoid)


def answer(p, x, y, s):
    s = np.tanh(p["u"] * x[0] + p["w"] * s + p["k"])
    s = np.tanh(p["u"] * x[1] + p["w"] * s + p["k"])
    return cross_entropy(p["v"] * s + p["c"], y)


def product_slip(p, x, y, s):
    s = np.tanh((p["u"] * x[0]) * (p["w"] * s))
    s = np.tanh((p["u"] * x[1]) * (p["w"] * s))
    return cross_entropy(p["v"] * s, y)


def many_to_many(p, x, y, s):
    total = 0.0
    for x_t, y_t in zip(x, y, strict=True):
        s = np.tanh(p["u"] * x_t + p["w"] * s)
        total = total + cross_entropy(p["v"] * s, int(y_t))
    return total


def vectors(p, x, y, s):
    s = np.array(s)
    for x_t in np.array(x):
        s = np.tanh(np.dot(p["U"], x_t) + np.dot(p["W"], s) + p["k"])
    return cross_entropy(np.dot(p["V"], s) + p["c"], y)


def two_layers(p, x, y, g, h):
    total = 0.0
    for x_t, y_t in zip(x, y, strict=True):
        g = np.tanh(p["u"] * x_t + p["w"] * g)
        h = np.tanh(p["p"] * g + p["r"] * h)
        total = total + cross_entropy(p["v"] * h, int(y_t))
    return total


def one_unit(p, x, y, s):
    for x_t in x:
        s = np.tanh(p["u"] * x_t + p["w"] * s)
    return 0.5 * (s - y) ** 2


def min_char_rnn(p, x, y, h):
    h, total = np.array(h), 0.0
    for x_t, y_t in zip(x, y, strict=True):
        h = np.tanh(np.dot(p["Wxh"], np.array(x_t, dtype=float)) + np.dot(p["Whh"], h) + p["bh"])
        total = total + cross_entropy(np.dot(p["Why"], h) + p["by"], int(y_t))
    return total


def lstm(p, x, y, h, c):
    h, c = np.array(h), np.array(c)
    for x_t in x:
        v = np.concatenate([h, np.array([x_t])])
        i, f, g, o = (np.dot(p[f"W{gate}"], v) + p[f"b{gate}"] for gate in "ifgo")
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return cross_entropy(np.dot(p["V"], h), y)


def gru(p, x, y, h):
    h = np.array(h)
    for x_t in x:
        v = np.concatenate([h, np.array([x_t])])
        z = sigmoid(np.dot(p["Wz"], v) + p["bz"])
        r = sigmoid(np.dot(p["Wr"], v) + p["br"])
        n = np.tanh(np.dot(p["Wn"], np.concatenate([r * h, np.array([x_t])])) + p["bn"])
        h = z * h + (1 - z) * n
    return cross_entropy(np.dot(p["V"], h), y)


def linear(p, x, y, s):
    for x_t in x:
        s = p["w"] * s + x_t
    return 0.5 * (s - y) ** 2


LOSSES = {
    "question": question,
    "question-sigmoid": question_sigmoid,
    "answer": answer,
    "product-slip": product_slip,
    "many-to-many": many_to_many,
    "vectors": vectors,
    "one-logit": question,
    "two-layers": two_layers,
    "vanishing": one_unit,
    "exploding": one_unit,
    "min-char-rnn": min_char_rnn,
    "lstm": lstm,
    "gru": gru,
    "lesson-question": question,
    "lesson-sum": linear,
    "lesson-softmax": question,
    "lesson-vanishing": one_unit,
}
# The input or constant that the loss compares with.
TARGETS = ("target", "y")


def loss_and_gradient(name, parameters, inputs, initial, constants):
    """The loss and the gradient by parameter of the bundled session `name`."""
    p = {key: np.array(value, dtype=float) for key, value in parameters.items()}
    y = next(given[target] for given in (inputs, constants) for target in TARGETS if target in given)
    return value_and_grad(LOSSES[name])(p, inputs["x"], y, **initial)
