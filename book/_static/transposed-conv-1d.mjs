// Transposed convolution in one dimension, as a figure to play with.
//
//   <ubh-transposed-conv-1d y="1 2 3" w="1 2 3 4" stride="2" padding="0"
//                           output-padding="0" view="scatter">
//     What is shown without scripts.
//   </ubh-transposed-conv-1d>
//
// y (length n) is the short input, w (length K) the kernel, z the long output:
// y[i]·w[k] is added to z[i·stride + k − padding]. "Position" below means a place
// before cropping, so output j sits at position j + padding.

// ---------------------------------------------------------------- arithmetic

function settings({ stride = 1, padding = 0, outputPadding = 0 } = {}) {
  if (!Number.isInteger(stride) || stride < 1) {
    throw new RangeError("stride must be a whole number from 1 up");
  }
  if (!Number.isInteger(padding) || padding < 0) {
    throw new RangeError("padding must be a whole number from 0 up");
  }
  if (!Number.isInteger(outputPadding) || outputPadding < 0 || outputPadding >= stride) {
    throw new RangeError("output_padding must be a whole number from 0 to stride − 1");
  }
  return { stride, padding, outputPadding };
}

/** (n − 1)·stride − 2·padding + K + output_padding. Below 1 there is no output. */
export function outputLength(n, k, options) {
  const { stride, padding, outputPadding } = settings(options);
  return (n - 1) * stride - 2 * padding + k + outputPadding;
}

function checkedLength(y, w, options) {
  const length = y.length && w.length ? outputLength(y.length, w.length, options) : 0;
  if (length < 1) throw new RangeError("the output would be shorter than 1");
  return length;
}

/** Scatter: every input adds its stamp, y[i]·w, to the output. Returns the output. */
export function convTranspose1d(y, w, options) {
  const { stride, padding } = settings(options);
  const z = new Array(checkedLength(y, w, options)).fill(0);
  y.forEach((value, i) =>
    w.forEach((tap, k) => {
      const j = i * stride + k - padding;
      if (j >= 0 && j < z.length) z[j] += value * tap;
    }),
  );
  return z;
}

/** Gather: the products that make up output j, in the order of the inputs. */
export function contributions(j, y, w, options) {
  const { stride, padding } = settings(options);
  return y.flatMap((value, i) => {
    const k = j + padding - i * stride;
    return k >= 0 && k < w.length
      ? [{ i, k, y: value, w: w[k], product: value * w[k] }]
      : [];
  });
}

/**
 * Zero insertion: an ordinary convolution, stride 1, over the input spread out.
 * `signal` holds {position, kind: "input" | "zero" | "padding", value}, `kernel` the
 * taps turned round, and output[j] is the sum of signal[j + m].value · kernel[m].
 */
export function zeroInsertion(y, w, options) {
  const { stride, padding } = settings(options);
  const length = checkedLength(y, w, options);
  const kernel = [...w].reverse();
  const last = (y.length - 1) * stride;
  const signal = Array.from({ length: length + w.length - 1 }, (_, at) => {
    const position = at + padding - (w.length - 1);
    if (position < 0 || position > last) return { position, kind: "padding", value: 0 };
    if (position % stride) return { position, kind: "zero", value: 0 };
    return { position, kind: "input", value: y[position / stride] };
  });
  const output = Array.from({ length }, (_, j) =>
    kernel.reduce((sum, tap, m) => sum + signal[j + m].value * tap, 0),
  );
  return { signal, kernel, output };
}

// ---------------------------------------------------------------------- words

const ROUND = 1e4; // four decimals: enough for what a reader types, hides 0.30000000000000004

/** A number as the figure writes it: at most four decimals, a true minus sign. */
export function formatNumber(value) {
  const rounded = Math.round(value * ROUND) / ROUND;
  return (rounded < 0 ? "−" : "") + String(Math.abs(rounded));
}

const factor = (value) => {
  const text = formatNumber(value);
  return text.startsWith("−") ? `(${text})` : text;
};
const times = (a, b) => `${factor(a)}·${factor(b)}`;
const brief = (a, b) => `${formatNumber(a)}·${formatNumber(b)}`; // where room is scarce
const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

// A sentence is a list of tokens: plain text, or [text, what it names].
const named = {
  y: (i) => [`y[${i}]`, "input"],
  w: (k) => [`w[${k}]`, "kernel"],
  z: (j) => [`z[${j}]`, "output"],
};
const listed = (groups, separator = ", ") =>
  groups.flatMap((group, at) => (at ? [separator, ...group] : group));
const wordsOf = (tokens) => tokens.map((t) => (typeof t === "string" ? t : t[0])).join("");

function explainOutput(j, { y, w, options }) {
  const terms = contributions(j, y, w, options);
  if (!terms.length) return [named.z(j), " = 0: no input reaches it"];
  const sum = terms.reduce((total, term) => total + term.product, 0);
  return [
    named.z(j),
    " = ",
    ...listed(terms.map(({ i, k }) => [named.y(i), "·", named.w(k)]), " + "),
    " = ",
    terms.map((term) => times(term.y, term.w)).join(" + "),
    ` = ${formatNumber(sum)}`,
  ];
}

function explainInput(i, { y, w, options, length }) {
  const landed = w.map((tap, k) => ({ tap, k, j: i * options.stride + k - options.padding }));
  const kept = landed.filter(({ j }) => j >= 0 && j < length);
  const cropped = landed.filter((one) => !kept.includes(one));
  const adds = kept.map(({ tap, j }) => [
    `${times(y[i], tap)} = ${formatNumber(y[i] * tap)} to `,
    named.z(j),
  ]);
  const parts = [named.y(i), ` = ${formatNumber(y[i])}`];
  if (adds.length) parts.push(" adds ", ...listed(adds));
  if (cropped.length) {
    parts.push(
      adds.length ? ". Cropped: " : " reaches no output. Cropped: ",
      ...listed(cropped.map(({ k }) => [named.w(k)])),
    );
  }
  return parts;
}

function sizeTokens({ y, w, options, length }) {
  const { stride, padding, outputPadding } = options;
  return (
    `(${y.length} − 1)·${stride} − 2·${padding} + ${w.length} + ${outputPadding}` +
    `\u00a0=\u00a0${formatNumber(length)}` // never alone on a line
  );
}

const captions = {
  scatter({ w, options: { stride, padding, outputPadding } }) {
    const parts = [
      "Each input lays down a copy of the kernel, multiplied by its own value. The next copy ",
      `begins ${count(stride, "place")} further right. `,
    ];
    if (stride < w.length) parts.push("Where copies overlap, they add.");
    else if (stride === w.length) parts.push("They just touch: nothing overlaps.");
    else parts.push("They leave gaps, and the gaps are 0.");
    if (padding) parts.push(` Padding crops ${count(padding, "place")} at each end.`);
    if (outputPadding) {
      parts.push(` Output padding keeps ${count(outputPadding, "more place")} at the end.`);
    }
    return parts;
  },
  gather({ w, options: { stride, padding } }) {
    const sets = Array.from({ length: stride }, (_, j) =>
      w.flatMap((_tap, k) => ((j + padding - k) % stride ? [] : [[named.w(k)]])).reverse(),
    );
    if (stride === 1) return ["Each output collects from its inputs, through every tap it can."];
    return [
      `Each output collects. With stride ${stride} the outputs take turns: `,
      ...listed(
        sets.map((set) => (set.length ? listed(set, " and ") : ["no tap at all"])),
        "; then ",
      ),
      ". A faint tap would need an input that is not there.",
    ];
  },
  zeros({ w, options: { stride, padding, outputPadding } }) {
    const before = w.length - 1 - padding;
    const after = before + outputPadding;
    const side = (n, where) => (n < 0 ? `cut ${-n} off ${where}` : `${n} ${where}`);
    return [
      `Put ${count(stride - 1, "zero")} between neighbours, `,
      `${side(before, "in front")} and ${side(after, "behind")}. Flip the kernel: `,
      ...listed(w.map((_tap, k) => [named.w(k)]).reverse(), " "),
      ". Slide it one step at a time: an ordinary convolution.",
    ];
  },
};

const VIEWS = { scatter: "Scatter", gather: "Gather", zeros: "Zero insertion" };
const viewOf = (name) =>
  ({ scatter: "scatter", gather: "gather", "zero-insertion": "zeros", zeros: "zeros" })[name] ??
  "scatter";

// -------------------------------------------------------------------- picture
// A scene is a plain description (cells, edges, labels, bands) of the state; `paint`
// makes the SVG agree with it, keeping the nodes whose key stays, so that what moves
// is seen to move and focus is never lost.

const CELL = 38; // height of a cell
const ROW = 46;
const TOP = 40; // room for the input's label and indices

// The same for every view, stride and padding, so that changing them moves nothing
// below: room for a stamp from each input, and for all taps above one output.
const bodyHeight = ({ y, w }) => Math.max(y.length * ROW + 24, w.length * ROW + 60);
const pictureHeight = (model) => TOP + CELL + bodyHeight(model) + CELL + 40;

function layout(model, width) {
  const { y, w, full } = model;
  const numbers = [...y, ...w, ...full, ...y.flatMap((a) => w.map((b) => a * b))];
  const longest = Math.max(...numbers.map((value) => formatNumber(value).length));
  const least = Math.max(26, longest * 9 + 9);
  const wanted = w.length - 1 + full.length;
  const roomy = width >= wanted * Math.max(least, 32);
  // Where there is room, the three views share one grid; on a phone only zero
  // insertion spends columns on what lies before the first input.
  const lead = roomy || model.view === "zeros" ? w.length - 1 : 0;
  const columns = lead + full.length;
  const pitch = Math.max(least, Math.min(56, Math.floor((width - 2) / columns)));
  const products = y.flatMap((a) => w.map((b) => brief(a, b).length));
  const body = bodyHeight(model);
  return {
    pitch,
    box: pitch - 4,
    left: (position) => (lead + position) * pitch + 2,
    middle: (position) => (lead + position + 0.5) * pitch,
    body,
    bodyTop: TOP + CELL,
    outTop: TOP + CELL + body,
    width: columns * pitch + 1,
    height: pictureHeight(model),
    expressions: Math.max(...products) * 6.2 <= pitch - 4,
    longIndices: pitch >= 36,
  };
}

function scene(model, width) {
  const at = layout(model, width);
  const { y, w, options, length, full, view, chosen, committed } = model;
  const { stride, padding } = options;
  const cells = [];
  const choices = [];
  const edges = [];
  const labels = [];
  const bands = [];
  const cell = (key, kind, position, top, more) => ({
    key, kind, x: at.left(position), y: top, width: at.box, height: CELL, ...more,
  });
  const isOutput = chosen.kind === "z";
  const target = isOutput ? chosen.index + padding : -1;
  const lit = (i, k) => (isOutput ? i * stride + k === target : i === chosen.index);
  const reached = (position) =>
    isOutput
      ? position === target
      : position >= chosen.index * stride && position < chosen.index * stride + w.length;

  labels.push({
    key: "y", x: at.left(0), y: 13, text: view === "zeros" ? "input y, stretched" : "input y",
  });
  y.forEach((value, i) => {
    choices.push(
      cell(`y${i}`, "input", i * stride, TOP, {
        text: formatNumber(value),
        select: `y${i}`,
        name: `y[${i}] is ${formatNumber(value)}`,
        checked: committed.kind === "y" && committed.index === i,
        lit: w.some((_tap, k) => lit(i, k)),
      }),
    );
    labels.push({
      key: `iy${i}`, x: at.middle(i * stride), y: TOP - 7, middle: true, index: true,
      text: at.longIndices ? `y[${i}]` : `${i}`,
    });
  });

  const output = model.outputs[view];
  full.forEach((sum, position) => {
    const j = position - padding;
    const kept = j >= 0 && j < length;
    if (kept) {
      choices.push(
        cell(`z${j}`, "output", position, at.outTop, {
          text: formatNumber(output[j]),
          select: `z${j}`,
          name: `z[${j}] is ${formatNumber(output[j])}`,
          checked: committed.kind === "z" && committed.index === j,
          lit: reached(position),
        }),
      );
      labels.push({
        key: `iz${j}`, x: at.middle(position), y: at.outTop + CELL + 15, middle: true, index: true,
        text: at.longIndices ? `z[${j}]` : `${j}`,
      });
    } else if (view !== "zeros") {
      cells.push(
        cell(`c${position}`, "cropped", position, at.outTop, { text: formatNumber(sum), faint: true }),
      );
    }
  });
  labels.push({
    key: "z", x: at.left(view === "zeros" ? padding : 0), y: at.outTop + CELL + 34, text: "output z",
  });

  if (view === "scatter") {
    const pitch = (at.body - 24) / y.length;
    const top = (i) => at.bodyTop + 12 + pitch * (i + 0.5) - CELL / 2;
    y.forEach((value, i) => {
      const on = w.some((_tap, k) => lit(i, k));
      edges.push({
        key: `s${i}`, lit: on,
        d: `M${at.middle(i * stride)} ${at.bodyTop}V${top(i)}`,
      });
      cells.push({
        key: `stamp${i}`, kind: "stamp", x: at.left(i * stride) - 1, y: top(i) - 2,
        width: w.length * at.pitch - 2, height: CELL + 4, lit: !isOutput && on,
        select: `y${i}`,
      });
      w.forEach((tap, k) => {
        cells.push(
          cell(`p${i},${k}`, "product", i * stride + k, top(i), {
            text: formatNumber(value * tap),
            small: at.expressions ? brief(value, tap) : "",
            lit: lit(i, k), faint: !lit(i, k), select: `y${i}`,
          }),
        );
      });
    });
    edges.push({
      key: "rule", kind: "rule",
      d: `M${at.left(0) - 1} ${at.outTop - 6}H${at.left(full.length) - 3}`,
    });
    if (isOutput) {
      bands.push({
        key: "band", x: at.left(target) - 2, y: at.bodyTop + 3,
        width: at.pitch, height: at.body - 6,
      });
    }
  }

  if (view === "gather") {
    full.forEach((_sum, position) => {
      const j = position - padding;
      if (j < 0 || j >= length) return;
      const taps = w.map((_tap, k) => k).filter((k) => (position - k) % stride === 0).reverse();
      taps.forEach((k, slot) => {
        const i = (position - k) / stride;
        const real = i >= 0 && i < y.length;
        const top = at.outTop - 10 - ROW * (taps.length - slot) + ROW - CELL;
        cells.push(
          cell(`g${j},${k}`, real ? "tap" : "unmet", position, top, {
            text: formatNumber(w[k]),
            small: real && at.longIndices ? `y[${i}]·` : "",
            lit: real && lit(i, k), faint: !real || !lit(i, k), select: `z${j}`,
          }),
        );
        if (!real) return;
        const from = at.middle(i * stride);
        const to = at.middle(position) + (slot - (taps.length - 1) / 2) * Math.min(6, at.box / 5);
        const end = at.outTop - 12 - ROW * taps.length + ROW - CELL;
        const bend = (end - at.bodyTop) * 0.55;
        edges.push({
          key: `e${i},${k}`, lit: lit(i, k),
          d: `M${from} ${at.bodyTop}C${from} ${at.bodyTop + bend} ${to} ${end - bend} ${to} ${end}`,
        });
      });
    });
    if (isOutput) {
      const slots = w.filter((_tap, k) => (target - k) % stride === 0).length;
      bands.push({
        key: "band", x: at.left(target) - 2, y: at.outTop - 13 - ROW * slots + ROW - CELL,
        width: at.pitch, height: ROW * slots - (ROW - CELL) + 7,
      });
    }
  }

  if (view === "zeros") {
    const { signal, kernel } = model.zeros;
    const inside = new Set(signal.map(({ position }) => position));
    for (const choice of choices) {
      if (choice.kind === "input") {
        choice.struck = !inside.has(Number(choice.select.slice(1)) * stride);
      }
    }
    // The window ends at the output it makes. For an input: the first output it reaches.
    const windowEnd = isOutput
      ? target
      : Math.min(Math.max(chosen.index * stride, padding), padding + length - 1);
    const windowStart = windowEnd - (w.length - 1);
    signal.forEach(({ position, kind, value }) => {
      if (kind === "input") return;
      cells.push(
        cell(`blank${position}`, kind, position, TOP, {
          text: formatNumber(value),
          lit: position >= windowStart && position <= windowEnd,
        }),
      );
    });
    const kernelTop = at.bodyTop + 18;
    const productTop = kernelTop + CELL + (at.body - 2 * CELL - 18) * 0.36;
    kernel.forEach((tap, m) => {
      const k = w.length - 1 - m;
      const position = windowStart + m;
      const { value, kind } = signal[position + w.length - 1 - padding];
      const on = kind === "input" && lit(position / stride, k);
      cells.push(
        cell(`k${k}`, "tap", position, kernelTop, {
          text: formatNumber(tap), small: at.longIndices ? `w[${k}]` : "", lit: true,
        }),
        cell(`m${k}`, "product", position, productTop, {
          text: formatNumber(value * tap),
          small: at.expressions ? brief(value, tap) : "",
          lit: on, faint: !on,
        }),
      );
      const from = at.middle(position);
      const to = at.middle(windowEnd);
      const top = productTop + CELL;
      const bend = (at.outTop - top) * 0.6;
      edges.push(
        { key: `a${k}`, lit: on, d: `M${from} ${at.bodyTop}V${productTop}` },
        {
          key: `b${k}`, lit: on,
          d: `M${from} ${top}C${from} ${top + bend} ${to} ${at.outTop - bend} ${to} ${at.outTop}`,
        },
      );
    });
    if (!isOutput) {
      // What the input will reach as the window slides on.
      const from = at.left(chosen.index * stride) + at.box - 2;
      const bend = (at.outTop - at.bodyTop) * 0.5;
      full.forEach((_sum, position) => {
        const j = position - padding;
        if (!reached(position) || position === windowEnd || j < 0 || j >= length) return;
        const to = at.middle(position);
        edges.push({
          key: `l${j}`, kind: "later", lit: true,
          d: `M${from} ${at.bodyTop}C${to} ${at.bodyTop + 8} ${to} ${at.outTop - bend} ${to} ${at.outTop}`,
        });
      });
    }
    bands.push({
      key: "window", x: at.left(windowStart) - 2, y: TOP - 4,
      width: w.length * at.pitch, height: productTop + CELL + 8 - TOP,
    });
  }
  return { width: at.width, height: at.height, cells, choices, edges, labels, bands };
}

const SVG = "http://www.w3.org/2000/svg";
const svgNode = (name, attributes = {}) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

/** Make a layer's children agree with `items`, by key, moving none that stays. */
function reconcile(layer, items, make, update) {
  const old = new Map([...layer.children].map((node) => [node.dataset.key, node]));
  const wanted = new Set(items.map(({ key }) => key));
  for (const [key, node] of old) if (!wanted.has(key)) node.remove();
  let next = layer.firstElementChild;
  for (const item of items) {
    let node = old.get(item.key);
    if (!node) {
      node = make(item);
      node.dataset.key = item.key;
    }
    if (node === next) next = next.nextElementSibling;
    else layer.insertBefore(node, next);
    update(node, item);
  }
}

const CORNER = { input: 2, zero: 2, padding: 2, tap: 10, unmet: 10, stamp: 12, product: 6 };

function makeCell() {
  const group = svgNode("g");
  group.append(
    svgNode("rect", { class: "ring" }),
    svgNode("rect", { class: "box" }),
    svgNode("text", { class: "small" }),
    svgNode("text", { class: "value" }),
    svgNode("path", { class: "strike" }),
  );
  return group;
}

function updateCell(group, item) {
  const [ring, box, small, value, strike] = group.children;
  const { width, height } = item;
  const round = CORNER[item.kind] ?? height / 2;
  const state = ["lit", "faint", "struck"].filter((name) => item[name]).join(" ");
  group.setAttribute("class", `cell ${item.kind} ${state}`);
  group.style.transform = `translate(${item.x}px, ${item.y}px)`;
  const size = (rect, grow) => {
    const box = {
      x: -grow, y: -grow, width: width + 2 * grow, height: height + 2 * grow,
      rx: Math.min(round + grow, width / 2 + grow),
    };
    for (const [name, number] of Object.entries(box)) rect.setAttribute(name, number);
  };
  size(ring, 3);
  size(box, 0);
  const put = (text, words, y) => {
    text.textContent = words ?? "";
    text.setAttribute("x", width / 2);
    text.setAttribute("y", y);
  };
  put(small, item.small, 13);
  put(value, item.text, item.small ? 30 : height / 2 + 5);
  const struck = item.kind === "cropped" || item.struck;
  strike.setAttribute("d", struck ? `M3 ${height - 5}L${width - 3} 5` : "");
  if (item.select) group.dataset.select = item.select;
  if (item.name) {
    group.setAttribute("role", "radio");
    group.setAttribute("aria-label", item.name);
    group.setAttribute("aria-checked", item.checked);
    group.setAttribute("tabindex", item.checked ? 0 : -1);
  }
}

// -------------------------------------------------------------------- element

const STYLE = `
:host {
  --input: var(--ubh-input, #0072B2);
  --kernel: var(--ubh-kernel, #D55E00);
  --output: var(--ubh-output, #009E73);
  --text: var(--ubh-text, var(--ubh-ink, #1F2933));
  --muted: var(--ubh-muted, #586470);
  --zero: var(--ubh-zero, var(--muted));
  --padding: var(--ubh-padding, var(--muted));
  --surface: var(--ubh-surface, #FFFFFF);
  /* Mixed with the ink, so that it is dark on light and light on dark. */
  --accent: var(--ubh-accent, color-mix(in srgb, #B0509A 70%, var(--text)));
  --line: var(--ubh-rule, color-mix(in srgb, var(--text) 20%, var(--surface)));
  display: block;
  margin: 1.5rem 0;
  color: var(--text);
  font-size: 0.9375rem;
  line-height: 1.5;
  font-variant-numeric: tabular-nums;
}
:host([hidden]) { display: none; }
*, ::before, ::after { box-sizing: border-box; }
.figure {
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--surface);
  padding: 1rem;
}
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
legend { padding: 0; margin-bottom: 0.2rem; font-size: 0.8125rem; color: var(--muted); }
.controls { display: flex; flex-wrap: wrap; gap: 0.75rem 1.75rem; align-items: flex-start; }
.controls + .controls { margin-top: 0.75rem; }
.row { display: flex; gap: 4px; align-items: center; }
input, button {
  font: inherit;
  color: var(--text);
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 6px;
  height: 34px;
  margin: 0;
}
button { min-width: 30px; flex: none; padding: 0 0.5rem; cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--muted); }
button:disabled { color: var(--muted); border-style: dotted; cursor: not-allowed; }
:is(input, button):focus-visible, .segments input:focus-visible + span {
  outline: 3px solid var(--accent);
  outline-offset: 2px;
}
input[type="number"] { width: 42px; min-width: 30px; padding: 0 2px; text-align: center; appearance: textfield; }
input::-webkit-inner-spin-button { appearance: none; margin: 0; }
.taps input, .inputs input { font-weight: 600; }
.inputs input {
  border: 2px solid var(--input); border-radius: 2px;
  background: color-mix(in srgb, var(--input) 14%, var(--surface));
}
.taps input {
  border: 2px solid var(--kernel); border-radius: 10px;
  background: color-mix(in srgb, var(--kernel) 14%, var(--surface));
}
input:invalid { border-style: dashed; }
.segments { display: inline-flex; }
.segments label { position: relative; display: block; }
.segments input {
  position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; cursor: pointer;
}
.segments span {
  display: block; min-width: 34px; padding: 0 0.625rem; height: 34px; line-height: 32px;
  text-align: center; border: 1px solid var(--line); margin-left: -1px;
}
.segments label:first-child span { border-radius: 6px 0 0 6px; margin-left: 0; }
.segments label:last-child span { border-radius: 0 6px 6px 0; }
.segments input:checked + span {
  background: color-mix(in srgb, var(--accent) 16%, var(--surface));
  border-color: var(--accent);
  box-shadow: inset 0 0 0 1px var(--accent);
  font-weight: 600; position: relative; pointer-events: none;
}
.segments input:focus-visible + span { position: relative; z-index: 1; }
.segments input:disabled { cursor: not-allowed; }
.segments input:disabled + span { color: var(--muted); text-decoration: line-through; }
.note { margin: 0.2rem 0 0; min-height: 1.5em; font-size: 0.8125rem; color: var(--muted); }
.bar {
  display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.5rem;
  margin-top: 0.75rem; padding-top: 0.875rem; border-top: 1px solid var(--line);
}
.bar .segments span { padding: 0 0.75rem; }
@media (max-width: 480px) {
  .figure { padding: 0.75rem 0.625rem; }
  .bar { font-size: 0.8125rem; }
  .bar .segments span, .bar button { padding: 0 0.5rem; }
}
.hint { margin: 0.75rem 0 0; font-size: 0.8125rem; color: var(--muted); }
.stack { display: grid; grid-template-columns: minmax(0, 1fr); margin: 0; }
.stack > * { grid-area: 1 / 1; margin: 0; }
.stack > .spare { visibility: hidden; }
.caption { font-size: 0.875rem; color: var(--muted); margin-top: 0.625rem; }
.picture { overflow-x: auto; overflow-y: hidden; margin: 0.5rem 0 0; padding: 3px; }
.picture svg { display: block; overflow: visible; touch-action: pan-x pan-y; }
.impossible {
  align-self: center; justify-self: center; max-width: 38em; padding: 1rem;
  border-left: 4px solid var(--accent);
}
.impossible:empty { display: none; }
.impossible p { margin: 0.25rem 0; }
.line { font-size: 1rem; margin-top: 0.25rem; }
.size { margin: 0.375rem 0 0; font-size: 0.875rem; }
.size small { color: var(--muted); font-size: inherit; }
.t { border-bottom: 2px solid; padding-bottom: 1px; white-space: nowrap; }
.t.input { border-color: var(--input); }
.t.kernel { border-color: var(--kernel); }
.t.output { border-color: var(--output); }
.legend {
  display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0.875rem 0 0; padding: 0.625rem 0 0;
  border-top: 1px solid var(--line); list-style: none; font-size: 0.8125rem; color: var(--muted);
}
.legend li { display: flex; align-items: center; gap: 0.375rem; }
.legend svg { flex: none; }

.cell { transition: transform 0.3s ease; animation: appear 0.25s ease; }
.box { fill: var(--surface); stroke: transparent; stroke-width: 1.5; transition: fill 0.15s; }
.ring { fill: none; stroke: none; }
.strike { stroke: var(--muted); stroke-width: 1.5; fill: none; }
text { fill: var(--text); font: inherit; pointer-events: none; }
.value { font-size: 15px; text-anchor: middle; }
.small { font-size: 11px; text-anchor: middle; fill: var(--muted); }
.label { font-size: 12px; fill: var(--muted); }
.label.middle { text-anchor: middle; }
.label.index { font-size: 11px; }
[data-select] { cursor: pointer; }
[role="radio"] { outline: none; }
[role="radio"]:focus-visible .ring { stroke: var(--accent); stroke-width: 3; }
.input .box { fill: color-mix(in srgb, var(--input) 14%, var(--surface)); stroke: var(--input); }
.tap .box { fill: color-mix(in srgb, var(--kernel) 14%, var(--surface)); stroke: var(--kernel); }
.output .box { fill: color-mix(in srgb, var(--output) 14%, var(--surface)); stroke: var(--output); }
.zero .box { stroke: var(--zero); stroke-dasharray: 1.5 3; stroke-linecap: round; }
.padding .box { stroke: var(--padding); stroke-dasharray: 5 3; }
.cropped .box { stroke: var(--muted); stroke-opacity: 0.5; }
.unmet .box { stroke: color-mix(in srgb, var(--kernel) 40%, var(--surface)); stroke-dasharray: 2 2; }
.stamp .box { stroke: color-mix(in srgb, var(--kernel) 55%, var(--surface)); }
.product .box { fill: none; pointer-events: all; }
.lit .value { font-weight: 700; }
.lit .small { fill: var(--text); }
.lit .box { stroke-width: 3; }
.input.lit .box { fill: color-mix(in srgb, var(--input) 34%, var(--surface)); }
.tap.lit .box { fill: color-mix(in srgb, var(--kernel) 34%, var(--surface)); }
.output.lit .box { fill: color-mix(in srgb, var(--output) 34%, var(--surface)); }
.stamp.lit .box { stroke: var(--kernel); fill: color-mix(in srgb, var(--kernel) 14%, var(--surface)); }
.zero.lit .box, .padding.lit .box { stroke-width: 1.5; }
:is(.zero, .padding, .cropped, .unmet, .faint) .value { fill: var(--muted); font-weight: 400; }
.edge { fill: none; stroke: var(--muted); stroke-width: 1; stroke-opacity: 0.35; }
.edge.lit { stroke: var(--accent); stroke-width: 2; stroke-opacity: 1; }
.edge.later { stroke-width: 1.5; stroke-dasharray: 4 4; }
.edge.rule { stroke: var(--text); stroke-opacity: 1; stroke-width: 1.25; }
.band {
  fill: color-mix(in srgb, var(--accent) 12%, var(--surface));
  transition: transform 0.3s ease;
}
@keyframes appear { from { opacity: 0; } }
@media (prefers-reduced-motion: reduce) {
  .cell, .box, .band { transition: none; animation: none; }
}
@media (forced-colors: active) {
  .segments input:checked + span { outline: 2px solid Highlight; }
  .box, .edge, .strike { stroke: CanvasText; }
  .lit .box, .edge.lit { stroke: Highlight; }
  text { fill: CanvasText; }
}
.printed { display: none; }
@media print {
  :host {
    --input: #0072B2; --kernel: #D55E00; --output: #009E73; --text: #000;
    --muted: #444; --surface: #fff; --line: #ccc; --accent: #84447B; --zero: #444; --padding: #444;
    break-inside: avoid; print-color-adjust: exact;
  }
  .cell { animation: none; transition: none; }
  .controls, .bar, .hint { display: none; }
  .printed { display: block; margin: 0; }
  .picture { overflow: visible; }
  .picture svg { max-width: 100%; height: auto; }
}
`;

const segment = (name, values, titles = values) =>
  `<div class="segments">${values
    .map(
      (value, at) =>
        `<label><input type="radio" name="${name}" value="${value}"><span>${titles[at]}</span></label>`,
    )
    .join("")}</div>`;

const swatch = (kind, name, extra = "") =>
  `<li><svg width="18" height="18" aria-hidden="true"><g class="${kind}">` +
  `<rect class="box" style="stroke-width:1.5" x="1" y="1" width="16" height="16" ` +
  `rx="${CORNER[kind] ? Math.min(CORNER[kind], 5) : 8}"/>${extra}</g></svg>${name}</li>`;

const TEMPLATE = `
<style>${STYLE}</style>
<div class="figure" role="group" aria-label="Interactive figure: transposed convolution in one dimension">
  <div class="controls">
    <fieldset class="inputs"><legend>Input y</legend><div class="row"></div></fieldset>
    <fieldset class="taps"><legend>Kernel w</legend><div class="row"></div></fieldset>
  </div>
  <div class="controls">
    <fieldset><legend>stride</legend>${segment("stride", [1, 2, 3, 4])}</fieldset>
    <fieldset><legend id="p">padding</legend><div class="row">
      <button type="button" data-step="-1" aria-label="Less padding">−</button>
      <input type="number" name="padding" min="0" max="99" required aria-labelledby="p">
      <button type="button" data-step="1" aria-label="More padding">+</button>
    </div></fieldset>
    <fieldset aria-describedby="why"><legend>output_padding</legend>
      ${segment("output-padding", [0, 1, 2, 3])}
      <p class="note" id="why" aria-live="polite"></p>
    </fieldset>
  </div>
  <div class="bar">
    <fieldset role="radiogroup" aria-label="View">${segment("view", Object.keys(VIEWS), Object.values(VIEWS))}</fieldset>
    <button type="button" class="reset">Reset</button>
  </div>
  <p class="hint">Select an input or an output to follow its products.</p>
  <p class="printed"></p>
  <div class="stack">
    <div class="picture"><svg role="radiogroup" aria-label="Select one input or one output with the arrow keys">
      <g class="bands" aria-hidden="true"></g><g class="edges" aria-hidden="true"></g>
      <g class="labels" aria-hidden="true"></g><g class="cells" aria-hidden="true"></g>
      <g class="choices"></g>
    </svg></div>
    <div class="impossible" role="status"></div>
  </div>
  <div class="stack"><p class="line" aria-live="polite"></p><p class="line spare" aria-hidden="true"></p></div>
  <p class="size"></p>
  <div class="stack caption">${Object.keys(VIEWS).map((view) => `<p data-view="${view}"></p>`).join("")}</div>
  <ul class="legend">
    ${swatch("input", "input")}${swatch("tap", "kernel tap")}${swatch("output", "output")}
    ${swatch("zero", "zero between inputs")}${swatch("padding", "zero at the ends")}
    ${swatch("cropped", "cropped", '<path class="strike" d="M3 15L15 3"/>')}
  </ul>
</div>`;

const MOST = 6; // inputs, and taps, that a reader may have
const numbers = (text, fallback) => {
  const list = (text ?? "").trim().split(/[\s,]+/).map(Number);
  return text?.trim() && list.every(Number.isFinite) ? list : fallback;
};
const whole = (text, fallback, most = 99) => {
  const value = Number(text ?? NaN);
  return Number.isInteger(value) && value >= 0 ? Math.min(value, most) : fallback;
};

// Where this module is imported without a document (to use its arithmetic), there is
// no HTMLElement to extend.
const Base = globalThis.HTMLElement ?? class {};

export class TransposedConv1d extends Base {
  static observedAttributes = ["y", "w", "stride", "padding", "output-padding", "view"];

  #root; // the shadow root, once drawn
  #state;
  #preview = null; // what the mouse points at
  #waiting; // until the reader comes near
  #watching; // the width
  #width = 0;
  #print = () => this.#upgrade();

  connectedCallback() {
    if (this.#root) {
      this.#watching.observe(this.#root.querySelector(".picture"));
      return;
    }
    this.#waiting = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && this.#upgrade(),
      { rootMargin: "800px" },
    );
    this.#waiting.observe(this);
    addEventListener("beforeprint", this.#print);
  }

  disconnectedCallback() {
    this.#waiting?.disconnect();
    this.#watching?.disconnect();
    removeEventListener("beforeprint", this.#print);
  }

  attributeChangedCallback() {
    if (this.#root) this.#reset();
  }

  #upgrade() {
    this.#waiting.disconnect();
    removeEventListener("beforeprint", this.#print);
    if (this.#root) return;
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.innerHTML = TEMPLATE;
    this.#listen();
    const picture = this.#root.querySelector(".picture");
    this.#watching = new ResizeObserver(() => {
      const width = picture.clientWidth - 6; // less its padding
      if (width > 0 && width !== this.#width) {
        this.#width = width;
        this.#draw();
      }
    });
    this.#width = Math.max(picture.clientWidth - 6, 200);
    this.#reset();
    this.#watching.observe(picture);
  }

  #reset() {
    const stride = Math.max(1, whole(this.getAttribute("stride"), 2, 4));
    this.#state = {
      y: numbers(this.getAttribute("y"), [1, 2, 3]),
      w: numbers(this.getAttribute("w"), [1, 2, 3, 4]),
      stride,
      padding: whole(this.getAttribute("padding"), 0),
      outputPadding: whole(this.getAttribute("output-padding"), 0, stride - 1),
      view: viewOf(this.getAttribute("view")),
      chosen: null,
      note: "",
    };
    this.#fillEditors();
    this.#draw();
  }

  /** Everything the picture and the words are made from. */
  #model() {
    const { y, w, stride, padding, outputPadding, view } = this.#state;
    const options = { stride, padding, outputPadding };
    const length = outputLength(y.length, w.length, options);
    const model = { y, w, options, length, view };
    if (length < 1) return model;
    model.full = convTranspose1d(y, w, { stride, padding: 0, outputPadding });
    model.zeros = zeroInsertion(y, w, options);
    const perOutput = Array.from({ length }, (_, j) => contributions(j, y, w, options));
    // Each view shows what its own way of computing gives.
    model.outputs = {
      scatter: convTranspose1d(y, w, options),
      gather: perOutput.map((terms) => terms.reduce((sum, term) => sum + term.product, 0)),
      zeros: model.zeros.output,
    };
    const richest = perOutput.reduce(
      (best, terms, j) => (terms.length > perOutput[best].length ? j : best), 0,
    );
    this.#state.chosen ??= { kind: "z", index: richest };
    const within = ({ kind, index }) => ({
      kind, index: Math.min(index, (kind === "z" ? length : y.length) - 1),
    });
    model.chosen = within(this.#preview ?? this.#state.chosen);
    model.committed = within(this.#state.chosen);
    return model;
  }

  #draw() {
    const model = this.#model();
    const find = (selector) => this.#root.querySelector(selector);
    this.#drawControls(find);
    const possible = model.length >= 1;
    find(".picture").style.visibility = possible ? "" : "hidden";
    find(".picture svg").setAttribute("height", pictureHeight(model));
    find(".impossible").replaceChildren(...(possible ? [] : this.#apology(model)));
    const line = find(".line");
    // What the mouse passes over is shown; only what the reader chooses is announced.
    line.setAttribute("aria-live", this.#preview ? "off" : "polite");
    const formula = "(n − 1)·stride − 2·padding + k + output_padding";
    find(".size").replaceChildren(
      Object.assign(document.createElement("small"), { textContent: `Length of z = ${formula} = ` }),
      sizeTokens(model),
    );
    for (const caption of this.#root.querySelectorAll(".caption p")) {
      const { view } = caption.dataset;
      this.#write(caption, captions[view](model));
      caption.classList.toggle("spare", view !== model.view);
    }
    const { stride, padding, outputPadding } = model.options;
    find(".printed").textContent =
      `${VIEWS[model.view]}: stride ${stride}, padding ${padding}, ` +
      `output_padding ${outputPadding}, w = [${model.w.map(formatNumber).join(", ")}]`;
    if (!possible) {
      line.replaceChildren();
      return;
    }
    const explain = ({ kind, index }) =>
      kind === "z" ? explainOutput(index, model) : explainInput(index, model);
    this.#write(line, explain(model.chosen));
    // The longest line there can be keeps its room, so that choosing moves nothing.
    const all = [
      ...model.outputs.scatter.map((_value, j) => explainOutput(j, model)),
      ...model.y.map((_value, i) => explainInput(i, model)),
    ];
    this.#write(
      find(".line.spare"),
      all.reduce((a, b) => (wordsOf(b).length > wordsOf(a).length ? b : a)),
    );
    this.#paint(scene(model, this.#width), find);
  }

  #apology({ y, w, options, length }) {
    const { stride, padding } = options;
    const most = Math.floor((outputLength(y.length, w.length, { ...options, padding: 0 }) - 1) / 2);
    const sentences = [
      `No output: its length would be ${formatNumber(length)}, and it must be at least 1.`,
      `Padding crops ${padding} from each end. With these inputs, taps and stride ${stride} ` +
        `it can be at most ${most}.`,
    ];
    return sentences.map((textContent) =>
      Object.assign(document.createElement("p"), { textContent }),
    );
  }

  #write(element, tokens) {
    element.replaceChildren(
      ...tokens.map((token) => {
        if (typeof token === "string") return token;
        const [textContent, kind] = token;
        return Object.assign(document.createElement("span"), {
          className: `t ${kind}`, textContent,
        });
      }),
    );
  }

  #paint({ width, height, cells, choices, edges, labels, bands }, find) {
    const svg = find(".picture svg");
    svg.setAttribute("width", width);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    reconcile(find(".bands"), bands, () => svgNode("rect", { class: "band", rx: 8 }), (node, item) => {
      node.style.transform = `translate(${item.x}px, ${item.y}px)`;
      node.setAttribute("width", item.width);
      node.setAttribute("height", item.height);
    });
    reconcile(find(".edges"), edges, () => svgNode("path"), (node, item) => {
      node.setAttribute("class", `edge ${item.kind ?? ""} ${item.lit ? "lit" : ""}`);
      node.setAttribute("d", item.d);
    });
    reconcile(find(".labels"), labels, () => svgNode("text"), (node, item) => {
      const kinds = ["middle", "index"].filter((name) => item[name]).join(" ");
      node.setAttribute("class", `label ${kinds}`);
      node.setAttribute("x", item.x);
      node.setAttribute("y", item.y);
      node.textContent = item.text;
    });
    reconcile(find(".cells"), cells, makeCell, updateCell);
    reconcile(find(".choices"), choices, makeCell, updateCell);
    // On a phone the picture scrolls: what is chosen comes into view.
    const picture = find(".picture");
    const chosen = choices.find(({ checked }) => checked);
    const hidden = chosen && chosen.x + chosen.width - picture.clientWidth - picture.scrollLeft;
    if (chosen && !this.#preview && (hidden > 0 || chosen.x < picture.scrollLeft)) {
      picture.scrollLeft = chosen.x - (picture.clientWidth - chosen.width) / 2;
    }
  }

  #drawControls(find) {
    const { stride, padding, outputPadding, view, note } = this.#state;
    const check = (name, value) => {
      find(`input[name="${name}"][value="${value}"]`).checked = true;
    };
    check("stride", stride);
    check("output-padding", outputPadding);
    check("view", view);
    const field = find('input[name="padding"]');
    if (field !== this.#root.activeElement || field.value !== "") field.value = padding;
    find('[data-step="-1"]').disabled = padding === 0;
    for (const input of this.#root.querySelectorAll('input[name="output-padding"]')) {
      input.disabled = Number(input.value) >= stride;
    }
    const rule = stride === 1 ? "must be below the stride: only 0" : `must be below the stride, ${stride}`;
    const why = note || (stride === 4 ? "" : rule);
    if (find("#why").textContent !== why) find("#why").textContent = why;
  }

  /** The number fields for y and w, made again only when their number changes. */
  #fillEditors() {
    for (const [selector, name, noun] of [
      [".inputs .row", "y", "input"],
      [".taps .row", "w", "tap"],
    ]) {
      const row = this.#root.querySelector(selector);
      const values = this.#state[name];
      const fields = values.map((value, at) => {
        const field = document.createElement("input");
        Object.assign(field, { type: "number", step: "any", min: -999, max: 999, required: true });
        field.title = "a number from −999 to 999";
        field.setAttribute("aria-label", `${name}[${at}]`);
        field.dataset.list = name;
        field.dataset.at = at;
        field.value = value;
        return field;
      });
      const button = (label, textContent, change, disabled) => {
        const node = document.createElement("button");
        Object.assign(node, { type: "button", textContent, disabled });
        node.setAttribute("aria-label", label);
        node.dataset.list = name;
        node.dataset.change = change;
        return node;
      };
      row.replaceChildren(
        ...fields,
        button(`Remove the last ${noun}`, "−", -1, values.length === 1),
        button(`Add ${noun === "input" ? "an" : "a"} ${noun}`, "+", 1, values.length >= MOST),
      );
    }
  }

  #listen() {
    const root = this.#root;
    root.addEventListener("input", ({ target }) => {
      const state = this.#state;
      state.note = "";
      if (target.dataset.list) {
        if (target.validity.valid) state[target.dataset.list][target.dataset.at] = Number(target.value);
      } else if (target.name === "padding") {
        state.padding = whole(target.value || undefined, state.padding);
      } else if (target.name === "view") {
        state.view = target.value;
      } else if (target.name === "stride") {
        state.stride = Number(target.value);
        if (state.outputPadding >= state.stride) {
          state.outputPadding = state.stride - 1;
          state.note = `set back to ${state.outputPadding}: must be below the stride`;
        }
      } else if (target.name === "output-padding") {
        state.outputPadding = Number(target.value);
      }
      this.#draw();
    });
    // A field left empty or out of range goes back to the number in the picture.
    root.addEventListener("focusout", ({ target }) => {
      if (target.dataset?.list && target.matches("input")) {
        target.value = this.#state[target.dataset.list][target.dataset.at];
      } else if (target.name === "padding") {
        target.value = this.#state.padding;
      }
    });
    root.addEventListener("click", ({ target }) => {
      const cell = target.closest("[data-select]");
      if (cell) {
        this.#choose(cell.dataset.select);
        return;
      }
      const button = target.closest("button");
      if (!button) return;
      const { list, change, step } = button.dataset;
      if (button.matches(".reset")) {
        this.#reset();
      } else if (step) {
        this.#state.padding = Math.max(0, Math.min(99, this.#state.padding + Number(step)));
        this.#draw();
        // A button that switches itself off must not drop the keyboard's place.
        if (button.disabled) root.querySelector('input[name="padding"]').focus();
      } else if (list) {
        const values = this.#state[list];
        if (change === "1") values.push(1);
        else values.pop();
        this.#fillEditors();
        this.#draw();
        const again = root.querySelector(`button[data-list="${list}"][data-change="${change}"]`);
        (again.disabled ? again.parentElement.querySelector("input") : again).focus();
      }
    });
    const svg = root.querySelector(".picture svg");
    svg.addEventListener("keydown", (event) => this.#steer(event));
    svg.addEventListener("pointerover", ({ target, pointerType }) => {
      if (pointerType !== "mouse") return;
      const select = target.closest("[data-select]")?.dataset.select;
      if (select) this.#show(select);
    });
    svg.addEventListener("pointerleave", () => this.#show(null));
  }

  #show(select) {
    const parsed = select && { kind: select[0], index: Number(select.slice(1)) };
    if (parsed?.kind === this.#preview?.kind && parsed?.index === this.#preview?.index) return;
    this.#preview = parsed;
    this.#draw();
  }

  #choose(select) {
    this.#preview = null;
    this.#state.chosen = { kind: select[0], index: Number(select.slice(1)) };
    this.#draw();
    this.#root.querySelector(`.choices [data-select="${select}"]`).focus();
  }

  /** Arrow keys: along the row, and across to the nearest cell of the other row. */
  #steer(event) {
    const model = this.#model();
    const { kind, index } = model.committed;
    const { stride, padding } = model.options;
    const last = (kind === "z" ? model.length : model.y.length) - 1;
    const move = (to, row = kind) => {
      const end = (row === "z" ? model.length : model.y.length) - 1;
      return `${row}${Math.max(0, Math.min(end, to))}`;
    };
    const moves = {
      ArrowLeft: () => move(index - 1),
      ArrowRight: () => move(index + 1),
      Home: () => move(0),
      End: () => move(last),
      ArrowUp: () => (kind === "z" ? move(Math.round((index + padding) / stride), "y") : move(index)),
      ArrowDown: () => (kind === "y" ? move(index * stride - padding, "z") : move(index)),
    };
    if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#choose(moves[event.key]());
  }
}

if (globalThis.customElements && !customElements.get("ubh-transposed-conv-1d")) {
  customElements.define("ubh-transposed-conv-1d", TransposedConv1d);
}
