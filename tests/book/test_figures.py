"""The numbers in the figures are the right ones, and every figure can be read."""

import io
import re
from base64 import b64decode
from functools import partial

import figures
import matplotlib.image
import numpy as np
import pytest
from bs4 import BeautifulSoup

EVERY_FIGURE = {
    "sliding_window": lambda **kw: figures.sliding_window([1, 2, 3], [1, 2], **kw),
    "scatter": lambda **kw: figures.scatter([1, 2], [1, 2], **kw),
    "gather": lambda **kw: figures.gather([1, 2], [1, 2], 1, **kw),
    "fan_out": lambda **kw: figures.fan_out([1, 2], [1, 2], 0, **kw),
    "zero_insertion": lambda **kw: figures.zero_insertion([1, 2], [1, 2], **kw),
    "band_matrix": lambda **kw: figures.band_matrix([[1, 2, 0], [0, 1, 2]], **kw),
    "grids": lambda **kw: figures.grids([figures.Grid([[1, 2], [3, 4]])], **kw),
    "bars": lambda **kw: figures.bars([("one", 1.0), ("a longer one", 3.0)], **kw),
    "resample": lambda **kw: figures.resample([1, 2], [0, 1], weights=np.eye(2), **kw),
    "pictures": lambda **kw: figures.pictures([figures.Picture([[0, 1]], "two")], **kw),
    "curves": lambda **kw: figures.curves(
        [figures.Curve([0, 1], [1, 0], "down"), figures.Curve([0], [1], "dot", marks=True)],
        x_ticks=[0, 1],
        y_ticks=[0, 1],
        x_label="x",
        **kw,
    ),
    "legend": lambda **kw: figures.legend(**kw),
}
# n, k, stride, padding, output_padding
SIZES = [
    (3, 4, 2, 0, 0),
    (3, 4, 2, 1, 0),
    (3, 4, 2, 1, 1),
    (2, 3, 3, 0, 2),
    (4, 2, 3, 0, 0),
    (1, 3, 2, 1, 0),
    (3, 3, 1, 2, 0),
    (4, 4, 2, (2, 0), 0),
]


def parse(figure):
    return BeautifulSoup(figure.html, "html.parser")


def number(text):
    return float(text.replace("−", "-"))


def drawn(figure, name):
    """The numbers of the cells called `name`, in the order drawn."""
    return [number(tag.text) for tag in parse(figure).select(f'[data-cell="{name}"]')]


def written_sum(figure):
    """The terms and the total of the sum that is written out."""
    text = parse(figure).select_one('[data-cell="sum"]').text
    _, products, total = text.split(" = ")
    terms = [[number(v) for v in term.split("·")] for term in products.split(" + ")]
    return terms, number(total)


def transposed(y, w, stride, padding, output_padding):
    """The reference, by NumPy: the transpose of the convolution's matrix."""
    front, end = (padding, padding) if isinstance(padding, int) else padding
    n_out = (len(y) - 1) * stride + len(w) - front - end + output_padding
    matrix = np.zeros((len(y), n_out))
    for i in range(len(y)):
        for k, tap in enumerate(w):
            if 0 <= i * stride + k - front < n_out:
                matrix[i, i * stride + k - front] = tap
    return matrix.T @ y


def example(n, k):
    rng = np.random.default_rng(n * 10 + k)
    return rng.integers(-4, 9, n), rng.integers(-4, 9, k)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 2), (2, (2, 0))])
def test_sliding_window_draws_the_correlation(stride, padding):
    x, w = example(7, 3)
    front, end = (padding, padding) if isinstance(padding, int) else padding
    padded = np.pad(x, (front, end))
    expected = np.correlate(padded, w, "valid")[::stride]
    figure = figures.sliding_window(x, w, stride=stride, padding=padding, highlight=1, alt="a")
    assert drawn(figure, "input") == padded.tolist()
    assert drawn(figure, "tap") == w.tolist()
    assert drawn(figure, "output") == expected.tolist()
    terms, total = written_sum(figure)
    assert terms == [[a, b] for a, b in zip(padded[stride:], w, strict=False)]
    assert total == expected[1]


@pytest.mark.parametrize(("n", "k", "stride", "padding", "output_padding"), SIZES)
def test_scatter_draws_products_and_sums(n, k, stride, padding, output_padding):
    y, w = example(n, k)
    expected = transposed(y, w, stride, padding, output_padding)
    figure = figures.scatter(
        y,
        w,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        highlight=len(expected) - 1,
        alt="a",
    )
    assert drawn(figure, "product") == np.outer(y, w).ravel().tolist()
    assert drawn(figure, "output") == expected.tolist()
    assert written_sum(figure)[1] == expected[-1]


def test_scatter_strikes_out_exactly_what_is_cropped():
    y, w = [1, 2, 3], [1, 2, 3, 4]
    figure = figures.scatter(y, w, stride=2, padding=1, alt="a")
    full = transposed(y, w, 2, 0, 0)
    assert drawn(figure, "cropped") == [full[0], full[-1]]


@pytest.mark.parametrize(("n", "k", "stride", "padding", "output_padding"), SIZES)
def test_gather_collects_what_reaches_each_output(n, k, stride, padding, output_padding):
    y, w = example(n, k)
    expected = transposed(y, w, stride, padding, output_padding)
    sizes = {"stride": stride, "padding": padding, "output_padding": output_padding}
    for o, value in enumerate(expected):
        figure = figures.gather(y, w, o, **sizes, alt="a")
        assert drawn(figure, "output") == expected.tolist()
        assert written_sum(figure)[1] == value
        taps = parse(figure).select('[data-cell="tap"]')
        # Each tap that is drawn stands at its own index of the kernel.
        assert [number(t.text) for t in taps] == [w[int(t["data-index"])] for t in taps]


@pytest.mark.parametrize(
    ("n", "k", "stride", "padding", "output_padding"),
    [size for size in SIZES if np.max(size[3]) < size[1]],
)
def test_zero_insertion_gives_the_same_outputs(n, k, stride, padding, output_padding):
    y, w = example(n, k)
    expected = transposed(y, w, stride, padding, output_padding)
    figure = figures.zero_insertion(
        y, w, stride=stride, padding=padding, output_padding=output_padding, alt="a"
    )
    assert drawn(figure, "output") == expected.tolist()
    assert drawn(figure, "tap") == w[::-1].tolist()
    stretched = drawn(figure, "input")
    assert np.correlate(stretched, w[::-1], "valid").tolist() == expected.tolist()


def test_fan_out_draws_each_tap_above_the_output_it_leads_to():
    y, w, stride, padding = [1, 2, 3], [5, 6, 7, 8], 2, (2, 0)
    page = parse(figures.fan_out(y, w, 1, stride=stride, padding=padding, alt="a"))
    columns = {t["data-index"]: t["x"] for t in page.select('[data-cell="output"]')}
    taps = {t["x"]: number(t.text) for t in page.select('[data-cell="tap"]')}
    reached = transposed([0, 1, 0], w, stride, padding, 0)
    assert [taps.get(columns[str(o)], 0) for o in range(len(reached))] == reached.tolist()
    with pytest.raises(ValueError, match="cropped"):
        figures.fan_out(y, w, 0, stride=stride, padding=padding, alt="a")


def test_band_matrix_draws_every_entry():
    matrix = np.array([[1, 2.5, 0], [0, -1, 1 / 3]])
    figure = figures.band_matrix(matrix, alt="a")
    assert drawn(figure, "entry") == np.round(matrix, 3).ravel().tolist()


def test_taps_on_the_padding_stand_left_of_the_matrix():
    page = parse(figures.band_matrix([[3, 4], [1, 2]], on_padding=[1, 2], alt="a"))
    outside = [tag for tag in page.select('[data-cell="outside"]')]
    entries = page.select('[data-cell="entry"]')
    assert [tag.text for tag in outside] == ["1", "2"]
    assert max(float(t["x"]) for t in outside) < min(float(t["x"]) for t in entries)
    assert {t["y"] for t in outside} == {entries[0]["y"]}
    with pytest.raises(ValueError, match="highlight_column=2"):
        figures.band_matrix([[3, 4], [1, 2]], highlight_column=2, alt="a")


def test_grids_draw_every_panel():
    left, right = np.arange(4).reshape(2, 2), np.arange(9).reshape(3, 3) / 4
    figure = figures.grids([figures.Grid(left), figures.Grid(right, before="→")], alt="a")
    assert drawn(figure, "panel0") == left.ravel().tolist()
    assert drawn(figure, "panel1") == right.ravel().tolist()


def test_bars_are_as_long_as_what_they_stand_for():
    figure = figures.bars([("nbgrader", 6.5), ("ours", 0.25), ("own", 0)], unit="s", alt="a")
    long, short, nothing = (float(r["width"]) for r in parse(figure).select('[data-cell="bar"]'))
    assert long == pytest.approx(26 * short, rel=1e-4)
    assert 0 < nothing < 2  # a line
    assert [t.text for t in parse(figure).select("text")] == [
        "nbgrader: 6.5 s",
        "ours: 0.25 s",
        "own: 0 s",
    ]


def test_resample_draws_outputs_at_their_places_with_their_weighted_sums():
    x, places = [10, 20, 40], [-0.125, 0.625, 1.375, 2.125]
    weights = np.array([[1, 0, 0], [0.375, 0.625, 0], [0, 0.625, 0.375], [0, 0, 1]])
    figure = figures.resample(x, places, weights=weights, highlight=1, alt="a")
    assert drawn(figure, "input") == x
    assert drawn(figure, "place") == places
    assert drawn(figure, "output") == (weights @ x).tolist()
    assert drawn(figure, "weight") == [0.375, 0.625]
    assert written_sum(figure) == ([[10, 0.375], [20, 0.625]], 16.25)
    # Both rows are drawn to one scale: a place is a multiple of the inputs' distance.
    page = parse(figure)
    inputs, outputs = (
        [float(rect["x"]) for rect in middle_rects(page, name)] for name in ("input", "output")
    )
    at = [(x - inputs[0]) / (inputs[1] - inputs[0]) for x in outputs]
    assert np.allclose(at, places, atol=1e-3)


def middle_rects(page, name):
    """The rectangles that the cells called `name` are drawn in."""
    return [tag.find_previous("rect") for tag in page.select(f'[data-cell="{name}"]')]


def test_resample_frames_pixels_to_scale():
    # Three pixels, and six half as wide: both rows of frames begin and end together.
    places = [(i + 0.5) / 2 - 0.5 for i in range(6)]
    frames = [
        rect
        for rect in parse(figures.resample([1, 2, 3], places, alt="a")).find_all("rect")
        if rect.find_next_sibling() is not None and rect["rx"] == "8"
    ]
    edges = {}
    for rect in frames:
        left, width = float(rect["x"]), float(rect["width"])
        edges.setdefault(rect["y"], []).append((left, left + width))
    source, output = edges.values()
    assert (len(source), len(output)) == (3, 6)
    assert (source[0][0], source[-1][1]) == pytest.approx((output[0][0], output[-1][1]), abs=1e-3)


def test_pictures_hold_every_pixel():
    grey = np.array([[0, 0.2, 1], [1.5, -1, 0.4]])
    colour = np.random.default_rng(0).random((2, 2, 3))
    panels = [figures.Picture(grey, "grey"), figures.Picture(colour, "colour")]
    images = parse(figures.pictures(panels, alt="a")).find_all("image")
    for image, pixels in zip(images, (grey, colour), strict=True):
        kind, data = image["href"].split(",")
        assert kind == "data:image/png;base64"
        read = matplotlib.image.imread(io.BytesIO(b64decode(data)))
        assert np.allclose(read, np.clip(pixels, 0, 1), atol=1 / 255)


def test_curves_pass_through_their_points():
    x, y = [0, 1, 4], [0, 0.25, 1]
    line = figures.Curve(x, y, "a line")
    dots = figures.Curve(x, y, "dots", role="input", marks=True)
    page = parse(figures.curves([line, dots], x_ticks=[0, 4], y_ticks=[0, 1], x_label="x", alt="a"))
    path = page.select_one('[data-curve="a line"]')["d"]
    points = np.array([p.split() for p in path[1:].split("L")], float)
    share = (points - points[0]) / (points[-1] - points[0])
    assert np.allclose(share, np.column_stack([x, y]) / [4, 1], atol=1e-3)
    marks = [(float(r["x"]) + 5.5, float(r["y"]) + 5.5) for r in page.select('[data-curve="dots"]')]
    assert np.allclose(marks, points)
    with pytest.raises(ValueError, match="outside the axes"):
        figures.curves([line], x_ticks=[0, 3], y_ticks=[0, 1], x_label="x", alt="a")


def test_an_output_that_is_to_be_predicted_is_not_given_away():
    resample = partial(figures.resample, weights=np.eye(2, 3), highlight=0)
    for draw in (figures.sliding_window, figures.scatter, figures.zero_insertion, resample):
        page = parse(draw([1, 2, 3], [7, 8], alt="a", reveal=False))
        assert {tag.text for tag in page.select('[data-cell="output"]')} == {"?"}
        assert not page.select('[data-cell="sum"]')


def test_single_outputs_can_be_shown():
    page = parse(figures.sliding_window([1, 2, 3], [1, 1], reveal=(0,), alt="a"))
    assert [tag.text for tag in page.select('[data-cell="output"]')] == ["3", "?"]
    assert page.select_one('[data-cell="sum"]').text.endswith("= 3")
    page = parse(figures.sliding_window([1, 2, 3], [1, 1], highlight=1, reveal=(0,), alt="a"))
    assert not page.select('[data-cell="sum"]')


def test_the_running_example_fits_a_phone():
    x, y, w = [1, 2, 3, 4, 5, 6], [1, 10, 100], [1, 2, 3, 4]
    for figure in (
        figures.sliding_window(x, w, stride=2, padding=(2, 0), alt="a"),
        figures.scatter(y, w, stride=2, highlight=7, alt="a"),
        figures.gather(y, w, 4, stride=2, alt="a"),
        figures.fan_out(y, w, 1, stride=2, padding=(2, 0), alt="a"),
        figures.zero_insertion(y, w, stride=2, alt="a"),
        figures.band_matrix(np.ones((3, 6)), on_padding=[1, 2], alt="a"),
        figures.resample(y, [-0.25, 0.25, 0.75, 1.25, 1.75, 2.25], alt="a"),
        figures.pictures([figures.Picture([[0, 1]])] * 2, alt="a"),
        EVERY_FIGURE["curves"](alt="a"),
    ):
        least = float(re.search(r"min-width:([\d.]+)px", parse(figure).svg["style"])[1])
        assert least <= 390 - 2 * 16  # the page's own margins


@pytest.mark.parametrize("draw", EVERY_FIGURE.values(), ids=EVERY_FIGURE)
def test_a_figure_is_one_labelled_image(draw):
    page = parse(draw(alt="what <it> shows", caption="A & B"))
    (figure,) = page.find_all(recursive=False)
    (svg,) = figure.find_all("svg")
    assert (figure.name, svg["role"], svg["aria-label"]) == ("figure", "img", "what <it> shows")
    assert figure.figcaption.text == "A & B"
    assert not page.select("[id]"), "ids would clash where a page shows a figure twice"


@pytest.mark.parametrize("draw", EVERY_FIGURE.values(), ids=EVERY_FIGURE)
def test_nothing_is_drawn_outside_the_view_and_text_stays_readable(draw):
    svg = parse(draw(alt="a")).svg
    *_, width, height = map(float, svg["viewbox"].split())
    for rect in svg.find_all("rect"):
        assert float(rect["x"]) >= 0
        assert float(rect["x"]) + float(rect["width"]) <= width
        assert float(rect["y"]) >= 0
        assert float(rect["y"]) + float(rect["height"]) <= height
    # On a phone a figure shrinks to its min-width at most, then scrolls.
    shrink = float(re.search(r"min-width:([\d.]+)px", svg["style"])[1]) / width
    sizes = [float(re.search(r"font-size:(\d+)px", t["style"])[1]) for t in svg("text")]
    assert min(sizes) * shrink >= 11


@pytest.mark.parametrize("draw", EVERY_FIGURE.values(), ids=EVERY_FIGURE)
def test_alt_text_is_demanded(draw):
    with pytest.raises(ValueError, match="alt text"):
        draw(alt=" ")


def test_impossible_figures_are_refused():
    with pytest.raises(ValueError, match="does not fit"):
        figures.sliding_window([1, 2], [1, 2, 3], alt="a")
    with pytest.raises(ValueError, match="highlight=2"):
        figures.sliding_window([1, 2, 3], [1, 2], highlight=2, alt="a")
    with pytest.raises(ValueError, match="output=4"):
        figures.gather([1, 2], [1, 2, 3], 4, alt="a")
    with pytest.raises(ValueError, match="no output is left"):
        figures.scatter([1], [1, 2], padding=1, alt="a")
    with pytest.raises(ValueError, match="negative"):
        figures.scatter([1, 2], [1, 2], padding=-1, alt="a")
    with pytest.raises(ValueError, match="2 rows of 1"):
        figures.resample([1], [0, 1], weights=[[1]], alt="a")
    with pytest.raises(ValueError, match="crops the stretched input"):
        figures.zero_insertion([1, 2, 3], [1, 2], padding=2, stride=3, alt="a")
    with pytest.raises(ValueError, match="one of them at least above 0"):
        figures.bars([("nothing", 0)], alt="a")
    with pytest.raises(ValueError, match="has 1 columns, the head 2"):
        figures.table(["", "x"], [["one"]])


def test_a_table_has_its_numbers_at_the_right_and_a_line_below():
    shown = figures.table(["way", "taps", "IoU"], [["nearest", 9, 0.5]], below="*measured*")
    head, rule, row, empty, below = shown._repr_markdown_().splitlines()
    assert (head, row) == ("| way | taps | IoU |", "| nearest | 9 | 0.5 |")
    assert (rule, empty, below) == ("| --- | ---: | ---: |", "", "*measured*")
    assert figures.table(["n", "m"], [], right=0).markdown.splitlines()[1] == "| ---: | ---: |"


@pytest.mark.parametrize("sent", range(4))
def test_only_what_has_been_sent_is_in_the_sums(sent):
    y, w = [1, 10, 100], [1, 2, 3, 4]
    figure = figures.scatter(y, w, stride=2, sent=sent, alt="a")
    sums = np.zeros(8)
    for i, value in enumerate(y[:sent]):
        sums[2 * i : 2 * i + 4] += value * np.array(w)
    assert drawn(figure, "output") == sums.tolist()
    assert len(drawn(figure, "product")) == sent * len(w)


def test_the_steps_of_a_figure_are_equally_large_and_each_has_its_words():
    small, large = figures.scatter([1], [2], alt="a < b"), figures.bars([("x", 1.0)], alt="c")
    page = parse(figures.steps([("one & only", small), ("two", large)], caption="A & B"))
    (figure,) = page.find_all(recursive=False)
    assert figure.figcaption.text == "A & B"
    assert [p.text for p in figure.select(".ubh-words")] == ["one & only", "two"]
    drawings = figure.find_all("svg")
    assert [svg["aria-label"] for svg in drawings] == ["a < b", "c"]
    assert len({(svg["viewbox"], svg["style"]) for svg in drawings}) == 1
    sizes = [list(map(float, parse(f).svg["viewbox"].split()[2:])) for f in (small, large)]
    assert list(map(float, drawings[0]["viewbox"].split()[2:])) == np.max(sizes, 0).tolist()
