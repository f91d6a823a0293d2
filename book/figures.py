"""Small figures for the course, drawn as inline SVG with the real numbers in them.

Every function but `table` takes plain lists (or 1-D arrays, or tensors) of small numbers,
does the arithmetic itself in plain Python, and returns a `Figure`, which Jupyter and the
book show. The module needs the standard library only, so a downloaded notebook can carry it.

One meaning has one colour and one shape in every figure of the course:

========  ==========================================================
role      drawn as
========  ==========================================================
input     blue square
kernel    orange rounded cell (a tap, or a tap times an input)
output    green pill
zero      dotted grey outline, a grey 0 (a zero put between inputs)
padding   dashed grey outline (a zero put around the input)
cropped   an output that is computed, then cut off: struck through
outside   a tap that meets padding only: dashed and rounded
========  ==========================================================

Colours are CSS variables (`--ubh-input`, ...) with literal fallbacks: the book's
stylesheet switches them for dark mode, JupyterLab shows the fallbacks.

Bars are quantities of something else, and have the colour of the text.

Indices count from 0, as in the code beside the figures. `alt` is a required argument of
every figure: one or two sentences that say what the figure shows.
"""

import math
import re
import struct
import zlib
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from numbers import Integral

__all__ = [
    "Curve",
    "Figure",
    "Grid",
    "Picture",
    "band_matrix",
    "bars",
    "curves",
    "fan_out",
    "gather",
    "grids",
    "legend",
    "pictures",
    "resample",
    "scatter",
    "sliding_window",
    "steps",
    "table",
    "zero_insertion",
]

CELL = 52  # width of a column, in SVG units (pixels on a wide screen)
BOX = 42  # side of the cell drawn in it
LABEL = 88  # room for the row labels at the left
# Text is at least 16 units high and a figure never shrinks below this share of its size
# (it scrolls instead), so that text on a phone stays above 11 pixels. Eight columns and
# their labels fit a phone 390 pixels wide.
SHRINK = 0.7

INK = "var(--ubh-ink, var(--jp-content-font-color1, #1f2933))"
MUTED = "var(--ubh-muted, #586470)"
COLOURS = {
    "input": "var(--ubh-input, #0072b2)",
    "kernel": "var(--ubh-kernel, #d55e00)",
    "output": "var(--ubh-output, #009e73)",
    "zero": MUTED,
    "padding": MUTED,
    "cropped": MUTED,
    "outside": MUTED,
}
RADII = {"input": 0, "kernel": 11, "output": BOX / 2, "cropped": BOX / 2, "outside": 11}
DASHES = {"zero": "1.5 5", "padding": "7 4", "cropped": "7 4", "outside": "7 4"}


@dataclass(frozen=True)
class Figure:
    """One figure: `html` is a single `<figure>` element with the SVG and its caption."""

    html: str

    def _repr_html_(self):
        return self.html


@dataclass(frozen=True)
class Table:
    """One table, in Markdown. A page that shows one has `render_markdown_format: myst`."""

    markdown: str

    def _repr_markdown_(self):
        return self.markdown


@dataclass(frozen=True)
class Grid:
    """One panel of `grids`: a 2-D list of numbers (or "?"), drawn as cells.

    `role` is every cell's role, `roles` (same shape as `values`) overrides it per cell;
    `faint` (of that shape too) says which cells step back. `label` stands above the panel,
    `before` (such as "→" or "×") to its left.
    """

    values: object
    role: str = "input"
    label: str = ""
    before: str = ""
    roles: object = None
    faint: object = None


@dataclass(frozen=True)
class Picture:
    """One panel of `pictures`: an image of shape (H, W) or (H, W, 3), from 0 to 1.

    0 is black and 1 is white or the full colour; numbers beyond that are cut off. `label`
    stands above the panel.
    """

    pixels: object
    label: str = ""


@dataclass(frozen=True)
class Curve:
    """One curve of `curves`: lists of numbers of the same length, joined by lines.

    `role` gives the colour. `marks` draws the points themselves instead of lines, in the
    role's shape. `dash` is an SVG dash pattern, so that two curves of one role differ by
    more than their label.
    """

    x: object
    y: object
    label: str
    role: str = "kernel"
    dash: str = ""
    marks: bool = False


def sliding_window(
    x,
    w,
    *,
    alt,
    stride=1,
    padding=0,
    highlight=0,
    previous=False,
    caption=None,
    reveal=True,
    names=("x", "w", "y"),
):
    """Draw a 1-D convolution (cross-correlation): one window of `x` under the kernel `w`.

    Each output stands below the middle of its window; `highlight` is the index of the
    output whose window, products and sum are drawn, `previous` outlines the window before
    it too. `padding` is an int or a pair `(before, after)`. `reveal` is True, False or the
    indices of the outputs to show; every other output is a "?", and its sum is left out
    (for *predict first*). `names` are the letters of input, kernel and output.

    Raises `ValueError` where no window fits, or `highlight` is no output.
    """
    before, after = _pair(padding)
    x, w = _numbers(x), _numbers(w)
    cells = [(0, "padding")] * before + [(v, "input") for v in x]
    cells += [(0, "padding")] * after
    labels = [None] * before + list(range(len(x))) + [None] * after
    rows = ("padded" if before or after else "input", "kernel")
    return _window(cells, labels, w, stride, highlight, names, reveal, alt, caption, rows, previous)


def scatter(
    y,
    w,
    *,
    alt,
    stride=1,
    padding=0,
    output_padding=0,
    highlight=None,
    caption=None,
    reveal=True,
    sent=None,
    names=("y", "w", "z"),
):
    """Draw a 1-D transposed convolution as scattering: each input sends a weighted kernel.

    One row for each input of `y`: its `len(w)` products, `stride` columns further right
    than the row above. The columns are summed at the bottom; `padding` (an int or a pair
    `(front, end)`) crops outputs, `output_padding` keeps more of them at the end.
    `highlight` is the index of an output whose column is marked, and its sum written out.
    With `sent`, only so many inputs have sent their kernel yet, and the sums are of those.

    Raises `ValueError` where nothing is left, or `highlight` is no output.
    """
    y, w = _numbers(y), _numbers(w)
    sent = len(y) if sent is None else sent
    front, _, n_out = _transposed_size(len(y), len(w), stride, padding, output_padding)
    columns = max((len(y) - 1) * stride + len(w), front + n_out)
    sums = [0] * columns
    art = _Svg()
    # Close together, so that an input and its name have room beside the columns.
    left, pitch = 108, CELL - 2
    top = 14
    art.text(left - 14, top + BOX / 2, f"kernel {names[1]}", anchor="end")
    for k, tap in enumerate(w):
        art.cell(left + k * pitch, top, tap, "kernel", name="tap", index=k)
    top += CELL + 20
    if highlight is not None:
        _check_index(highlight, n_out, "highlight")
        column = left + (front + highlight) * pitch - 4
        art.box(column, top - 8, pitch, len(y) * CELL + 88)
    terms = []
    for i, value in enumerate(y):
        art.text(2, top + BOX / 2, f"{names[0]}[{i}]", anchor="start", muted=True)
        art.cell(42, top, value, "input", name="input", index=i, strong=i == sent - 1 < len(y) - 1)
        art.text(left - 12, top + BOX / 2, "×", muted=True)
        for k, tap in enumerate(w if i < sent else []):
            column = i * stride + k
            sums[column] += value * tap
            if highlight is not None and column == front + highlight:
                terms.append((value, tap))
            art.cell(
                left + column * pitch,
                top,
                value * tap,
                "kernel",
                name="product",
                index=(i, k),
            )
        top += CELL
    art.line(left - 8, top + 2, left + (columns - 1) * pitch + BOX, top + 2)
    top += 14
    art.text(left - 14, top + BOX / 2, f"sum = {names[2]}", anchor="end")
    for column, total in enumerate(sums):
        kept = front <= column < front + n_out
        art.cell(
            left + column * pitch,
            top,
            total if reveal else "?",
            "output" if kept else "cropped",
            name="output" if kept else "cropped",
            index=column - front if kept else None,
            strong=highlight is not None and column == front + highlight,
        )
        if kept:
            index = f"{names[2]}[{column - front}]"
            art.text(left + column * pitch + BOX / 2, top + BOX + 14, index, muted=True)
    top += BOX + 30
    if highlight is not None and reveal:
        art.sum(top + 12, names[2], highlight, terms, sums[front + highlight])
    return art.figure(alt, caption)


def gather(
    y,
    w,
    output,
    *,
    alt,
    stride=1,
    padding=0,
    output_padding=0,
    caption=None,
    reveal=True,
    names=("y", "w", "z"),
):
    """Draw which inputs of `y`, by which taps of `w`, reach the output with index `output`.

    Input i reaches output o by tap k where o + padding = i · stride + k. Inputs that reach
    it carry their tap; the others are faint. Arguments as in `scatter`.

    Raises `ValueError` where nothing is left, or `output` is no output.
    """
    y, w = _numbers(y), _numbers(w)
    front, _, n_out = _transposed_size(len(y), len(w), stride, padding, output_padding)
    _check_index(output, n_out, "output")
    reaching = [_reaching(y, w, o + front, stride) for o in range(n_out)]
    totals = [sum(a * b for a, b in terms) for terms in reaching]
    # Each input stands above the first place it reaches, cropped or not.
    at_input = [i * stride - front for i in range(len(y))]
    shift = front
    art = _Svg()
    top = 24
    row_tap, row_out = top + CELL + 28, top + 2 * CELL + 100
    art.text(2, top + BOX / 2, f"input {names[0]}", anchor="start")
    art.text(2, row_tap + BOX / 2, f"taps {names[1]}", anchor="start")
    art.text(2, row_out + BOX / 2, f"output {names[2]}", anchor="start")
    x_out = LABEL + (output + shift) * CELL
    for i, value in enumerate(y):
        x_in = LABEL + (at_input[i] + shift) * CELL
        k = output + front - i * stride
        reaches = 0 <= k < len(w)
        if reaches:
            art.line(x_in + BOX / 2, top + BOX, x_in + BOX / 2, row_tap, "kernel")
            x_to, y_to = x_out + BOX / 2, row_out + BOX / 2
            art.arrow(x_in + BOX / 2, row_tap + BOX + 4, x_to, y_to, gap=BOX / 2 + 4)
            art.cell(x_in, row_tap, w[k], "kernel", name="tap", index=k)
            art.text(x_in + BOX / 2 + 4, row_tap - 13, f"{names[1]}[{k}]", "start", muted=True)
        art.cell(x_in, top, value, "input", name="input", index=i, faint=not reaches)
        art.text(x_in + BOX / 2, top - 11, f"{names[0]}[{i}]", muted=True)
    for o, total in enumerate(totals):
        x = LABEL + (o + shift) * CELL
        strong = o == output
        art.cell(
            x,
            row_out,
            total if reveal else "?",
            "output",
            name="output",
            index=o,
            strong=strong,
            faint=not strong,
        )
        art.text(x + BOX / 2, row_out + BOX + 14, f"{names[2]}[{o}]", muted=True)
    if reveal:
        art.sum(row_out + BOX + 44, names[2], output, reaching[output], totals[output])
    return art.figure(alt, caption)


def fan_out(
    y,
    w,
    highlight,
    *,
    alt,
    stride=1,
    padding=0,
    output_padding=0,
    caption=None,
    names=("y", "w", "z"),
):
    """Draw which outputs the input with index `highlight` reaches, by which taps of `w`.

    The mirror image of `sliding_window`: one input above its taps, each tap above its
    output. The outputs are "?". Other arguments as in `scatter`.

    Raises `ValueError` where nothing is left, `highlight` is no input, or a tap of this
    input leads to a cropped place.
    """
    y, w = _numbers(y), _numbers(w)
    front, _, n_out = _transposed_size(len(y), len(w), stride, padding, output_padding)
    _check_index(highlight, len(y), "highlight", "inputs")
    first = highlight * stride - front
    if first < 0 or first + len(w) > n_out:
        raise ValueError(f"a tap of {highlight=} leads to a cropped place")
    middles = [i * stride - front + (len(w) - 1) / 2 for i in range(len(y))]
    shift = -min(0, *middles)
    art = _Svg()
    left, top = LABEL, 24
    row_w, row_out = top + CELL + 50, top + 2 * CELL + 74
    texts = (f"input {names[0]}", f"kernel {names[1]}", f"output {names[2]}")
    for text, row in zip(texts, (top, row_w, row_out), strict=True):
        art.text(2, row + BOX / 2, text, anchor="start")
    for i, (value, column) in enumerate(zip(y, middles, strict=True)):
        x, chosen = left + (column + shift) * CELL, i == highlight
        art.cell(x, top, value, "input", name="input", index=i, strong=chosen, faint=not chosen)
        art.text(x + BOX / 2, top - 11, f"{names[0]}[{i}]", muted=True)
    centre = left + (middles[highlight] + shift) * CELL + BOX / 2
    for k, tap in enumerate(w):
        x = left + (first + shift + k) * CELL
        spread = (k - (len(w) - 1) / 2) * BOX / len(w)
        art.arrow(centre + spread, top + BOX + 2, x + BOX / 2, row_w - 2)
        art.cell(x, row_w, tap, "kernel", name="tap", index=k)
        art.arrow(x + BOX / 2, row_w + BOX + 2, x + BOX / 2, row_out - 4)
    for o in range(n_out):
        x, reached = left + (o + shift) * CELL, 0 <= o - first < len(w)
        art.cell(
            x, row_out, "?", "output", name="output", index=o, strong=reached, faint=not reached
        )
        art.text(x + BOX / 2, row_out + BOX + 14, f"{names[2]}[{o}]", muted=True)
    return art.figure(alt, caption)


def zero_insertion(
    y,
    w,
    *,
    alt,
    stride=1,
    padding=0,
    output_padding=0,
    highlight=0,
    caption=None,
    reveal=True,
    names=("y", "w", "z"),
):
    """Draw a 1-D transposed convolution as a plain one: stretch, pad, slide flipped `w`.

    `stride − 1` zeros stand between neighbours of `y`, `len(w) − 1 − padding` before the
    first, and as many plus `output_padding` after the last; then the kernel, flipped,
    slides one cell at a time. Arguments as in `scatter`; `highlight` is an output's index.

    Raises `ValueError` where an edge would need less than no padding, nothing is left, or
    `highlight` is no output.
    """
    y, w = _numbers(y), _numbers(w)
    front, end, _ = _transposed_size(len(y), len(w), stride, padding, output_padding)
    before, after = len(w) - 1 - front, len(w) - 1 - end + output_padding
    if before < 0 or after < 0:
        raise ValueError("padding above len(w) - 1 crops the stretched input itself")
    cells, labels = [(0, "padding")] * before, [None] * before
    for i, value in enumerate(y):
        gap = stride - 1 if i else 0
        cells += [(0, "zero")] * gap + [(value, "input")]
        labels += [None] * gap + [i]
    cells += [(0, "padding")] * after
    labels += [None] * after
    rows = ("stretched", "flipped")
    return _window(cells, labels, w[::-1], 1, highlight, names, reveal, alt, caption, rows)


def band_matrix(
    matrix,
    *,
    alt,
    caption=None,
    row_label="y",
    column_label="x",
    highlight_column=None,
    on_padding=(),
):
    """Draw a 2-D `matrix` as cells: taps orange, zeros faint.

    `row_label` and `column_label` are the letters of the vectors that the rows and columns
    belong to: `C @ x = y` has rows labelled y and columns labelled x. `on_padding` holds
    the taps of the first row that lie on the padding: they are drawn, dashed, to the left
    of the matrix.

    Raises `ValueError` where the matrix is not 2-D, empty, or has no such column.
    """
    rows = [_numbers(row) for row in matrix]
    if not rows or len({len(row) for row in rows}) != 1:
        raise ValueError("matrix must be 2-D and not empty")
    art = _Svg()
    outside = _numbers(on_padding)
    left, top = 56 + len(outside) * CELL, 30
    if highlight_column is not None:
        _check_index(highlight_column, len(rows[0]), "highlight_column", "columns")
        column = left + highlight_column * CELL - 5
        art.box(column, top - 5, CELL, len(rows) * CELL, outline="solid")
    for j in range(len(rows[0])):
        x = left + j * CELL + BOX / 2
        art.text(x, 12, f"{column_label}[{j}]")
    for k, tap in enumerate(outside):
        x = left + (k - len(outside)) * CELL
        art.cell(x, top, tap, "outside", name="outside", index=k)
    for i, row in enumerate(rows):
        y = top + i * CELL
        art.text(2, y + BOX / 2, f"{row_label}[{i}]", "start")
        for j, value in enumerate(row):
            x = left + j * CELL
            if value:
                art.cell(x, y, value, "kernel", name="entry", index=(i, j))
            else:
                middle = (x + BOX / 2, y + BOX / 2)
                art.number(*middle, 0, name="entry", index=(i, j), muted=True)
    return art.figure(alt, caption)


def grids(panels, *, alt, caption=None):
    """Draw 2-D grids of numbers side by side, in the order given; `panels` are `Grid`s."""
    shapes = [[_numbers(row) for row in panel.values] for panel in panels]
    # Many columns get smaller cells: they are to fit a phone too.
    pitch, box = (41, 38) if sum(len(rows[0]) for rows in shapes) > 8 else (CELL, BOX)
    art = _Svg(box)
    tallest = max(len(rows) for rows in shapes)
    x, top = 6, 34
    for number, (panel, rows) in enumerate(zip(panels, shapes, strict=True)):
        y = top + (tallest - len(rows)) * pitch / 2
        if panel.before:
            middle = top + tallest * pitch / 2 - 5
            if panel.before == "→":
                art.arrow(x, middle, x + 32, middle, colour=INK)
                x += 40
            else:
                art.text(x + 12, middle, panel.before, size=20)
                x += 34
        elif number:
            x += 18
        width = len(rows[0]) * pitch - (pitch - box)
        if panel.label:
            label = max(width, _text_width(panel.label))
            art.text(x + label / 2, y - 18, panel.label)
            indent = (label - width) / 2
        else:
            label, indent = width, 0
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                role = panel.roles[i][j] if panel.roles is not None else panel.role
                art.cell(
                    x + indent + j * pitch,
                    y + i * pitch,
                    value,
                    role,
                    name=f"panel{number}",
                    index=(i, j),
                    faint=panel.faint is not None and panel.faint[i][j],
                )
        x += label + 8
    return art.figure(alt, caption)


def bars(quantities, *, alt, caption=None, unit=""):
    """Draw quantities as bars below each other; `quantities` are pairs (label, value).

    The label and the value, with its unit, stand above the bar. The largest value has the
    longest bar.

    Raises `ValueError` where nothing is positive, or something is negative.
    """
    most = max((value for _, value in quantities), default=0)
    if most <= 0 or any(value < 0 for _, value in quantities):
        raise ValueError("bars are for quantities, one of them at least above 0")
    art = _Svg()
    for number, (label, value) in enumerate(quantities):
        y = 6 + 58 * number
        text = f"{value:.2g}" if value < 10 else f"{value:.0f}"
        art.text(2, y + 10, f"{label}: {text} {unit}".rstrip(), "start")
        art.bar(2, y + 24, 440 * value / most, name="bar", index=number)
    return art.figure(alt, caption)


def table(head, rows, *, right=1, below=""):
    """Set out `rows` (lists of numbers or Markdown text) as a table under the words of `head`.

    The columns from `right` on hold numbers, and stand at the right. `below` is a line of
    Markdown under the table.

    Raises `ValueError` where a row is not as long as `head`.
    """
    rows = [list(row) for row in rows]
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"the row {row} has {len(row)} columns, the head {len(head)}")
    rule = ["---" if column < right else "---:" for column in range(len(head))]
    lines = ["| " + " | ".join(map(str, line)) + " |" for line in (head, rule, *rows)]
    return Table("\n".join([*lines, "", below] if below else lines))


def resample(
    x,
    places,
    *,
    alt,
    weights=None,
    highlight=None,
    caption=None,
    reveal=True,
    names=("x", "z"),
):
    """Draw a row of pixels over a row of new ones, both to scale, centre over centre.

    `places` are the source coordinates of the output's centres: the middle of `x[0]` lies
    at 0, that of `x[1]` at 1. Thin frames show the pixels' widths: 1 for a source pixel,
    the distance between two places for an output. `weights` has one row for each output
    with its share of each input, and gives the outputs' values; arrows lead from the inputs
    that have a share. With `highlight`, the index of an output, only its arrows are
    drawn, with their weights and the sum. Without `weights`, or with `reveal=False`, the
    outputs are "?".

    Raises `ValueError` where `weights` has another shape, or `highlight` is no output.
    """
    x, places = _numbers(x), _numbers(places)
    rows = None if weights is None else [_numbers(row) for row in weights]
    if rows is not None and (len(rows), {len(row) for row in rows}) != (len(places), {len(x)}):
        raise ValueError(f"weights must have {len(places)} rows of {len(x)}")
    if highlight is not None:
        _check_index(highlight, len(places), "highlight")
    step = abs(places[1] - places[0]) if len(places) > 1 else len(x)
    first = min(-0.5, min(places) - step / 2)
    pitch = min(108, 400 / max(len(x) - 0.5 - first, max(places) + step / 2 - first))
    box = BOX if pitch * min(1, step) >= BOX + 4 else 34
    art = _Svg(box)
    left, top, frame = LABEL - first * pitch, 26, box + 14
    cells = rows is not None and highlight is not None
    row_tap = top + frame + 26
    row_out = row_tap + box + 56 if cells else top + frame + 56
    art.text(2, top + frame / 2, f"input {names[0]}", anchor="start")
    art.text(2, row_out + frame / 2, f"output {names[1]}", anchor="start")
    art.text(2, row_out + frame + 16, "place", anchor="start", muted=True)
    if cells:
        art.text(2, row_tap + box / 2, "weights", anchor="start")
    for j in range(len(x)):
        art.box(left + (j - 0.5) * pitch, top, pitch, frame, outline="solid")
    for i, place in enumerate(places):
        art.box(left + (place - step / 2) * pitch, row_out, step * pitch, frame, outline="solid")
        used = {j: w for j, w in enumerate(rows[i]) if w} if rows else {}
        if rows and highlight in (None, i):
            for j, weight in used.items():
                x_in, y_in = left + j * pitch, top + 7 + box
                if cells:
                    art.line(x_in, y_in, x_in, row_tap, "kernel")
                    art.cell(x_in - box / 2, row_tap, weight, "kernel", name="weight", index=j)
                    y_in = row_tap + box
                x_to, y_to = left + place * pitch, row_out + frame / 2
                art.arrow(x_in, y_in + 3, x_to, y_to, gap=box / 2 + 3)
    for j, value in enumerate(x):
        faint = cells and not rows[highlight][j]
        art.cell(
            left + j * pitch - box / 2, top + 7, value, "input", name="input", index=j, faint=faint
        )
        art.text(left + j * pitch, 12, f"{names[0]}[{j}]", muted=True)
    for i, place in enumerate(places):
        at = left + place * pitch
        value = sum(w * v for w, v in zip(rows[i], x, strict=True)) if rows and reveal else "?"
        strong = i == highlight
        art.cell(
            at - box / 2,
            row_out + 7,
            value,
            "output",
            name="output",
            index=i,
            strong=strong,
            faint=highlight is not None and not strong,
        )
        art.text(at, row_out + frame + 16, _format(place), data=' data-cell="place"')
        art.text(at, row_out + frame + 38, f"{names[1]}[{i}]", muted=True)
    if cells and reveal:
        terms = [(v, w) for v, w in zip(x, rows[highlight], strict=True) if w]
        total = sum(a * b for a, b in terms)
        art.sum(row_out + frame + 70, names[1], highlight, terms, total)
    return art.figure(alt, caption)


def pictures(panels, *, alt, columns=2, width=240, caption=None):
    """Draw images side by side, `columns` in a row; `panels` are `Picture`s.

    Each is `width` units wide, whatever its number of pixels, so that a small image and a
    large one of the same scene can be compared. Pixels keep their sharp edges.
    """
    art = _Svg()
    x, top, tallest = 6, 0, 0
    for number, panel in enumerate(panels):
        rows = [[_numbers(p) if hasattr(p, "__len__") else p for p in row] for row in panel.pixels]
        height = width * len(rows) / len(rows[0])
        if number and number % columns == 0:
            x, top, tallest = 6, top + tallest + 46, 0
        art.text(x + width / 2, top + 14, panel.label)
        art.image(x, top + 30, width, height, rows)
        tallest = max(tallest, height)
        x += width + 14
    return art.figure(alt, caption)


def curves(
    series,
    *,
    alt,
    x_ticks,
    y_ticks,
    x_label,
    y_label="",
    caption=None,
):
    """Plot `Curve`s over common axes, which run from the first tick to the last.

    Ticks are numbers, or pairs (number, text). Each curve's label stands below the plot,
    beside a piece of its line.

    Raises `ValueError` where a point lies outside the axes.
    """
    x_ticks, y_ticks = (
        [tick if isinstance(tick, tuple) else (tick, _format(float(tick))) for tick in ticks]
        for ticks in (x_ticks, y_ticks)
    )
    art = _Svg()
    left = 16 + max(_text_width(text) for _, text in y_ticks)
    top, width, height = 34 if y_label else 12, 470 - left, 230

    def at(x, y):
        """Return a point's place in the drawing."""
        (x0, _), (x1, _), (y0, _), (y1, _) = x_ticks[0], x_ticks[-1], y_ticks[0], y_ticks[-1]
        slack = 1e-9
        if not (x0 - slack <= x <= x1 + slack and y0 - slack <= y <= y1 + slack):
            raise ValueError(f"({x:g}, {y:g}) lies outside the axes")
        return (
            left + (x - x0) / (x1 - x0) * width,
            top + height - (y - y0) / (y1 - y0) * height,
        )

    if y_label:
        art.text(2, 12, y_label, anchor="start")
    for value, text in y_ticks:
        _, y = at(x_ticks[0][0], value)
        art.line(left, y, left + width, y, faint=value != 0)
        art.text(left - 8, y, text, anchor="end")
    for value, text in x_ticks:
        x, _ = at(value, y_ticks[0][0])
        art.line(x, top + height, x, top + height + 6)
        art.text(x, top + height + 20, text)
    art.text(left + width / 2, top + height + 44, x_label)
    row = top + height + 76
    for curve in series:
        points = [at(x, y) for x, y in zip(_numbers(curve.x), _numbers(curve.y), strict=True)]
        sample = [(left + 4, row), (left + 40, row)]
        if curve.marks:
            art.marks(points, curve.role, name=curve.label)
            art.marks([(left + 22, row)], curve.role)
        else:
            art.curve(points, curve.role, curve.dash, name=curve.label)
            art.curve(sample, curve.role, curve.dash)
        art.text(left + 50, row, curve.label, anchor="start")
        row += 26
    return art.figure(alt, caption)


def steps(shown, *, caption=None):
    """Show figures one at a time, in order, with buttons to step and to play.

    `shown` are pairs (words, `Figure`); the words stand below their figure. Where the
    course's stylesheet and script are not there, on paper for one, they all stand below
    each other. The figures are drawn equally large, so that nothing jumps.
    """
    size = re.compile(r'viewBox="0 0 (\d+) (\d+)"(.*?)width:\d+px(.*?)min-width:[\d.]+px')
    drawings = [re.search("<svg.*</svg>", figure.html, re.DOTALL)[0] for _, figure in shown]
    width, height = (max(int(size.search(d)[n]) for d in drawings) for n in (1, 2))
    same = rf'viewBox="0 0 {width} {height}"\3width:{width}px\4min-width:{width * SHRINK:g}px'
    parts = [
        f'<div class="ubh-step"><div class="ubh-scroll" style="overflow-x:auto">'
        f'{size.sub(same, drawing)}</div><p class="ubh-words">{escape(words)}</p></div>'
        for (words, _), drawing in zip(shown, drawings, strict=True)
    ]
    text = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return Figure(
        '<figure class="ubh-figure ubh-steps" style="margin:1.5em 0">'
        f"{''.join(parts)}{text}</figure>"
    )


def legend(*, alt="What the cells mean", caption=None):
    """Draw one cell of each role with its name."""
    entries = [
        ("input", 3, "input"),
        ("kernel", 2, "kernel tap"),
        ("output", 6, "output"),
        ("zero", 0, "zero between inputs"),
        ("padding", 0, "zero at the ends"),
        ("cropped", 1, "cropped"),
    ]
    art = _Svg()
    for number, (role, value, text) in enumerate(entries):
        column, row = divmod(number, 3)
        art.cell(6 + column * 190, 6 + row * CELL, value, role, name="legend", index=number)
        art.text(60 + column * 190, 6 + row * CELL + BOX / 2, text, anchor="start")
    return art.figure(alt, caption)


def _window(cells, labels, w, stride, highlight, names, reveal, alt, caption, rows, previous=False):
    """Draw `w` under one window of `cells`, and every output below its window's middle.

    `rows` are the words before the letters of the input and of the kernel. A long row gets
    smaller cells, and its labels stand where they need no column: it is to fit a phone too.
    """
    if len(cells) < len(w) or not w:
        raise ValueError(f"a kernel of {len(w)} does not fit {len(cells)} cells")
    n_out = (len(cells) - len(w)) // stride + 1
    _check_index(highlight, n_out, "highlight")
    name_in, name_w, name_out = names
    texts = [f"{rows[0]} {name_in}", f"{rows[1]} {name_w}", f"output {name_out}"]
    windows = [[(cells[o * stride + k][0], w[k]) for k in range(len(w))] for o in range(n_out)]
    totals = [sum(a * b for a, b in window) for window in windows]
    shown = range(n_out) if reveal is True else reveal or ()
    long = len(cells) > 8 and len(w) >= 4
    pitch, box = (46, 38) if long else (CELL, BOX)
    art = _Svg(box)
    left = 5 if long else LABEL + max(0, 8 * (max(map(len, texts)) - len("kernel w")))
    top = 52 if long else 28
    start = highlight * stride
    row_w, row_out = top + pitch + 16, top + 2 * pitch + 80
    middle = (len(w) - 1) / 2 * pitch + box / 2
    if long:
        art.text(left, 10, texts[0], anchor="start")
        # Beside the kernel, where there is room; before the first output there always is.
        at, side = left + start * pitch - 12, "end"
        if start < 2:
            at, side = left + (start + len(w)) * pitch + 6, "start"
        art.text(at, row_w + box / 2, texts[1], anchor=side)
        art.text(2, row_out + box / 2, texts[2], anchor="start")
    else:
        for text, row in zip(texts, (top, row_w, row_out), strict=True):
            art.text(2, row + box / 2, text, anchor="start")
    frame = (len(w) * pitch, row_w + box + 10 - top)
    if previous and highlight:
        art.box(left + (start - stride) * pitch - 5, top - 5, *frame, outline="dotted")
    art.box(left + start * pitch - 5, top - 5, *frame)
    for j, ((value, role), label) in enumerate(zip(cells, labels, strict=True)):
        x = left + j * pitch
        inside = 0 <= j - start < len(w)
        art.cell(x, top, value, role, name="input", index=j, faint=not inside)
        if label is not None:
            art.text(x + box / 2, top - 16, f"{name_in}[{label}]", muted=True)
    for k, tap in enumerate(w):
        x = left + (start + k) * pitch
        art.line(x + box / 2, top + box, x + box / 2, row_w)
        art.cell(x, row_w, tap, "kernel", name="tap", index=k)
        art.arrow(
            x + box / 2,
            row_w + box,
            left + start * pitch + middle,
            row_out + box / 2,
            gap=box / 2 + 4,
        )
    for o, total in enumerate(totals):
        x = left + o * stride * pitch + middle - box / 2
        strong = o == highlight
        art.cell(
            x,
            row_out,
            total if o in shown else "?",
            "output",
            name="output",
            index=o,
            strong=strong,
            faint=not strong,
        )
        art.text(x + box / 2, row_out + box + 14, f"{name_out}[{o}]", muted=True)
    if highlight in shown:
        terms = windows[highlight]
        art.sum(row_out + box + 44, name_out, highlight, terms, totals[highlight])
    return art.figure(alt, caption)


def _reaching(y, w, column, stride):
    """Return the pairs (input, tap) that meet in `column` of the uncropped output."""
    return [
        (value, w[column - i * stride])
        for i, value in enumerate(y)
        if 0 <= column - i * stride < len(w)
    ]


def _transposed_size(n, k, stride, padding, output_padding):
    """Return `(front, end, n_out)`: what is cropped at each side and what is left."""
    front, end = _pair(padding)
    n_out = (n - 1) * stride + k - front - end + output_padding
    if n < 1 or k < 1 or stride < 1 or n_out < 1:
        raise ValueError(f"no output is left: {n=}, {k=}, {stride=}, {padding=}")
    return front, end, n_out


def _pair(padding):
    """Return `padding` as a pair of non-negative ints."""
    before, after = (padding, padding) if isinstance(padding, Integral) else padding
    if before < 0 or after < 0:
        raise ValueError(f"padding must not be negative: {padding}")
    return before, after


def _numbers(values):
    """Return a 1-D array, tensor or list as a list of plain floats; "?" stays as it is."""
    return [value if isinstance(value, str) else float(value) for value in values]


def _check_index(index, length, name, what="outputs"):
    """Raise `ValueError` unless `0 <= index < length`."""
    if not 0 <= index < length:
        raise ValueError(f"{name}={index} is none of the {length} {what}")


def _format(value):
    """Return a number as it is drawn: a true minus sign, at most three decimals."""
    if isinstance(value, str):
        return value
    text = f"{round(value, 3):.3f}".rstrip("0").rstrip(".")
    return ("0" if text in ("-0", "") else text).replace("-", "−")


def _png(rows):
    """Return rows of pixels (a number from 0 to 1, or three) as the bytes of a PNG file."""
    colour = isinstance(rows[0][0], list)
    raw = bytearray()
    for row in rows:
        raw.append(0)  # the row is stored as it is
        for pixel in row:
            for value in pixel if colour else (pixel,):
                raw.append(round(255 * min(max(float(value), 0), 1)))

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2 if colour else 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(raw), 9))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def _text_width(text, size=16):
    """Return a text's width in SVG units, estimated on the wide side."""
    return 0.58 * size * len(text)


class _Svg:
    """Collects drawing and grows to hold it. Coordinates: SVG units from the top left."""

    def __init__(self, box=BOX):
        self.box_side = box
        self.parts = []
        self.width = self.height = 0

    def cell(self, x, y, value, role, *, name, index=None, strong=False, faint=False):
        """Draw one cell with its number; `name` and `index` identify it to the tests."""
        colour, side = COLOURS[role], self.box_side
        hollow = role in DASHES
        fill = 0 if hollow else 0.36 if strong else 0.15
        style = f"fill:{colour};fill-opacity:{fill};stroke:{colour}"
        style += f";stroke-width:{3.5 if strong else 2}"
        if hollow:
            style += f";stroke-dasharray:{DASHES[role]};stroke-linecap:round"
        # Faint cells step back by their outline; their numbers stay readable.
        if faint:
            style += ";stroke-opacity:0.45"
        rect = f'<rect x="{x:g}" y="{y:g}" width="{side}" height="{side}" '
        rect += f'rx="{min(RADII.get(role, 0), side / 2):g}" style="{style}"/>'
        self.parts.append(rect)
        self._grow(x + side, y + side)
        self.number(
            x + side / 2,
            y + side / 2,
            value,
            name=name,
            index=index,
            muted=hollow or faint,
            strong=strong,
        )
        if role == "cropped":
            self.line(x + 3, y + side - 3, x + side - 3, y + 3)

    def number(self, x, y, value, *, name, index=None, muted=False, strong=False):
        """Draw a number in the middle of a cell."""
        text = _format(value)
        size = 18 if len(text) < 4 else 16
        key = ",".join(map(str, index)) if isinstance(index, tuple) else index
        data = f' data-cell="{name}"' + (f' data-index="{key}"' if key is not None else "")
        self.text(x, y, text, muted=muted, size=size, bold=strong, data=data)

    def text(
        self,
        x,
        y,
        text,
        anchor="middle",
        *,
        muted=False,
        size=16,
        bold=False,
        data="",
    ):
        """Draw text, vertically centred on `y`."""
        colour = MUTED if muted else INK
        weight = ";font-weight:700" if bold else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" dy="0.35em" text-anchor="{anchor}"{data} '
            f'style="fill:{colour};font-size:{size}px{weight}">{escape(text)}</text>'
        )
        share = {"start": 1, "middle": 0.5, "end": 0}[anchor]
        self._grow(x + share * _text_width(text, size), y + size / 2)

    def line(self, x1, y1, x2, y2, role=None, *, faint=False):
        """Draw a thin line."""
        colour = COLOURS.get(role, MUTED)
        opacity = ";stroke-opacity:0.3" if faint else ""
        self.parts.append(
            f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" '
            f'style="fill:none;stroke:{colour};stroke-width:1.5{opacity}"/>'
        )
        self._grow(max(x1, x2), max(y1, y2))

    def arrow(self, x1, y1, x2, y2, *, gap=0, colour=MUTED):
        """Draw an arrow that ends `gap` before (x2, y2), so that it can touch a circle."""
        angle = math.atan2(y2 - y1, x2 - x1)
        cos, sin = math.cos(angle), math.sin(angle)
        x2, y2 = x2 - gap * cos, y2 - gap * sin
        neck = (x2 - 8 * cos, y2 - 8 * sin)
        head = f"M{x2:.1f} {y2:.1f}"
        for side in (4, -4):
            head += f"L{neck[0] - side * sin:.1f} {neck[1] + side * cos:.1f}"
        self.parts.append(
            f'<path d="M{x1:g} {y1:g}L{neck[0]:.1f} {neck[1]:.1f}" '
            f'style="fill:none;stroke:{colour};stroke-width:1.5"/>'
            f'<path d="{head}Z" style="fill:{colour};stroke:none"/>'
        )
        self._grow(max(x1, x2) + 4, max(y1, y2))

    def bar(self, x, y, width, *, name, index):
        """Draw a bar; the thinnest is a line that can still be seen."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{max(width, 1.5):g}" height="16" '
            f'data-cell="{name}" data-index="{index}" style="fill:{INK};fill-opacity:0.75"/>'
        )
        self._grow(x + width, y + 16)

    def box(self, x, y, width, height, *, outline=None):
        """Mark a region: a faint frame behind what is drawn next, or only its outline.

        `outline` is None, "solid" (it leaves the colours in the frame alike) or "dotted".
        """
        look = f"fill:{INK};fill-opacity:0.06;stroke:{MUTED};stroke-opacity:0.5"
        if outline:
            look = f"fill:none;stroke:{MUTED};stroke-width:1.5"
            look += ";stroke-dasharray:2 4" if outline == "dotted" else ""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8" '
            f'style="{look}"/>'
        )
        self._grow(x + width, y + height)

    def curve(self, points, role, dash="", *, name=None):
        """Draw lines from point to point."""
        data = f' data-curve="{escape(name)}"' if name else ""
        look = f"fill:none;stroke:{COLOURS[role]};stroke-width:2.5;stroke-linejoin:round"
        look += f";stroke-dasharray:{dash}" if dash else ""
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.parts.append(f'<path d="M{path}"{data} style="{look}"/>')
        self._grow(max(x for x, _ in points), max(y for _, y in points))

    def marks(self, points, role, *, name=None):
        """Draw a small filled shape of the role at each point."""
        data = f' data-curve="{escape(name)}"' if name else ""
        for x, y in points:
            rounding = RADII.get(role, 0) * 11 / BOX
            self.parts.append(
                f'<rect x="{x - 5.5:.1f}" y="{y - 5.5:.1f}" width="11" height="11" '
                f'rx="{rounding:g}"{data} style="fill:{COLOURS[role]};stroke:none"/>'
            )
            self._grow(x + 6, y + 6)

    def image(self, x, y, width, height, rows):
        """Draw rows of pixels, each a number or three, from 0 to 1."""
        data = b64encode(_png(rows)).decode()
        self.parts.append(
            f'<image x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            f'preserveAspectRatio="none" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{data}"/>'
        )
        self._grow(x + width, y + height)

    def sum(self, y, name, index, terms, total):
        """Write one output's sum out: y[1] = 1·1 + 2·2 = 5."""
        products = " + ".join(f"{_format(a)}·{_format(b)}" for a, b in terms) or "0"
        text = f"{name}[{index}] = {products} = {_format(total)}"
        self.text(4, y, text, "start", size=16, data=' data-cell="sum"')

    def figure(self, alt, caption):
        """Return everything drawn as a `Figure`."""
        if not alt or not alt.strip():
            raise ValueError("a figure needs alt text")
        width, height = math.ceil(self.width + 6), math.ceil(self.height + 6)
        svg = (
            f'<svg role="img" aria-label="{escape(alt)}" viewBox="0 0 {width} {height}" '
            f'xmlns="http://www.w3.org/2000/svg" style="display:block;margin:0 auto;'
            f"width:{width}px;max-width:100%;min-width:{width * SHRINK:g}px;height:auto;"
            "font-family:var(--ubh-font, system-ui, sans-serif);"
            f'font-variant-numeric:tabular-nums">{"".join(self.parts)}</svg>'
        )
        text = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
        return Figure(
            '<figure class="ubh-figure" style="margin:1.5em 0">'
            f'<div class="ubh-scroll" style="overflow-x:auto">{svg}</div>{text}</figure>'
        )

    def _grow(self, x, y):
        self.width, self.height = max(self.width, x), max(self.height, y)
