"""The networks people use, against the framework they use: PyTorch's RNN, LSTM and GRU with copied weights."""

from __future__ import annotations

import numpy as np
import pytest

from bptt_tui.trace import Network

N, INPUTS, CLASSES, T = 5, 3, 4, 12

RNN = ["h = tanh(Wx @ x[t] + bx + Wh @ h[t-1] + bh)"]
LSTM = [
    "i = sigmoid(Wxi @ x[t] + bxi + Whi @ h[t-1] + bhi)",
    "f = sigmoid(Wxf @ x[t] + bxf + Whf @ h[t-1] + bhf)",
    "g = tanh(Wxg @ x[t] + bxg + Whg @ h[t-1] + bhg)",
    "p = sigmoid(Wxp @ x[t] + bxp + Whp @ h[t-1] + bhp)",
    "c = f * c[t-1] + i * g",
    "h = p * tanh(c)",
]
GRU = [
    "r = sigmoid(Wxr @ x[t] + bxr + Whr @ h[t-1] + bhr)",
    "z = sigmoid(Wxz @ x[t] + bxz + Whz @ h[t-1] + bhz)",
    "n = tanh(Wxn @ x[t] + bxn + r * (Whn @ h[t-1] + bhn))",
    "h = (1 - z) * n + z * h[t-1]",
]
OUTPUT = ["q = V @ h + k", "o = softmax(q)", "E = cross_entropy(o, y)"]
GATES = {"RNN": ("",), "LSTM": ("i", "f", "g", "p"), "GRU": ("r", "z", "n")}


def close(got, want):
    """1e-12 of the largest entry, and of every entry that is not a cancellation."""
    scale = np.max(np.abs(want))
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.torch
@pytest.mark.parametrize("loss_at", ["every", "last", [2, 7]])
@pytest.mark.parametrize(("name", "core"), [("RNN", RNN), ("LSTM", LSTM), ("GRU", GRU)])
def test_pytorch_agrees(name, core, loss_at):
    """Loss, outputs, every gradient, and the gradients by the initial states."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(4)
    layer = getattr(torch.nn, name)(INPUTS, N).double()
    for weight in layer.parameters():
        torch.nn.init.normal_(weight, std=0.6)
    V = torch.randn(CLASSES, N, dtype=torch.float64, requires_grad=True)
    k = torch.randn(CLASSES, dtype=torch.float64, requires_grad=True)
    x = torch.randn(T, INPUTS, dtype=torch.float64)
    y = torch.randint(0, CLASSES, (T,))
    states = [torch.randn(1, N, dtype=torch.float64, requires_grad=True) for _ in range(2 if name == "LSTM" else 1)]

    hidden, _ = layer(x, tuple(states) if name == "LSTM" else states[0])
    times = {"every": list(range(T)), "last": [T - 1]}.get(loss_at if isinstance(loss_at, str) else "", loss_at)
    logits = hidden @ V.T + k
    loss = torch.nn.functional.cross_entropy(logits[times], y[times], reduction="sum")
    loss.backward()

    parameters, gradients = {"V": V, "k": k}, {"V": V.grad, "k": k.grad}
    for ours, theirs in (("Wx", "weight_ih_l0"), ("Wh", "weight_hh_l0"), ("bx", "bias_ih_l0"), ("bh", "bias_hh_l0")):
        weight = getattr(layer, theirs)
        for gate, part, slope in zip(
            GATES[name], weight.chunk(len(GATES[name])), weight.grad.chunk(len(GATES[name])), strict=True
        ):
            parameters[ours + gate], gradients[ours + gate] = part, slope

    trace = Network([*core, *OUTPUT], loss_at=loss_at).trace(
        parameters={key: value.detach().numpy() for key, value in parameters.items()},
        inputs={"x": x.numpy(), "y": y.numpy()},
        initial={key: state.detach().numpy()[0] for key, state in zip("hc", states, strict=False)},
    )
    assert trace.loss == pytest.approx(loss.item(), rel=1e-12)
    close([trace.value("h", t) for t in range(max(times) + 1)], hidden.detach().numpy()[: max(times) + 1])
    for key, want in gradients.items():
        close(trace.gradient[key], want.numpy())
    for key, state in zip("hc", states, strict=False):
        close(trace.adjoint(key, -1), state.grad.numpy()[0])


@pytest.mark.torch
def test_two_biases_have_equal_gradients():
    """PyTorch's two biases are one too many: their contributions are the same at every timestep."""
    rng = np.random.default_rng(5)
    trace = Network(["h = tanh(W @ x[t] + b + U @ h[t-1] + c)", "E = squared_error(h, y)"], loss_at="every").trace(
        parameters={
            "W": rng.normal(size=(3, 2)),
            "U": rng.normal(size=(3, 3)),
            "b": rng.normal(size=3),
            "c": np.zeros(3),
        },
        inputs={"x": rng.normal(size=(6, 2))},
        initial={"h": np.zeros(3)},
        constants={"y": 0.2},
    )
    for t in range(6):
        assert np.array_equal(trace.contribution("b", t), trace.contribution("c", t))
