"""Derivations as learners write them, in the notations of the textbooks: right ones, and the mistakes that are made."""

from __future__ import annotations

import time

import pytest

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.errors import FormulaError
from bptt_tui.session import Session, load

RIGHT = {
    "elman": (
        # ∇ and timesteps above, as in Goodfellow, Bengio and Courville.
        r"\nabla_{h^{(3)}} L = W_{hy}^\top (\nabla_{y^{(3)}} L)",
        r"\nabla_{h^{(t)}} L = \left(\frac{\partial h^{(t+1)}}{\partial h^{(t)}}\right)^\top (\nabla_{h^{(t+1)}} L)"
        r" + \left(\frac{\partial y^{(t)}}{\partial h^{(t)}}\right)^\top (\nabla_{y^{(t)}} L)",
        r"\nabla_{h^{(t)}} L = W_{hh}^\top diag(1-(h^{(t+1)})^2) (\nabla_{h^{(t+1)}} L)"
        r" + W_{hy}^\top (\nabla_{y^{(t)}} L)",
        r"\nabla_{W_{hy}} L = \sum_t (\nabla_{y^{(t)}} L) h^{(t)\top}",
        r"\nabla_{W_{hh}} L = \sum_t diag(1-(h^{(t)})^2) (\nabla_{h^{(t)}} L) (h^{(t-1)})^\top",
        r"\nabla_{b_h} L = \sum_t diag(1-(h^{(t)})^2)^\top \nabla_{h^{(t)}} L",
        # Angle brackets, plain letters above, subscripts.
        r"dE/dh^{\langle t \rangle} = Why^T dE/dy^{\langle t \rangle}"
        r" + Whh^T ((1-(h^{\langle t+1\rangle})^2) ⊙ dE/dh^{\langle t+1\rangle})",
        "dE/dh^t = Whh^T ((1-(h^{t+1})^2) * dE/dh^{t+1}) + Why^T dE/dy^t",
        r"\frac{\partial E}{\partial h_t} = W_{hh}^\top \left(\frac{\partial E}{\partial h_{t+1}}"
        r" \odot (1 - h_{t+1}^2)\right) + W_{hy}^\top (p_t - \mathbf{1}_{target_t})",
        # Sums over t and k, as in Pascanu, Mikolov and Bengio.
        r"\frac{\partial E_t}{\partial W_{hh}} = \sum_{0\le k\le t} \frac{\partial E_t}{\partial h_t}"
        r"\frac{\partial h_t}{\partial h_k}\frac{\partial^+ h_k}{\partial W_{hh}}",
        r"\frac{\partial h_t}{\partial h_k} = \prod_{t \ge i > k} \frac{\partial h_i}{\partial h_{i-1}}",
        r"\frac{\partial h_t}{\partial h_k} = \prod_{t \ge i > k} diag(1-h_i^2) W_{hh}",
        r"\frac{\partial h_t}{\partial h_k} = \prod_{t \ge i > k} W_{hh}^\top diag(1-h_i^2)",
        "dE_t/dWhh = sum_{k=0}^t dE_t/dp_t dp_t/dh_t (prod_{j=k+1}^t dh_j/dh_{j-1}) ∂⁺h_k/∂Whh",
        # As it is programmed.
        "dE/dWhh = sum_t np.dot((1 - h_t*h_t) * dE/dh_t, h_{t-1}.T)",
        "dE/dWhh = sum_t np.outer((1 - h_t*h_t) * dE/dh_t, h_{t-1})",
        "dE/dh_3 = Why.T.dot(p_3 - onehot(target_3))",
        "dE/dh[t] = Why.T @ (p[t] - onehot(target[t])) + Whh.T @ ((1 - h[t+1]**2) * dE/dh[t+1])",
    ),
    "lstm": (
        r"\frac{\partial E}{\partial c_t} = \frac{\partial E}{\partial h_t} \odot o_t \odot (1-\tanh^2(c_t))"
        r" + \frac{\partial E}{\partial c_{t+1}} \odot f_{t+1}",
        "dE/df_t = dE/dc_t ⊙ c_{t-1}",
        "dE/dWf = sum_t (dE/dc_t ⊙ c_{t-1} ⊙ f_t ⊙ (1-f_t)) v_t^T",
        "dE/dbg = sum_t dE/dc_t ⊙ i_t ⊙ (1-g_t^2)",
        "dE/dv_t = Wi^T (dE/di_t ⊙ i_t ⊙ (1-i_t)) + Wf^T (dE/df_t ⊙ f_t ⊙ (1-f_t))"
        " + Wg^T (dE/dg_t ⊙ (1-g_t^2)) + Wo^T (dE/do_t ⊙ o_t ⊙ (1-o_t))",
        "∂⁺c_t/∂c_{t-1} = diag(f_t)",
    ),
    "gru": (
        "dE/dz_t = dE/dh_t ⊙ (h_{t-1} - n_t)",
        "dE/dbn = sum_t dE/dh_t ⊙ (1-z_t) ⊙ (1-n_t^2)",
        "dE/dWn = sum_t (dE/dh_t ⊙ (1-z_t) ⊙ (1-n_t^2)) concat(r_t ⊙ h_{t-1}, x_t)^T",
    ),
    "two-layers": (
        "dE/dg_t = dE/dh_t (1-h_t^2) p + dE/dg_{t+1} (1-g_{t+1}^2) w",
        r"dE/du = \sum_t \sum_{k\le t} dE_t/dg_k (1-g_k^2) x_k",
    ),
    "vanishing": (
        r"dE/dw = (s_59-y) \sum_{k=0}^{59} \prod_{j=k+1}^{59} \frac{\partial s_j}{\partial s_{j-1}}"
        r" \frac{\partial^+ s_k}{\partial w}",
        r"dE/dw = (s_59-y) \sum_{k=0}^{59} \prod_{j=k+1}^{59} w (1-s_j^2) (1-s_k^2) s_{k-1}",
        r"dE/dw = (s_59-y) \sum_{k=0}^{59} \prod_{j=k+1}^{59} (1-s_j^2) w (1-s_k^2) s_{k-1}",
        r"ds_59/ds_56 = \prod_{j=58}^{59} ds_j/ds_{j-1} w (1-s_57^2)",
        r"ds_59/ds_0 = w^{59} \prod_{t=1}^{59} (1-s_t^2)",
        r"dE/dw = (s_59-y) \sum_{k=0}^{59} (\prod_{j=k+1}^{59} w (1-s_j^2)) (1-s_k^2) s_{k-1}",
    ),
    "question": (
        r"\nabla_w E = \nabla_{w_1} E + \nabla_{w_0} E",
        "s^{(1)} = tanh(u x^{(1)} + w s^{(0)})",
        # Ordered derivatives, as in Werbos: ∂⁺ through every path.
        "∂⁺E/∂s_0 = ∂⁺E/∂s_1 ∂s_1/∂s_0",
        r"\frac{dE}{dw} = \frac{\partial E}{\partial s_1}\left(\frac{\partial^+ s_1}{\partial w}"
        r" + \frac{\partial s_1}{\partial s_0}\frac{\partial^+ s_0}{\partial w}\right)",
        "ds_t/dw = (1-s_t^2)(s_{t-1} + w ds_{t-1}/dw)",
        # Inner products of two columns.
        "dE/dw = v·(o-y) (1-s_1^2) (s_0 + w (1-s_0^2) s_{-1})",
        "dE/dw = (v·(o-y)) f'(z_1) [s_0 + w f'(z_0) s_{-1}]",
        "dE/ds_1 = (o - y) · v",
    ),
    "many-to-many": ("∂⁺E/∂s_1 = ∂E_1/∂s_1 + ∂⁺E/∂s_2 ∂s_2/∂s_1",),
}

WRONG = {
    "elman": {
        "dE/dh_t = Whh diag(1 - h_{t+1}^2) dE/dh_{t+1} + Why^T dE/dy_t": "Whh should be transposed",
        "dE/dh_t = Whh^T dE/dh_{t+1} + Why^T dE/dy_t": "the slope diag(1 − h₂²) is missing",
        "dE/dh_t = Whh^T diag(1 - h_t^2) dE/dh_{t+1} + Why^T dE/dy_t": "diag(1 − h₁²) is of another timestep",
        "dE/dh_t = Whh^T diag(1 - h_{t+1}^2) dE/dh_{t+1}": "the paths through E₁ are missing",
        "dE/dh_t = Why^T dE/dy_t": "the paths through h₂ are missing",
        "dE/dWhh = sum_t diag(1-h_{t-1}^2) (dE/dh_t) h_{t-1}^T": "diag(1 − h₋₁²) is of another timestep",
        "dE/dWhh = sum_t diag(1-h_t^2) (dE/dh_t) h_t^T": "h₀ᵀ stands where h₋₁ᵀ belongs",
        "dE/dbh = sum_t (1-h_t^2) ⊙ (Why^T (p_t - onehot(target_t)))": "the paths through h₁ are missing",
        "dE/dWxh = sum_t x_t diag(1-h_t^2) (dE/dh_t)": "no term can be multiplied",
        r"\frac{\partial h_t}{\partial h_k} = \prod_{t \ge i \ge k} diag(1-h_i^2) W_{hh}": "do not belong",
        "dE_t/dWhh = sum_{k=0}^t dE_t/dh_t (prod_{j=k}^t dh_j/dh_{j-1}) ∂⁺h_k/∂Whh": "∂h₀/∂h₋₁ does not belong",
        "dE_3/dWhh = sum_{k=0}^{3} dE_3/dh_3 Whh^{3-k} ∂⁺h_k/∂Whh": "every step from h₃ to h₀ has a slope of its own",
    },
    "lstm": {
        "dE/dc_t = dE/dh_t ⊙ o_t ⊙ (1 - tanh(c_t)^2) + dE/dc_{t+1} ⊙ f_t": "f₂ stands where f₃ belongs",
        "dE/dc_t = dE/dh_t ⊙ o_t ⊙ (1 - c_t^2) + dE/dc_{t+1} ⊙ f_{t+1}": "takes the value before tanh",
        "dE/dc_t = dE/dh_t ⊙ o_t ⊙ (1 - tanh(c_t)^2)": "the paths through ∂c₃/∂c₂ are missing",
        "dE/dWf = sum_t (dE/dc_t ⊙ c_{t-1} ⊙ (1-f_t^2)) v_t^T": "is the slope of tanh, but f₀ = sigmoid",
        "dE/dv_t = Wi^T dE/di_t + Wf^T dE/df_t + Wg^T dE/dg_t + Wo^T dE/do_t": "the slope diag(i₂·(1 − i₂)) is missing",
        "dc_4/dc_1 = f_4 ⊙ f_3": "the factor ∂c₂/∂c₁ = diag(f₂) is missing; the paths through v₄, v₃ and v₂",
    },
    "gru": {
        "dE/dz_t = dE/dh_t ⊙ (n_t - h_{t-1})": "the sign is wrong",
        "dE/dn_t = dE/dh_t ⊙ z_t": "z₂ stands where ∂h₂/∂n₂ = diag(1 − z₂) belongs",
        "dE/dWn = sum_t (dE/dh_t ⊙ (1-z_t) ⊙ (1-n_t^2)) v_t^T": "v₀ᵀ stands where concat(r₀·h₋₁, x₀)ᵀ belongs",
        "dE/dbn = sum_t dE/dh_t ⊙ (1-z_{t-1}) ⊙ (1-n_t^2)": "1 − z₀ is of another timestep: 1 − z₁ belongs there",
    },
    "two-layers": {
        "dE/dg_t = dE/dh_t (1-h_t^2) p": "the paths through g₂ are missing",
        "dE/dg_t = dE/dh_t p + dE/dg_{t+1} w": "the slope 1 − h₁² is missing",
        "dE/dg_t = dE/dh_t (1-h_t^2) r + dE/dg_{t+1} (1-g_{t+1}^2) w": "r stands where p belongs",
        "dE/dw = sum_t dE/dg_t (1-g_{t-1}^2) g_{t-1}": "1 − g₋₁² is of another timestep",
        r"dE/du = \sum_t \sum_{k\le t} dE_t/dg_t (1-g_k^2) x_k": "∂E₁/∂g₁ is of another timestep: ∂E₁/∂g₀ belongs",
    },
    "question": {
        "dE/dw = (o-y) v (1-z_1^2) (s_0 + w (1-z_0^2) s_{-1})": "1 − z₁² takes the value before tanh",
        "dE/dw = (o-y) v s_1(1-s_1) (s_0 + w s_0(1-s_0) s_{-1})": "t = 0 term s₁·(1 − s₁) is the slope of sigmoid",
        "ds_t/dw = (1-s_t^2) s_{t-1} + w ds_{t-1}/dw": "in the t = 0 term the slope ∂s₁/∂z₁ = 1 − s₁² is missing",
        "dE/ds_1 = v · (y - o)": "the sign of ∂E/∂q = o − y is wrong",
        "∂E/∂w = ∂E/∂s_1 ∂⁺s_1/∂w": "leaves out the paths through earlier timesteps",
    },
    "many-to-many": {"∂⁺E/∂s_1 = ∂⁺E/∂s_2 ∂s_2/∂s_1": "the paths through E₁ are missing"},
    "vanishing": {
        r"dE/ds_k = (s_59 - y) \prod_{t=k}^{58} w(1-s_t^2)": "w·(1 − sₜ₊₁²) belongs there",
        r"ds_59/ds_0 = w^{60} \prod_{t=1}^{59} (1-s_t^2)": "w⁶⁰ stands where w⁵⁹ belongs: the power is one too high",
        r"ds_59/ds_0 = w^{59} \prod_{t=0}^{59} (1-s_t^2)": "1 − s₀² does not belong",
        r"dE/dw = (s_59-y) \sum_{k=0}^{59} (\prod_{j=k+1}^{59} w (1-s_j^2)) (1-s_k^2) s_k": "the index is off by one",
        r"dE/dw = (y-s_59) \sum_{k=0}^{59} (\prod_{j=k+1}^{59} w (1-s_j^2)) (1-s_k^2) s_{k-1}": "the sign of ∂E/∂s₅₉",
    },
}

REFUSED = {
    r"\delta_t = W_{hh}^\top \delta_{t+1}": "write the gradient that it stands for",
    r"dE/dh_t = Whh^T \delta_{t+1}": "write the gradient that it stands for",
    r"\nabla E = 3": "∇ by what?",
    "dE/dh_1 > 0": "unexpected '>'",
    "dE/dh = 1": "which h?",
    "dE/dh_4 = 1": "the last timestep is 3",
    "dE/dh_T = 1": "T is the number of timesteps",
}


@pytest.fixture(scope="module")
def elman() -> Session:
    """Vectors, a loss at every step, all of a step in one equation."""
    return load("vectors").replace(
        equations=[
            "h = tanh(Wxh @ x[t] + Whh @ h[t-1] + bh)",
            "y = Why @ h + by",
            "p = softmax(y)",
            "E = cross_entropy(p, target[t])",
        ],
        loss=load("many-to-many").loss,
        parameters={
            "Wxh": [[0.5, -0.3], [0.2, 0.7], [-0.6, 0.4]],
            "Whh": [[0.6, -0.4, 0.3], [0.5, 0.7, -0.3], [-0.8, 0.4, 0.9]],
            "bh": [0.1, -0.2, 0.3],
            "Why": [[1.2, -0.7, 0.4], [-0.5, 0.9, 0.6]],
            "by": [0.2, -0.1],
        },
        initial={"h": [0.3, -0.5, 0.4]},
        inputs={"x": [[0.5, -1.0], [1.0, 0.75], [-0.5, 0.6], [0.3, 0.9]], "target": [0, 1, 1, 0]},
        constants={},
        expected=None,
    )


@pytest.mark.parametrize(("name", "formula"), [(name, text) for name, texts in RIGHT.items() for text in texts])
def test_a_right_derivation_is_right(elman: Session, name: str, formula: str) -> None:
    verdict = judge(elman if name == "elman" else load(name), formula)
    assert verdict.holds, verdict.sentence


@pytest.mark.parametrize(
    ("name", "formula", "said"), [(name, text, said) for name, texts in WRONG.items() for text, said in texts.items()]
)
def test_a_mistake_is_found_and_called_by_its_name(elman: Session, name: str, formula: str, said: str) -> None:
    verdict = judge(elman if name == "elman" else load(name), formula)
    assert verdict.outcome in ("wrong", "shapes")
    assert said in verdict.sentence


@pytest.mark.parametrize("formula", REFUSED)
def test_what_is_not_read_is_refused_with_place_and_hint(elman: Session, formula: str) -> None:
    with pytest.raises(FormulaError) as caught:
        judge(elman, formula)
    assert REFUSED[formula] in f"{caught.value.reason}; {caught.value.hint}"
    assert 0 <= caught.value.column <= len(formula)


def test_a_sum_of_products_over_sixty_steps_takes_no_minute() -> None:
    """1830 factors; it took 58 seconds."""
    session = load("vanishing")
    started = time.perf_counter()
    assert judge(session, RIGHT["vanishing"][1]).holds
    assert time.perf_counter() - started < 10
