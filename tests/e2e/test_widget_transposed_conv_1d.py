"""The interactive figure of transposed convolution, in a real browser."""

import itertools
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

TAG = "ubh-transposed-conv-1d"
VIEWS = ("scatter", "gather", "zeros")
DEFAULT = f'<{TAG} y="1 2 3" w="1 2 3 4" stride="2" padding="0"></{TAG}>'


@pytest.fixture
def open_page(open_figure):
    def open_(body=DEFAULT, **settings):
        return open_figure("transposed-conv-1d", body, **settings)

    return open_


def torch_answer(y, w, stride=1, padding=0, output_padding=0):
    import torch

    y, w = (torch.tensor(v, dtype=torch.float64).reshape(1, 1, -1) for v in (y, w))
    x = torch.nn.functional.conv_transpose1d(
        y, w, stride=stride, padding=padding, output_padding=output_padding
    )
    return x.flatten().numpy()


def tensorflow_answer(y, w, stride, output_padding):
    """TensorFlow's VALID says by the output's shape what output_padding says in PyTorch."""
    import tensorflow as tf

    length = (len(y) - 1) * stride + len(w) + output_padding
    x = tf.nn.conv1d_transpose(
        tf.constant(y, tf.float64)[None, :, None],
        tf.constant(w, tf.float64)[:, None, None],
        (1, length, 1),
        stride,
        "VALID",
    )
    return x.numpy().ravel()


def number(text):
    return float(text.strip(" ()").replace("−", "-"))


def shown(page):
    """The output as the picture writes it."""
    return [number(t) for t in page.locator(".choices .output .value").all_text_contents()]


def line(page):
    return page.locator(".line:not(.spare)").inner_text()


def lit(page, selector):
    return page.locator(f"{selector}.lit").evaluate_all("nodes => nodes.map(n => n.dataset.key)")


def show(page, view):
    page.locator(f'input[name="view"][value="{view}"]').check()


# ----------------------------------------------------------------- arithmetic


def random_cases(count=300):
    rng = np.random.default_rng(20)
    cases = []
    while len(cases) < count:
        n, k, stride = (int(v) for v in rng.integers(1, (8, 8, 6)))
        output_padding = int(rng.integers(stride))
        full = (n - 1) * stride + k + output_padding
        # Half of them without padding, which TensorFlow can say too.
        padding = int(rng.integers(2)) * int(rng.integers((full + 1) // 2))
        cases.append(
            {
                "y": rng.normal(size=n).tolist(),
                "w": rng.normal(size=k).tolist(),
                "stride": stride,
                "padding": padding,
                "outputPadding": output_padding,
            }
        )
    return cases


def test_three_ways_agree_with_both_frameworks(open_page):
    cases = random_cases()
    answers = open_page().evaluate(
        """async (cases) => {
          const m = await import("./transposed-conv-1d.mjs");
          return cases.map(({ y, w, ...options }) => {
            const length = m.outputLength(y.length, w.length, options);
            const terms = Array.from({ length }, (_, j) => m.contributions(j, y, w, options));
            const zeros = m.zeroInsertion(y, w, options);
            return { length, scatter: m.convTranspose1d(y, w, options), terms, zeros };
          });
        }""",
        cases,
    )
    with_tensorflow = 0
    for case, answer in zip(cases, answers, strict=True):
        y, w, stride, padding, extra = case.values()
        truth = torch_answer(y, w, stride, padding, extra)
        if padding == 0:
            with_tensorflow += 1
            np.testing.assert_allclose(
                truth, tensorflow_answer(y, w, stride, extra), atol=1e-12, err_msg=str(case)
            )
        assert answer["length"] == len(truth)
        gathered = []
        for j, terms in enumerate(answer["terms"]):
            for term in terms:
                assert term["i"] * stride + term["k"] - padding == j
                assert (term["y"], term["w"]) == (y[term["i"]], w[term["k"]])
                assert term["product"] == term["y"] * term["w"]
            gathered.append(sum(term["product"] for term in terms))
        for got in (answer["scatter"], gathered, answer["zeros"]["output"]):
            np.testing.assert_allclose(got, truth, atol=1e-12, err_msg=str(case))
    assert with_tensorflow > 100


def test_zero_insertion_is_an_ordinary_convolution(open_page):
    import torch

    y, w = [5.0, -2.0, 7.0], [1.0, 2.0, 3.0, 4.0]
    got = open_page().evaluate(
        """async ([y, w]) => (await import("./transposed-conv-1d.mjs")).zeroInsertion(
             y, w, { stride: 3, padding: 1, outputPadding: 2 })""",
        [y, w],
    )
    kinds = "".join(cell["kind"][0] for cell in got["signal"])
    assert kinds == "pp" + "izzizzi" + "pppp"  # K − 1 − padding before, + 2 behind
    assert got["kernel"] == w[::-1]
    signal = [cell["value"] for cell in got["signal"]]
    signal, kernel = (
        torch.tensor(v, dtype=torch.float64).reshape(1, 1, -1) for v in (signal, got["kernel"])
    )
    x = torch.nn.functional.conv1d(signal, kernel).flatten()
    assert x.tolist() == got["output"] == torch_answer(y, w, 3, 1, 2).tolist()


@pytest.mark.parametrize(
    "options",
    [
        {"stride": 2, "outputPadding": 2},
        {"stride": 1, "padding": 3},
        {"stride": 0},
        {"padding": -1},
    ],
)
def test_refuses_what_pytorch_refuses(open_page, options):
    y, w = [1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]
    settings = {"output_padding" if k == "outputPadding" else k: v for k, v in options.items()}
    with pytest.raises((RuntimeError, ValueError)):
        torch_answer(y, w, **settings)
    errors = open_page().evaluate(
        """async ([y, w, options]) => {
          const m = await import("./transposed-conv-1d.mjs");
          return [m.convTranspose1d, m.zeroInsertion].map((fn) => {
            try { fn(y, w, options); return "none"; } catch (error) { return error.name; }
          });
        }""",
        [y, w, options],
    )
    assert errors == ["RangeError", "RangeError"]


# -------------------------------------------------------------------- picture


def test_first_sight(open_page):
    page = open_page()
    assert shown(page) == torch_answer([1, 2, 3], [1, 2, 3, 4], 2).tolist()
    assert line(page) == "z[2] = y[0]·w[2] + y[1]·w[0] = 1·3 + 2·1 = 5"
    assert page.locator(".size").inner_text().endswith("(3 − 1)·2 − 2·0 + 4 + 0\u00a0=\u00a08")


@pytest.mark.parametrize("view", VIEWS)
def test_by_keyboard_alone(open_page, view):
    page = open_page()
    keys = page.keyboard
    page.get_by_role("radio", name="2", exact=True).first.focus()
    keys.press("ArrowRight")  # stride 3
    page.get_by_label("w[1]", exact=True).focus()
    keys.press("Control+A")
    keys.type("-2.5")
    page.locator('input[name="view"]:checked').focus()
    for _ in range(VIEWS.index(view)):
        keys.press("ArrowRight")
    page.get_by_role("button", name="More padding").focus()
    keys.press("Enter")
    truth = torch_answer([1, 2, 3], [1, -2.5, 3, 4], 3, 1)
    assert shown(page) == truth.tolist()

    page.locator('.choices [tabindex="0"]').focus()
    keys.press("Home")
    for j, expected in enumerate(truth):
        _name, names, products, total = line(page).split(" = ")
        assert number(total) == expected
        assert number(total) == sum(
            np.prod([number(f) for f in product.split("·")]) for product in products.split(" + ")
        )
        pairs = [tuple(map(int, re.findall(r"\d+", term))) for term in names.split(" + ")]
        assert all(i * 3 + k - 1 == j for i, k in pairs)
        assert page.evaluate(
            f"document.querySelector('{TAG}').shadowRoot.activeElement.ariaLabel"
        ).startswith(f"z[{j}] is ")
        keys.press("ArrowRight")
    keys.press("End")
    keys.press("ArrowUp")
    assert line(page).startswith("y[2] = 3 adds 3·1 = 3 to z[5], 3·(−2.5) = −7.5 to z[6]")
    assert "Cropped: w[3]" in line(page)
    ring = page.locator('.choices [data-select="y2"] .ring')
    assert ring.evaluate("node => getComputedStyle(node).stroke") != "none"


def test_three_views_show_the_same_output(open_page):
    page = open_page()
    for at, value in enumerate(("0.5", "-3", "2")):
        page.get_by_label(f"y[{at}]", exact=True).fill(value)
    page.get_by_role("button", name="Add a tap").click()  # K = 5, the new tap is 1
    for stride, padding, extra in itertools.product((1, 2, 3, 4), (0, 2, 6), (0, 1, 3)):
        full = 2 * stride + 5 + extra
        if extra >= stride or full - 2 * padding < 1:
            continue
        page.locator(f'input[name="stride"][value="{stride}"]').check()
        page.get_by_role("spinbutton", name="padding").fill(str(padding))
        page.locator(f'input[name="output-padding"][value="{extra}"]').check()
        truth = torch_answer([0.5, -3, 2], [1, 2, 3, 4, 1], stride, padding, extra).tolist()
        for view in VIEWS:
            show(page, view)
            assert shown(page) == truth, (view, stride, padding, extra)
            # In every view the crossed-out and the shown add up to what there is.
            if view != "zeros":
                assert page.locator(".cells .cropped").count() == full - len(truth)


def test_choosing_lights_the_right_cells(open_page):
    page = open_page()
    page.locator('[data-select="z5"].output').click()
    assert lit(page, ".choices .cell") == ["y1", "y2", "z5"]
    assert lit(page, ".cells .product") == ["p1,3", "p2,1"]
    show(page, "gather")
    assert lit(page, ".cells .tap") == ["g5,3", "g5,1"]
    show(page, "zeros")
    products = page.locator(".cells .product.lit .value").all_text_contents()
    assert products == ["8", "6"]
    page.locator('[data-select="y1"].input').click()
    assert lit(page, ".choices .cell") == ["y1", "z2", "z3", "z4", "z5"]
    show(page, "scatter")
    assert lit(page, ".cells .product") == [f"p1,{k}" for k in range(4)]


def test_mouse_previews_without_announcing(open_page):
    page = open_page()
    page.locator('[data-select="z7"].output').hover()
    assert line(page) == "z[7] = y[2]·w[3] = 3·4 = 12"
    assert page.locator(".line:not(.spare)").get_attribute("aria-live") == "off"
    assert page.locator('.choices [aria-checked="true"]').get_attribute("data-select") == "z2"
    page.mouse.move(0, 0)
    assert line(page).startswith("z[2]")
    assert page.locator(".line:not(.spare)").get_attribute("aria-live") == "polite"


def test_touch_on_a_phone(open_page):
    page = open_page(width=390, has_touch=True, is_mobile=True)
    for view in VIEWS:
        show(page, view)
        page.locator('[data-select="z3"].output').tap()
        assert line(page) == "z[3] = y[0]·w[3] + y[1]·w[1] = 1·4 + 2·2 = 8"
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_on_a_phone_the_chosen_output_comes_into_view(open_page):
    page = open_page(width=390)
    show(page, "zeros")
    page.get_by_role("spinbutton", name="padding").fill("2")
    picture = page.locator(".picture").bounding_box()
    for j in (3, 0):
        page.locator(f'[data-select="z{j}"].output').dispatch_event("click")
        cell = page.locator(f'[data-select="z{j}"].output').bounding_box()
        assert picture["x"] <= cell["x"]
        assert cell["x"] + cell["width"] <= picture["x"] + picture["width"]


def test_output_padding_stays_below_the_stride(open_page):
    page = open_page()

    def disabled():
        return page.locator('input[name="output-padding"]').evaluate_all(
            "nodes => nodes.filter(n => n.disabled).map(n => n.value)"
        )

    why = page.locator("#why")
    assert disabled() == ["2", "3"]
    assert why.inner_text() == "must be below the stride, 2"
    page.locator('input[name="stride"][value="4"]').check()
    assert disabled() == []
    page.locator('input[name="output-padding"][value="3"]').check()
    assert shown(page) == torch_answer([1, 2, 3], [1, 2, 3, 4], 4, 0, 3).tolist()
    page.locator('input[name="stride"][value="2"]').check()
    assert why.inner_text() == "set back to 1: must be below the stride"
    assert shown(page) == torch_answer([1, 2, 3], [1, 2, 3, 4], 2, 0, 1).tolist()


def test_impossible_settings_say_so(open_page):
    page = open_page()
    padding = page.get_by_role("spinbutton", name="padding")
    message = page.locator(".impossible")
    padding.fill("4")
    assert "its length would be 0" in message.inner_text()
    assert "at most 3" in message.inner_text()
    assert message.get_attribute("role") == "status"
    assert page.locator(".picture").is_hidden()
    assert page.locator(".size").inner_text().endswith("(3 − 1)·2 − 2·4 + 4 + 0\u00a0=\u00a00")
    page.get_by_role("button", name="Less padding").click()
    assert page.locator(".picture").is_visible()
    assert message.inner_text() == ""
    assert shown(page) == torch_answer([1, 2, 3], [1, 2, 3, 4], 2, 3).tolist()


def test_a_field_that_is_no_number_changes_nothing(open_page):
    page = open_page()
    before = shown(page)
    field = page.get_by_label("y[0]", exact=True)
    for nothing in ("", "1000"):
        field.fill(nothing)
        assert shown(page) == before
        field.blur()
        assert field.input_value() == "1"


@pytest.mark.parametrize("y", [[1, 10, 100], [-999, 0.25, 7]])
def test_numbers_an_author_writes(open_page, y):
    page = open_page(DEFAULT.replace("1 2 3", " ".join(map(str, y)), 1), width=390)
    assert page.locator("input:invalid").count() == 0
    assert shown(page) == torch_answer(y, [1, 2, 3, 4], 2).tolist()
    fits = """nodes => nodes.every((node) => node.querySelector(".value").getBBox().width
        <= node.querySelector(".box").getBBox().width)"""
    for view in VIEWS:
        show(page, view)
        assert page.locator(".cell:not(.stamp)").evaluate_all(fits)


def test_reset_and_attributes(open_page):
    page = open_page()
    page.get_by_role("button", name="Remove the last input").click()
    page.get_by_label("w[0]", exact=True).fill("9")
    assert shown(page) == torch_answer([1, 2], [9, 2, 3, 4], 2).tolist()
    page.get_by_role("button", name="Reset").click()
    assert shown(page) == torch_answer([1, 2, 3], [1, 2, 3, 4], 2).tolist()
    page.locator(TAG).evaluate("node => node.setAttribute('stride', '3')")
    assert shown(page) == torch_answer([1, 2, 3], [1, 2, 3, 4], 3).tolist()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_jumps(open_page, width):
    page = open_page(width=width)

    def places():
        # On the page, not in the window: a click may scroll to the cell.
        scrolled = page.evaluate("scrollY")
        boxes = [
            page.locator(selector).bounding_box()
            for selector in (".figure", ".picture", ".size", ".legend")
        ]
        return [{**box, "y": box["y"] + scrolled} for box in boxes]

    before = places()
    for view in VIEWS:
        show(page, view)
        assert places() == before
        for choice in page.locator(".choices .cell").all():
            choice.click()
            assert places() == before
    page.get_by_role("spinbutton", name="padding").fill("1")
    assert places()[1]["y"] == before[1]["y"]
    assert places()[1]["height"] == before[1]["height"]


def test_moves_less_when_asked(open_page):
    duration = "node => getComputedStyle(node).transitionDuration"
    cell = ".choices .cell >> nth=0"
    assert open_page().locator(cell).evaluate(duration) == "0.3s"
    assert open_page(reduced_motion="reduce").locator(cell).evaluate(duration) == "0s"


def test_without_scripts_the_children_are_shown(open_page):
    body = f"<{TAG}><p>z = 1 2 5 8 9 14 9 12</p></{TAG}>"
    page = open_page(body, drawn=False, java_script_enabled=False)
    assert page.get_by_text("z = 1 2 5").is_visible()


def test_waits_until_the_reader_is_near(open_page):
    page = open_page(f'<div style="height: 5000px"></div>{DEFAULT}', drawn=False)
    drawn = f"document.querySelector('{TAG}').shadowRoot !== null"
    page.wait_for_function(f"customElements.get('{TAG}') !== undefined")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert not page.evaluate(drawn)
    page.evaluate("scrollTo(0, 5000)")
    page.wait_for_function(drawn)
    left = "Object.getOwnPropertyNames(window).filter((name) => !window.before.has(name))"
    assert page.evaluate(left) == ["before"]


def test_print_shows_the_present_state(open_page):
    page = open_page()
    show(page, "gather")
    page.locator('input[name="stride"][value="3"]').check()
    page.emulate_media(media="print")
    assert page.locator(".picture svg").is_visible()
    assert not page.locator(".bar").is_visible()
    assert page.locator(".printed").inner_text() == (
        "Gather: stride 3, padding 0, output_padding 0, w = [1, 2, 3, 4]"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(open_page, theme, width):
    page = open_page(theme=theme, width=width, reduced_motion="reduce")
    surface = page.locator(".figure").evaluate("n => getComputedStyle(n).backgroundColor")
    brightness = max(map(int, re.findall(r"\d+", surface)))
    assert brightness < 90 if theme == "dark" else brightness > 200
    for view in VIEWS:
        show(page, view)
        result = Axe().run(page)
        assert result.response["violations"] == []
    page.get_by_role("spinbutton", name="padding").fill("9")
    result = Axe().run(page)
    assert result.response["violations"] == []
