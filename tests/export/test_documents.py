"""Documents of every bundled session in every format: what is in them, and that nothing in a file becomes markup."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bptt_tui.calculus import numerals
from bptt_tui.debugger import Debugger
from bptt_tui.export.composing import compose
from bptt_tui.export.document import (
    Break,
    Code,
    Display,
    Document,
    Emphasis,
    Heading,
    Items,
    Maths,
    Paragraph,
    Quoted,
    Strong,
    Table,
    Verbatim,
    cell,
    render,
)
from bptt_tui.export.remarks import blocks
from bptt_tui.session import Chapter, Loss, Note, Prediction, Session, bundled, load
from bptt_tui.session.format import Attempt

FORMATS = ("markdown", "latex", "html")
NETWORKS = [name for name in bundled.names() if not name.startswith("lesson")]
TEX = shutil.which("pdflatex")
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
HOSTILE = (
    r"""\input{/etc/passwd} $x$ <script>alert(1)</script> [a](javascript:b) `c` | & % # _ ^ ~ "q" 1. ∂E/∂w₀ α é 权 """
    + "\x1b[31m"
)
EVERY_KIND = Document(
    HOSTILE,
    (
        Heading(1, (HOSTILE,)),
        Paragraph((HOSTILE, Maths(r"\frac{a}{b}"), Code(HOSTILE), Strong(HOSTILE))),
        Paragraph(("- no list",)),
        Items(((HOSTILE,), ("two",))),
        Display((("a", "= b", "= 1"), ("", r"= \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"))),
        Table(
            ((HOSTILE,), ("n",)), ((cell(HOSTILE), cell("1", heat=-0.5)), (cell(Maths("|x|")), cell("2", dimmed=True)))
        ),
        Verbatim(f"{HOSTILE}\n  ^ here\n\n```\nend"),
        Paragraph((Emphasis(HOSTILE), Break(), "[x] and\n- no list", Break(), "= no rule", Break(), "12. no number")),
        Items(((HOSTILE,), ("- [ ] no task",)), 3),
        Quoted((HOSTILE, Break(), "> no deeper")),
        *blocks(HOSTILE),
        *blocks(
            f"# {HOSTILE}\n**{HOSTILE}** *{HOSTILE}*\n- {HOSTILE}\n1. {HOSTILE}\n> {HOSTILE}\n```\n{HOSTILE}\n```\n---"
        ),
    ),
)


class Page(HTMLParser):
    """Checks that elements nest, and collects their text and names."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [value or "" for _, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_as_a_page(name: str) -> None:
    text = render(compose(load(name)), "html")
    page = Page(text)
    assert not page.names & {"script", "img", "iframe", "object", "form"}
    assert not re.search(r"https?:|//[a-z]|url\(|@import", text)
    for formula in re.findall(r"<math.*?</math>", text, re.DOTALL):
        ET.fromstring(formula)
    assert "\\" not in page.words.replace(r"\x1b", "")


def test_the_numbers_of_the_question_are_in_every_format() -> None:
    session = load("question")
    trace, document = session.trace(), compose(session)
    wanted = [trace.loss, trace.value("s", 0), trace.adjoint("s", 0)]
    wanted += [trace.contribution(p, t) for p in ("u", "w") for t in (0, 1)]
    wanted += [trace.gradient["u"], trace.gradient["w"]]
    for form in FORMATS:
        text = render(document, form).replace("−", "-")
        plain = re.sub(r"<[^>]*>", "", text)
        for number in wanted[:2] + wanted[3:]:
            assert numerals.number(float(np.asarray(number))) in plain, (form, number)
        assert ("0.3169" in plain) and ("1×2" in plain or "{\\times}" in plain)


@pytest.mark.parametrize(
    ("name", "timesteps"), [("question", "0, 1"), ("many-to-many", "0, 1, 2"), ("vanishing", "0, 1, …, 59")]
)
def test_the_timesteps_of_an_input_are_those_that_there_are(name: str, timesteps: str) -> None:
    assert f"input, t = {timesteps}<" in render(compose(load(name)), "html")


def test_a_chain_is_written_as_fractions_formulas_numbers_and_shapes() -> None:
    text = render(compose(load("question")), "markdown")
    chain = text[text.index("#### The use at t = 0") :]
    assert r"\frac{\partial b_{1}}{\partial s_{0}} \cdot \frac{\partial s_{0}}{\partial z_{0}}" in chain
    assert r"\left(1 - s_{1}^2\right) \cdot 1 \cdot w \cdot \left(1 - s_{0}^2\right) \cdot 1 \cdot x_{0}" in chain
    assert r"0.796279 \cdot 1 \cdot 0.6 \cdot 0.726821 \cdot 1 \cdot 0.5" in chain
    assert r"1{\times}2 \cdot 2{\times}2 \cdot 2{\times}1" in chain


def test_many_chains_are_grouped_and_many_timesteps_left_out() -> None:
    lstm = render(compose(load("lstm")), "markdown")
    assert "chains lead to it. Grouped by the loss step" in lstm
    vanishing = render(compose(load("vanishing")), "markdown")
    assert "are left out here" in vanishing and len(vanishing) < 200_000
    question = load("question")
    long = question.replace(inputs={"x": [0.1] * 1000}, loss=Loss(at="every"), expected=None)
    assert len(render(compose(long), "html")) < 2_000_000


def test_the_table_and_what_truncating_it_gives() -> None:
    session = load("many-to-many")
    text = render(compose(session), "markdown")
    table = text[text.index("## Loss time by use time") :]
    assert "| a window of 1 timestep |" in table and "| chunks of 2 timesteps |" in table
    assert f"| {numerals.number(float(session.trace().gradient['u']), 4)} |" in table
    assert "Loss time by use time" not in render(compose(load("question")), "markdown")


ATTEMPTS = [
    r"\partial E/\partial u = \partial E/\partial u_1 + \partial E/\partial u_0",
    "∂s_1/∂s_0 = w",
    "dE/dw = dE/dw_1",
    "dE/dw = nonsense",
    "dE/ds_1 = do/dq * dE/do * v",
]


def tried() -> Session:
    debugger = Debugger(load("question"))
    for formula in ATTEMPTS:
        if "nonsense" not in formula:
            debugger.do(f"check {formula}")
    session = debugger.session
    kept = [*session.debugger.attempts, Attempt(ATTEMPTS[3])]
    return session.with_state(attempts=kept)


def test_the_verdicts_of_the_attempts() -> None:
    session = tried()
    text = render(compose(session), "markdown")
    attempts = text[text.index("## Attempts") :]
    assert attempts.count("### Attempt ") == len(ATTEMPTS)
    assert "✓ right" in attempts and "✗ wrong" in attempts and "○" in attempts
    assert "∂s₁/∂z₁ = 1 − s₁² is missing" in attempts
    assert "the sum over time forgotten" in attempts
    assert "**not readable:**" in attempts
    assert "| factor | shape |" in attempts
    assert "## Attempts" not in render(compose(load("question")), "markdown")
    for form in ("latex", "html"):
        assert "Attempt 5" in render(compose(session), form) and "U+2" not in render(compose(session), form)


def test_a_lesson_has_its_notes_beside_the_steps_they_belong_to() -> None:
    session = load("lesson-question")
    text = render(compose(session), "markdown")
    walk = text[text.index("## The walk\n") : text.index("## Forward\n")]
    for chapter in session.debugger.chapters:
        assert f"### {chapter.title}\n" in walk
    step = walk[walk.index("**Step 22** of 27, backward, t = 0: $\\partial E/\\partial s_{0}$") :]
    assert step.split("\n\n")[1] == (
        "$$\n\\frac{\\partial E}{\\partial s_{0}} = \\frac{\\partial E}{\\partial b_{1}} \\cdot w"
        " = \\left(-1.06231\\right) \\cdot 0.6 = -0.637385\n$$"
    )
    assert step.split("\n\n")[2].startswith("The other way leads over b₁ = w·s₀ to s₀")
    assert "**w₁** in it" in walk and "*Remember it.*" in walk and "slip?  \nLet us walk" in walk
    assert "## The walk" not in render(compose(session, without=["notes"]), "markdown")
    assert "## The walk" not in render(compose(load("question")), "markdown")


def test_every_position_of_every_network_can_have_a_note() -> None:
    for name in ("question", "many-to-many", "vectors", "lstm"):
        session = load(name)
        last = Debugger(session).last
        noted = session.with_state(notes=[Note(position, f"here {position}") for position in (*range(last + 1), 10**9)])
        text = render(compose(noted), "markdown")
        assert all(f"\n\nhere {position}\n" in text for position in range(last + 1))
        assert f"**Step 1000000000**: beyond the last one, {last}" in text


def questioned() -> Session:
    """Every question that predict mode has, first answered wrongly, then revealed."""
    debugger = Debugger(load("many-to-many"))
    debugger.do("predict on")
    while debugger.asked is not None or debugger.cursor.position < debugger.last:
        if debugger.asked is not None:
            zeros = np.full(debugger.asked.shape, 0.123).tolist()
            debugger.do(f"answer {zeros}")
            debugger.do("reveal")
        if debugger.cursor.position < debugger.last:
            debugger.do("step")
    return debugger.session


def test_the_questions_with_the_answers_and_their_solutions() -> None:
    session = questioned()
    stale = Prediction(4, "∂x/∂y = ?", "|x| <b>", "wrong")
    kept = [*session.debugger.predictions, stale]
    text = render(compose(session.with_state(predictions=kept)), "markdown")
    questions = text[text.index("## Questions\n") :]
    asked = {(one.position, one.question) for one in kept}
    assert questions.count("**Question ") == len(asked) > 50
    assert questions.count("0.123") >= len(asked) - 1 == questions.count("\n- revealed\n")
    assert questions.count("does not ask this") == 1 and "- answered `|x| <b>`: wrong" in questions
    trace = session.trace()
    one = questions[questions.index("$\\frac{\\partial s_{1}}{\\partial z_{1}}$ = ?") :]
    slope = numerals.number(1 - float(trace.value("s", 1)) ** 2)
    assert one.split("$$")[1].strip() == f"\\frac{{\\partial s_{{1}}}}{{\\partial z_{{1}}}} = 1 - s_{{1}}^2 = {slope}"
    for form in ("latex", "html"):
        assert "Question 9." in render(compose(session), form)
    assert "## Questions" not in render(compose(session, without=["questions"]), "markdown")


def test_a_note_in_every_format() -> None:
    note = "# Title\n- a\n- **b**\n2. one\n3. two\n> said *so*\n> twice\n```\nco|de\n```\n[here](http://x.y)\n---"
    session = load("question").with_state(notes=[Note(3, note)], chapters=[Chapter(3, "<b>*x*</b> $y$")])
    markdown = render(compose(session), "markdown")
    wanted = "**Title**\n\n- a\n- **b**\n\n2. one\n3. two\n\n> said *so*  \n> twice\n\n```\nco|de\n```\n\nhere (http://x.y)\n"
    assert wanted in markdown and r"### \<b\>\*x\*\</b\> \$y\$" in markdown
    html = render(compose(session), "html")
    assert '<ol start="2"><li>one</li><li>two</li></ol>' in html and "<h3>&lt;b&gt;*x*&lt;/b&gt; $y$</h3>" in html
    assert "<blockquote><p>said <em>so</em><br>twice</p></blockquote>" in html
    latex = render(compose(session), "latex")
    assert r"\item[2.] {one}" in latex and r"said \emph{so}\newline twice" in latex
    Page(html)


def test_markdown_of_hostile_text() -> None:
    text = render(EVERY_KIND, "markdown")
    assert "\x1b" not in text and "<script" not in text.replace(r"\<script", "").replace("`", "")[:400]
    outside = re.sub(r"(`+).+?\1", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)(<|\]\()", outside)
    assert re.search(r"^\\- no list", text, re.MULTILINE)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_html_of_hostile_text() -> None:
    page = Page(render(EVERY_KIND, "html"))
    assert not page.names & {"script", "a", "img"} and "<script>alert(1)</script>" in page.words
    assert "\x1b" not in page.words and r"\x1b[31m" in page.words


def test_latex_of_hostile_text() -> None:
    text = render(EVERY_KIND, "latex")
    body = text[text.index(r"\title") :]
    assert r"\input" not in body and "\x1b" not in body
    assert all(character.isascii() or character == "é" for character in text)


@pytest.mark.skipif(TEX is None, reason="pdflatex is not installed")
@pytest.mark.parametrize(
    "name", ["question", "many-to-many", "lstm", "min-char-rnn", "attempts", "lesson-question", "questions", "hostile"]
)
def test_latex_compiles(name: str, tmp_path: Path) -> None:
    made = {"attempts": tried, "questions": questioned}
    document = EVERY_KIND if name == "hostile" else compose(made[name]() if name in made else load(name))
    (tmp_path / "it.tex").write_text(render(document, "latex"), "utf-8")
    assert TEX is not None
    command = [TEX, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "it.tex"]
    run = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False
    )
    assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "it.pdf").stat().st_size > 10_000
    assert "Missing character" not in run.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("name", ["question", "min-char-rnn", "hostile"])
def test_a_browser_opens_the_page_without_an_error(name: str, tmp_path: Path) -> None:
    document = EVERY_KIND if name == "hostile" else compose(load(name))
    page = tmp_path / "it.html"
    page.write_text(render(document, "html"), "utf-8")
    assert CHROMIUM is not None
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    run = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={tmp_path / 'user'}",
         "--enable-logging=stderr", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, errors="replace", timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0
    assert "CONSOLE" not in run.stderr, run.stderr[-2000:]
    assert "</math>" in run.stdout and "</main>" in run.stdout


def test_names_with_any_letters() -> None:
    session = Session(
        equations=("h_b = tanh(权 * x[t] + _k * h_b[t-1] + σ_i)", "loss_ = squared_error(h_b, y)"),
        parameters={"权": 0.5, "_k": 0.3, "σ_i": 0.1},
        inputs={"x": [1.0, 2.0]},
        initial={"h_b": 0.1},
        constants={"y": 0.2},
        title="",
    )
    document = compose(session)
    assert render(document, "latex").isascii()
    for formula in re.findall(r"<math.*?</math>", render(document, "html"), re.DOTALL):
        ET.fromstring(formula)


def test_what_is_done_is_told_along_the_way_and_can_be_cancelled() -> None:
    """From 1 to the whole, never backward."""
    told: list[tuple[int, int]] = []
    compose(load("many-to-many"), lambda done, of: told.append((done, of)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {of for _, of in told} == {100} and told[-1] == (100, 100) and len({done for done, _ in told}) > 9

    def stop(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compose(load("many-to-many"), stop)


def test_a_long_sequence_with_a_loss_at_every_step_sweeps_only_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No table of all loss steps by all uses is made, and no chains are swept for every use anew."""
    from bptt_tui.derivation import by_loss, chains, table, truncation

    rows: list[int] = []
    real = by_loss.sweep

    def counting(trace, wanted, groups, progress=None, horizon=None):  # type: ignore[no-untyped-def]
        for moment in real(trace, wanted, groups, progress, horizon):
            rows.append(moment.active - moment.first)
            yield moment

    for module in (chains, table, truncation):
        monkeypatch.setattr(module, "sweep", counting)
    rng, steps = np.random.default_rng(0), 1500
    session = load("vanishing").replace(
        inputs={"x": rng.standard_normal(steps).tolist()}, loss=Loss(at="every"), expected=None
    )
    text = render(compose(session), "markdown")
    assert "a window of 512 timesteps" in text and "⋮" in text
    assert max(rows) == 512 and len(rows) < 8 * steps
