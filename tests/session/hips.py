"""The bundled networks written out by hand for HIPS autograd: an oracle that shares no code with the package.

Each function takes the parameters and the session's numbers (x, y, s₋₁) and returns the total loss.
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


LOSSES = {
    "question": question,
    "question-sigmoid": question_sigmoid,
    "answer": answer,
    "product-slip": product_slip,
    "many-to-many": many_to_many,
    "vectors": vectors,
    "one-logit": question,
}


def loss_and_gradient(name, parameters, inputs, initial, constants):
    """The loss and the gradient by parameter of the bundled session `name`."""
    p = {key: np.array(value, dtype=float) for key, value in parameters.items()}
    y = inputs["y"] if "y" in inputs else int(constants["y"])
    return value_and_grad(LOSSES[name])(p, inputs["x"], y, initial["s"])
