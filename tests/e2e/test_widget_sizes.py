"""The size calculator, in a real browser, against the sizes the frameworks give."""

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

TAG = "ubh-sizes"
DEFAULT = f'<{TAG} n="50" k="3" s="2" p="1"></{TAG}>'


@pytest.fixture
def open_page(open_figure):
    def open_(body=DEFAULT, **settings):
        return open_figure("sizes", body, **settings)

    return open_


def torch_there(n, k, s=1, p=0, d=1):
    """The size PyTorch gives, 0 where it refuses."""
    import torch

    x, w = torch.empty(1, 1, n), torch.empty(1, 1, k)
    try:
        return torch.nn.functional.conv1d(x, w, stride=s, padding=p, dilation=d).shape[2]
    except RuntimeError:
        return 0


def torch_back(m, k, s=1, p=0, d=1, extra=0):
    """The size PyTorch gives, 0 where it refuses."""
    import torch

    x, w = torch.empty(1, 1, m), torch.empty(1, 1, k)
    settings = {"stride": s, "padding": p, "dilation": d, "output_padding": extra}
    try:
        return torch.nn.functional.conv_transpose1d(x, w, **settings).shape[2]
    except RuntimeError:
        return 0


def tensorflow_there(n, k, s, padding):
    import tensorflow as tf

    return tf.nn.conv1d(tf.ones([1, n, 1]), tf.ones([k, 1, 1]), s, padding).shape[1]


def tensorflow_accepts(m, n, k, s, padding):
    import tensorflow as tf

    x, w = tf.ones([1, m, 1]), tf.ones([k, 1, 1])
    try:
        tf.nn.conv1d_transpose(x, w, [1, n, 1], s, padding)
    except tf.errors.OpError:
        return False
    return True


def random_cases(count=300):
    rng = np.random.default_rng(13)
    names = ("size", "k", "s", "p", "d", "extra")
    for _ in range(count):
        size, k, s, p, d = (int(v) for v in rng.integers(1, (40, 9, 7, 6, 4)))
        extra = int(rng.integers(max(s, d)))
        yield dict(zip(names, (size, k, s, p - 1, d, extra), strict=True))


def fill(page, **values):
    for key, value in values.items():
        page.locator(f'input[type="number"][data-key="{key}"]').fill(str(value))


def field(page, key):
    return page.locator(f'input[type="number"][data-key="{key}"]')


def formula(page, name):
    return page.locator(f'[data-step="{name}"] .line').inner_text().replace("\u00a0", " ")


def verdict(page):
    return page.locator(".verdict").inner_text()


def groups(page):
    """Each m shown, with the sizes standing over it."""
    found = page.locator(".group").evaluate_all(
        """nodes => nodes.map((node) => [node.querySelector(".small").textContent,
             [...node.querySelectorAll("[data-size]")].map((size) => Number(size.dataset.size))])"""
    )
    return {int(m.removeprefix("m = ")): sizes for m, sizes in found}


def chosen(page):
    return [int(text) for text in page.locator('.size[aria-checked="true"]').all_text_contents()]


# ----------------------------------------------------------------- arithmetic


def test_the_sizes_are_pytorchs(open_page):
    cases = list(random_cases())
    answers = open_page().evaluate(
        """async (cases) => {
          const m = await import("./sizes.mjs");
          return cases.map(({ size, ...options }) => ({
            there: m.convSize(size, options),
            back: m.transposedSize(size, options),
            shared: m.sizesFor(size, options),
          }));
        }""",
        cases,
    )
    refused = 0
    for case, answer in zip(cases, answers, strict=True):
        size, k, s, p, d, extra = case.values()
        there, back = torch_there(size, k, s, p, d), torch_back(size, k, s, p, d, extra)
        refused += (there == 0) + (back == 0)
        assert max(answer["there"], 0) == there, case
        assert max(answer["back"], 0) == back, case
        # All of PyTorch's sizes up to well beyond the largest one shown, one by one.
        last = max(answer["shared"], default=0) + 3
        wanted = [n for n in range(1, last) if torch_there(n, k, s, p, d) == size]
        assert answer["shared"] == wanted, case
    assert refused > 20


def test_the_sizes_are_tensorflows(open_page):
    cases = [(m, k, s) for m in (2, 3, 7) for k in (1, 3, 4) for s in (1, 2, 3)]
    answers = open_page().evaluate(
        """async (cases) => {
          const { tensorflow } = await import("./sizes.mjs");
          return cases.map(([m, k, s]) => ["SAME", "VALID"].map((padding) => [
            tensorflow.back[padding](m, { k, s }), tensorflow.there[padding](m + 9, { k, s }),
          ]));
        }""",
        cases,
    )
    for (m, k, s), answer in zip(cases, answers, strict=True):
        for padding, (range_, there) in zip(("SAME", "VALID"), answer, strict=True):
            sizes = range(1, m * s + k + 3)
            accepted = [n for n in sizes if tensorflow_accepts(m, n, k, s, padding)]
            assert range_ == [accepted[0], accepted[-1]], (m, k, s, padding)
            assert there == tensorflow_there(m + 9, k, s, padding)


# -------------------------------------------------------------------- picture


def test_first_sight(open_page):
    page = open_page()
    assert formula(page, "convolution") == (
        "m = ⌊(50 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = ⌊49/2⌋ + 1 = 25"
    )
    assert formula(page, "transposed") == "n = (25 − 1)·2 − 2·1 + 1·(3 − 1) + 1 + 0 = 49"
    assert verdict(page) == "1 short of 50. output_padding 1 brings 50 back."
    assert groups(page) == {24: [47, 48], 25: [49, 50], 26: [51, 52]}
    assert chosen(page) == [50]
    with_tensorflow = page.locator(".tensorflow").inner_text().replace("\u00a0", " ")
    assert "SAME: m = 25, and back n = 49 to 50" in with_tensorflow
    assert "VALID: m = 24, and back n = 49 to 50" in with_tensorflow


@pytest.mark.parametrize("direction", ["there", "back"])
def test_what_is_shown_is_what_pytorch_does(open_page, direction):
    page = open_page()
    page.locator(f'input[name="direction"][value="{direction}"]').check()
    shown = 0
    for case in random_cases(60):
        size, k, s, p, d, extra = case.values()
        fill(page, k=k, s=s, p=p, d=d, extra=extra)
        fill(page, **{"n" if direction == "there" else "m": size})
        there = torch_there(size, k, s, p, d)
        m = there if direction == "there" else size
        back = torch_back(m, k, s, p, d, extra) if m else 0
        if m == 0 or (direction == "back" and back == 0):
            assert page.locator(".steps").is_hidden()
            assert re.search("No window fits|must have at least 1", verdict(page))
            continue
        shown += 1
        line = formula(page, "transposed")
        assert line.startswith(f"n = ({m} − 1)·{s} − 2·{p} + {d}·({k} − 1) + 1 + {extra} = ")
        if back:
            assert line.endswith(f" = {back}")
        n = size if direction == "there" else back
        assert formula(page, "convolution").startswith(f"m = ⌊({n} + 2·{p} − {d}·({k} − 1) − 1)")
        assert formula(page, "convolution").endswith(f" = {torch_there(n, k, s, p, d)}")
        assert chosen(page) == [n]
        for shared, sizes in groups(page).items():
            assert {torch_there(one, k, s, p, d) for one in sizes} == {shared}
        if direction == "back":
            assert ("again" in verdict(page)) == (torch_there(back, k, s, p, d) == m)
        elif back == n:
            assert verdict(page) == f"Back at {n}."
        else:
            (cure,) = re.findall(r"output_padding (\d+) brings", verdict(page))
            assert torch_back(m, k, s, p, d, int(cure)) == n
    assert shown > 30


def test_by_keyboard_alone(open_page):
    page = open_page()
    keys = page.keyboard
    page.get_by_role("slider", name="output_padding").focus()
    keys.press("ArrowRight")
    assert verdict(page) == "Back at 50."
    page.locator('.size[tabindex="0"]').focus()
    keys.press("ArrowLeft")
    assert chosen(page) == [49]
    assert verdict(page) == "1 more than 49. output_padding 0 brings 49 back."
    keys.press("ArrowLeft")
    assert field(page, "n").input_value() == "48"
    focused = f"document.querySelector('{TAG}').shadowRoot.activeElement.ariaLabel"
    assert page.evaluate(focused) == "n = 48 gives m = 24"
    keys.press("End")
    assert chosen(page) == [50]
    page.locator('input[name="direction"]:checked').focus()
    keys.press("ArrowRight")
    assert field(page, "m").input_value() == "25"
    assert field(page, "n").is_hidden()
    first = page.locator(".step").first
    assert first.get_attribute("data-step") == "transposed"


def test_choosing_a_size_sets_the_output_padding(open_page):
    page = open_page(f'<{TAG} m="4" k="3" s="3" p="1" direction="back"></{TAG}>')
    assert groups(page) == {3: [7, 8, 9], 4: [10, 11, 12], 5: [13, 14, 15]}
    page.get_by_role("radio", name="n = 12 gives m = 4").click()
    assert field(page, "extra").input_value() == "2"
    assert formula(page, "transposed").endswith(" = 12")
    page.get_by_role("radio", name="n = 14 gives m = 5").click()
    assert (field(page, "m").input_value(), field(page, "extra").input_value()) == ("5", "1")
    assert torch_back(5, 3, 3, 1, 1, 1) == 14


def test_output_padding_is_limited_as_in_pytorch(open_page):
    page = open_page()
    fill(page, s=4)
    fill(page, extra=3)
    fill(page, s=2)
    assert field(page, "extra").input_value() == "1"
    assert page.locator(".why").inner_text().startswith("output_padding set back to 1")
    fill(page, d=3)
    assert field(page, "extra").get_attribute("max") == "2"
    page.locator('input[name="direction"][value="back"]').check()
    fill(page, extra=2)
    m = int(field(page, "m").input_value())
    n = torch_back(m, 3, 2, 1, 3, 2)
    assert verdict(page).startswith(f"The convolution takes {n} to {m + 1}, not to {m}")
    assert torch_there(n, 3, 2, 1, 3) == m + 1


def test_a_field_that_is_no_size_changes_nothing(open_page):
    page = open_page()
    before = formula(page, "convolution")
    for nothing in ("", "0", "2.5"):
        field(page, "k").fill(nothing)
        assert formula(page, "convolution") == before
        field(page, "k").blur()
        assert field(page, "k").input_value() == "3"


def test_large_strides_show_the_ends(open_page):
    page = open_page(f'<{TAG} m="16" k="64" s="32" p="16" direction="back"></{TAG}>')
    assert formula(page, "transposed") == "n = (16 − 1)·32 − 2·16 + 1·(64 − 1) + 1 + 0 = 512"
    assert torch_back(16, 64, 32, 16) == 512
    assert groups(page)[16] == [512, 513, 543]
    page.get_by_role("radio", name="n = 543 gives m = 16").click()
    assert field(page, "extra").input_value() == "31"


def test_reset_and_attributes(open_page):
    page = open_page()
    fill(page, n=9, k=5)
    page.get_by_role("button", name="Reset").click()
    assert formula(page, "convolution").endswith(" = 25")
    page.locator(TAG).evaluate("node => node.setAttribute('output-padding', '1')")
    assert verdict(page) == "Back at 50."


def test_touch_on_a_phone(open_page):
    page = open_page(width=390, has_touch=True, is_mobile=True)
    fill(page, s=8, n=4096)
    page.locator(".size").first.tap()
    m = torch_there(4096, 3, 8, 1)
    assert chosen(page) == [torch_back(m - 1, 3, 8, 1)]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_scripts_the_children_are_shown(open_page):
    body = f"<{TAG}><p>50 and 49 share m = 25</p></{TAG}>"
    page = open_page(body, drawn=False, java_script_enabled=False)
    assert page.get_by_text("share m = 25").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(open_page, theme, width):
    page = open_page(theme=theme, width=width)
    surface = page.locator(".figure").evaluate("n => getComputedStyle(n).backgroundColor")
    brightness = max(map(int, re.findall(r"\d+", surface)))
    assert brightness < 90 if theme == "dark" else brightness > 200
    for values in ({"s": 3}, {"s": 32, "n": 500}, {"n": 1, "k": 99}):
        fill(page, **values)
        assert Axe().run(page).response["violations"] == []
    assert "No window fits" in verdict(page)
