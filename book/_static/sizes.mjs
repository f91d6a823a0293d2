// Sizes of a convolution and of the transposed convolution that leads back, as a figure
// to play with.
//
//   <ubh-sizes n="50" k="3" s="2" p="1" d="1" output-padding="0" direction="there">
//     What is shown without scripts.
//   </ubh-sizes>
//
// n is the size on the large side, m the one on the small side. With direction="there" the
// reader sets n, a convolution takes it to m, and back. With direction="back" the reader
// sets m (attribute m), and the transposed convolution comes first.

// ---------------------------------------------------------------- arithmetic

/** How many places a kernel of k taps, d apart, reaches over. */
export const reach = ({ k, d = 1 }) => d * (k - 1) + 1;

/** ⌊(n + 2p − K)/s⌋ + 1. Below 1 no window fits. */
export const convSize = (n, { k, s = 1, p = 0, d = 1 }) =>
  Math.floor((n + 2 * p - reach({ k, d })) / s) + 1;

/** (m − 1)·s − 2p + K + output_padding. Below 1 there is no output. */
export const transposedSize = (m, { k, s = 1, p = 0, d = 1, extra = 0 }) =>
  (m - 1) * s - 2 * p + reach({ k, d }) + extra;

/** The sizes from 1 up that the convolution takes to m, ascending. */
export function sizesFor(m, options) {
  const base = transposedSize(m, { ...options, extra: 0 });
  return Array.from({ length: options.s ?? 1 }, (_, extra) => base + extra).filter((n) => n >= 1);
}

/** What TensorFlow makes of n, and the smallest and largest size it leads m back to. */
export const tensorflow = {
  there: {
    SAME: (n, { s = 1 }) => Math.ceil(n / s),
    VALID: (n, options) => convSize(n, { ...options, p: 0 }),
  },
  back: {
    SAME: (m, { s = 1 }) => [(m - 1) * s + 1, m * s],
    VALID(m, options) {
      const base = transposedSize(m, { ...options, p: 0, extra: 0 });
      return [base, base + (options.s ?? 1) - 1];
    },
  },
};

// ---------------------------------------------------------------------- words

const minus = (value) => String(value).replace("-", "−");

// A line is a list of tokens: plain text, or [text, what it names].
const large = (value) => [minus(value), "input"];
const small = (value) => [minus(value), "output"];
const tap = (value) => [minus(value), "kernel"];

const CONVOLUTION = "m = ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1";
const TRANSPOSED = "n = (m − 1)·s − 2p + d(k − 1) + 1 + output_padding";

function convolutionLine(n, { k, s, p, d }) {
  const top = n + 2 * p - reach({ k, d });
  return [
    "m = ⌊(", large(n), ` + 2·${p} − ${d}·(`, tap(k), ` − 1) − 1) / ${s}⌋ + 1 = ⌊${minus(top)}/${s}⌋ + 1 =\u00a0`,
    small(convSize(n, { k, s, p, d })),
  ];
}

const transposedLine = (m, options) => {
  const { k, s, p, d, extra } = options;
  return [
    "n = (", small(m), ` − 1)·${s} − 2·${p} + ${d}·(`, tap(k), ` − 1) + 1 + ${extra} =\u00a0`,
    large(transposedSize(m, options)),
  ];
};

function verdictThere(n, back, options) {
  const base = back - options.extra;
  const wanted = n - base;
  const cure = `output_padding ${wanted} brings ${n} back.`;
  if (back === n) return `Back at ${n}.`;
  if (back < 1) return `A result of ${minus(back)} places is refused. ${cure}`;
  const off = Math.abs(back - n);
  return `${off} ${back < n ? "short of" : "more than"} ${n}. ${cure}`;
}

function verdictBack(n, m, again) {
  if (again === m) return `The convolution takes ${n} to ${m} again.`;
  return `The convolution takes ${n} to ${again}, not to ${m}: output_padding is not below the stride.`;
}

function tensorflowLine(state, m) {
  const { there, back } = tensorflow;
  const words = ["SAME", "VALID"].map((padding) => {
    const own = state.direction === "there" ? there[padding](state.n, state) : m;
    if (own < 1) return `${padding}: no window fits`;
    const [first, last] = back[padding](own, state);
    const sizes = first === last ? `${first}` : `${first} to ${last}`;
    return `${padding}: ${state.direction === "there" ? `m\u00a0=\u00a0${own}, and back ` : ""}n\u00a0=\u00a0${sizes}`;
  });
  return `TensorFlow, with the same k, s and d. ${words.join("; ")}.`;
}

// -------------------------------------------------------------------- element

const FIELDS = {
  n: { most: 4096, slider: 64, least: 1, name: "size on the large side" },
  m: { most: 4096, slider: 64, least: 1, name: "size on the small side" },
  k: { most: 256, slider: 16, least: 1, name: "kernel" },
  s: { most: 64, slider: 8, least: 1, name: "stride" },
  p: { most: 256, slider: 16, least: 0, name: "padding" },
  d: { most: 16, slider: 4, least: 1, name: "dilation" },
  extra: { most: 63, slider: 1, least: 0, name: "output_padding" },
};
const LETTER = (key) => (key === "extra" ? "" : `${key}, `);

const STYLE = `
:host {
  --input: var(--ubh-input, #0072B2);
  --kernel: var(--ubh-kernel, #D55E00);
  --output: var(--ubh-output, #009E73);
  --text: var(--ubh-ink, #1F2933);
  --muted: var(--ubh-muted, #586470);
  --surface: var(--ubh-surface, #FFFFFF);
  --accent: color-mix(in srgb, #B0509A 70%, var(--text));
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
.figure { border: 1px solid var(--line); border-radius: 10px; background: var(--surface); padding: 1rem; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
p { margin: 0; }
input, button { font: inherit; color: var(--text); margin: 0; }
button, input[type="number"] {
  background: var(--surface); border: 1px solid var(--line); border-radius: 6px; height: 34px;
}
button { padding: 0 0.625rem; cursor: pointer; }
button:hover { border-color: var(--muted); }
:is(input, button):focus-visible, .segments input:focus-visible + span {
  outline: 3px solid var(--accent); outline-offset: 2px;
}
.bar {
  display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.5rem;
  padding-bottom: 0.875rem; margin-bottom: 0.875rem; border-bottom: 1px solid var(--line);
}
.segments { display: inline-flex; }
.segments label { position: relative; display: block; }
.segments input { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; cursor: pointer; }
.segments span {
  display: block; padding: 0 0.75rem; height: 34px; line-height: 32px; text-align: center;
  border: 1px solid var(--line); margin-left: -1px;
}
.segments label:first-child span { border-radius: 6px 0 0 6px; margin-left: 0; }
.segments label:last-child span { border-radius: 0 6px 6px 0; }
.segments input:checked + span {
  background: color-mix(in srgb, var(--accent) 16%, var(--surface)); border-color: var(--accent);
  box-shadow: inset 0 0 0 1px var(--accent); font-weight: 600; position: relative; pointer-events: none;
}
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 0.5rem 1.75rem; }
.field { display: grid; grid-template-columns: 8rem minmax(0, 1fr) 4rem; gap: 0.625rem; align-items: center; }
.field[hidden] { display: none; }
.field > span { font-size: 0.8125rem; color: var(--muted); line-height: 1.25; }
.field b { color: var(--text); font-size: 0.9375rem; }
[data-field="extra"] b { font-size: 0.875rem; white-space: nowrap; }
input[type="range"] { width: 100%; min-width: 0; accent-color: var(--accent); height: 34px; cursor: pointer; }
input[type="number"] { width: 100%; padding: 0 4px; text-align: center; appearance: textfield; }
input::-webkit-inner-spin-button { appearance: none; margin: 0; }
input:invalid { border-style: dashed; }
.why { font-size: 0.8125rem; color: var(--muted); min-height: 1.5em; margin-top: 0.25rem; }
.results { margin-top: 0.5rem; padding-top: 0.875rem; border-top: 1px solid var(--line); }
.step { margin-bottom: 0.75rem; }
.step b { display: block; }
.step .formula { color: var(--muted); font-size: 0.875rem; }
.verdict { padding-left: 0.75rem; border-left: 4px solid var(--accent); min-height: 1.5em; }
.t { border-bottom: 2px solid; padding-bottom: 1px; white-space: nowrap; font-weight: 600; }
.t.input { border-color: var(--input); }
.t.kernel { border-color: var(--kernel); }
.t.output { border-color: var(--output); }
.shared { margin-top: 1rem; font-size: 0.8125rem; color: var(--muted); }
.groups { display: flex; flex-wrap: wrap; gap: 0.875rem 1.25rem; margin-top: 0.375rem; }
.group { display: flex; flex-direction: column; gap: 5px; min-width: 0; }
.sizes { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; }
.sizes span { color: var(--muted); padding: 0 2px; }
.size {
  min-width: 40px; height: 38px; padding: 0 6px; border: 2px solid var(--input); border-radius: 2px;
  background: color-mix(in srgb, var(--input) 14%, var(--surface));
}
.size[aria-checked="true"] {
  background: color-mix(in srgb, var(--input) 34%, var(--surface)); font-weight: 700;
  box-shadow: 0 0 0 2px var(--surface), 0 0 0 4px var(--accent);
}
.small {
  border: 2px solid var(--output); border-radius: 19px; height: 34px; line-height: 30px; text-align: center;
  background: color-mix(in srgb, var(--output) 14%, var(--surface)); padding: 0 0.75rem;
}
.group.chosen .small { background: color-mix(in srgb, var(--output) 34%, var(--surface)); font-weight: 700; }
.tensorflow { margin-top: 1rem; padding-top: 0.75rem; border-top: 1px solid var(--line); font-size: 0.875rem; }
[hidden] { display: none !important; }
@media (max-width: 480px) {
  .figure { padding: 0.75rem 0.625rem; }
  .bar { font-size: 0.8125rem; }
  .segments span, .bar button { padding: 0 0.5rem; }
  .field { grid-template-columns: 8rem minmax(0, 1fr) 3.75rem; }
}
@media (forced-colors: active) {
  .segments input:checked + span, .size[aria-checked="true"] { outline: 2px solid Highlight; }
}
@media print {
  :host {
    --input: #0072B2; --kernel: #D55E00; --output: #009E73; --text: #000; --muted: #444;
    --surface: #fff; --line: #ccc; --accent: #84447B; break-inside: avoid; print-color-adjust: exact;
  }
  input[type="range"], .bar button { display: none; }
}
`;

const field = (key, { name, least }) => `
<div class="field" data-field="${key}">
  <span><b>${key === "extra" ? name : key}</b>${key === "extra" ? "" : ` ${name}`}</span>
  <input type="range" data-key="${key}" min="${least}" aria-label="${LETTER(key)}${name}, slider">
  <input type="number" data-key="${key}" min="${least}" required aria-label="${LETTER(key)}${name}">
</div>`;

const step = (name, title, formula) => `
<div class="step" data-step="${name}"><b>${title}</b>
  <p class="formula">${formula}</p><p class="line"></p></div>`;

const TEMPLATE = `
<style>${STYLE}</style>
<div class="figure" role="group" aria-label="Interactive figure: sizes there and back">
  <div class="bar">
    <fieldset role="radiogroup" aria-label="Which comes first"><div class="segments">
      <label><input type="radio" name="direction" value="there"><span>There and back</span></label>
      <label><input type="radio" name="direction" value="back"><span>Transposed first</span></label>
    </div></fieldset>
    <button type="button" class="reset">Reset</button>
  </div>
  <div class="fields">${Object.entries(FIELDS).map(([key, about]) => field(key, about)).join("")}</div>
  <p class="why" aria-live="polite"></p>
  <div class="results">
    <div class="steps">
      ${step("convolution", "Convolution, from n to m", CONVOLUTION)}
      ${step("transposed", "Transposed convolution, from m to n", TRANSPOSED)}
    </div>
    <p class="verdict" role="status"></p>
    <div class="sharing">
      <p class="shared">Sizes n (squares) that the convolution takes to the same m (below them). Select one.</p>
      <div class="groups" role="radiogroup" aria-label="Size n, with the arrow keys"></div>
    </div>
    <p class="tensorflow"></p>
  </div>
</div>`;

const whole = (text, fallback) => {
  const value = Number(text ?? NaN);
  return text !== "" && Number.isInteger(value) ? value : fallback;
};

// Where this module is imported without a document (to use its arithmetic), there is
// no HTMLElement to extend.
const Base = globalThis.HTMLElement ?? class {};

export class Sizes extends Base {
  static observedAttributes = ["n", "m", "k", "s", "p", "d", "output-padding", "direction"];

  #root; // the shadow root, once drawn
  #state;

  connectedCallback() {
    if (this.#root) return;
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.innerHTML = TEMPLATE;
    this.#listen();
    this.#reset();
  }

  attributeChangedCallback() {
    if (this.#root) this.#reset();
  }

  #reset() {
    const defaults = { n: 50, m: 25, k: 3, s: 2, p: 1, d: 1, extra: 0 };
    this.#state = { direction: this.getAttribute("direction") === "back" ? "back" : "there", note: "" };
    for (const [key, fallback] of Object.entries(defaults)) {
      const { least, most } = FIELDS[key];
      const given = whole(this.getAttribute(key === "extra" ? "output-padding" : key), fallback);
      this.#state[key] = Math.max(least, Math.min(most, given));
    }
    this.#limitExtra();
    this.#draw();
  }

  /** PyTorch refuses an output padding that is neither below the stride nor below the dilation. */
  #limitExtra() {
    const state = this.#state;
    const most = Math.max(state.s, state.d) - 1;
    if (state.extra <= most) return;
    state.extra = most;
    state.note = `output_padding set back to ${most}: it must be below the stride or the dilation.`;
  }

  #draw() {
    const state = this.#state;
    const find = (selector) => this.#root.querySelector(selector);
    const there = state.direction === "there";
    this.#drawFields(find, there);
    const m = there ? convSize(state.n, state) : state.m;
    const fits = m >= 1;
    const back = transposedSize(m, state);
    // The size of which the squares are drawn: the reader's own, or what came out.
    const size = there ? state.n : back;
    const possible = fits && size >= 1;
    find(".steps").hidden = find(".sharing").hidden = find(".tensorflow").hidden = !possible;
    const verdict = find(".verdict");
    if (!possible) {
      verdict.textContent = there
        ? `No window fits: it reaches over ${reach(state)} places, and the padded input has ` +
          `${state.n + 2 * state.p}.`
        : `The result would have ${minus(back)} places, and it must have at least 1. ` +
          `The padding crops ${state.p} at each end.`;
      return;
    }
    const again = convSize(size, state);
    const lines = {
      convolution: convolutionLine(size, state),
      transposed: transposedLine(m, state),
    };
    for (const [name, tokens] of Object.entries(lines)) this.#write(find(`[data-step="${name}"] .line`), tokens);
    // What is computed first stands first.
    find(".steps").append(find(`[data-step="${there ? "transposed" : "convolution"}"]`));
    verdict.textContent = there ? verdictThere(state.n, back, state) : verdictBack(back, m, again);
    this.#drawGroups(find(".groups"), again, size);
    find(".tensorflow").textContent = tensorflowLine(state, m);
  }

  #drawFields(find, there) {
    const state = this.#state;
    find(`input[name="direction"][value="${state.direction}"]`).checked = true;
    find('[data-field="n"]').hidden = !there;
    find('[data-field="m"]').hidden = there;
    for (const [key, { most, slider }] of Object.entries(FIELDS)) {
      const highest = key === "extra" ? Math.max(state.s, state.d) - 1 : most;
      const [range, number] = this.#root.querySelectorAll(`input[data-key="${key}"]`);
      number.max = highest;
      range.max = key === "extra" ? highest : Math.min(slider, highest);
      range.value = state[key];
      if (number !== this.#root.activeElement || number.value !== "") number.value = state[key];
    }
    const rule = `output_padding must be below the stride or the dilation: at most ${Math.max(state.s, state.d) - 1}.`;
    const why = find(".why");
    if (why.textContent !== (state.note || rule)) why.textContent = state.note || rule;
  }

  #drawGroups(groups, middle, chosen) {
    const held = groups.contains(this.#root.activeElement);
    groups.replaceChildren(
      ...[middle - 1, middle, middle + 1].flatMap((m) => {
        const sizes = m >= 1 ? sizesFor(m, this.#state) : [];
        return sizes.length ? [this.#group(m, sizes, chosen)] : [];
      }),
    );
    if (held) groups.querySelector('[aria-checked="true"]').focus();
  }

  #group(m, sizes, chosen) {
    const node = (name, properties) => Object.assign(document.createElement(name), properties);
    const group = node("div", { className: sizes.includes(chosen) ? "group chosen" : "group" });
    const row = node("div", { className: "sizes" });
    // Of many, the ends and the neighbours of the chosen one.
    const kept = sizes.filter(
      (n, at) => sizes.length <= 8 || at === 0 || at === sizes.length - 1 || Math.abs(n - chosen) <= 1,
    );
    kept.forEach((n, at) => {
      if (at && kept[at - 1] !== n - 1) row.append(node("span", { textContent: "…", ariaHidden: "true" }));
      const button = node("button", { type: "button", className: "size", textContent: n });
      button.dataset.size = n;
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", n === chosen);
      button.setAttribute("aria-label", `n = ${n} gives m = ${m}`);
      button.tabIndex = n === chosen ? 0 : -1;
      row.append(button);
    });
    group.append(row, node("div", { className: "small", textContent: `m = ${m}`, ariaHidden: "true" }));
    return group;
  }

  #write(element, tokens) {
    element.replaceChildren(
      ...tokens.map((token) => {
        if (typeof token === "string") return token;
        const [textContent, kind] = token;
        return Object.assign(document.createElement("span"), { className: `t ${kind}`, textContent });
      }),
    );
  }

  #listen() {
    const root = this.#root;
    root.addEventListener("input", ({ target }) => {
      const state = this.#state;
      state.note = "";
      if (target.name === "direction") {
        // The other way starts from where this one ended.
        if (target.value === "back") state.m = Math.max(1, convSize(state.n, state));
        else state.n = Math.max(1, transposedSize(state.m, state));
        state.direction = target.value;
      } else if (target.validity.valid) {
        state[target.dataset.key] = Number(target.value);
        this.#limitExtra();
      }
      this.#draw();
    });
    // A field left empty or out of range goes back to the number that counts.
    root.addEventListener("focusout", ({ target }) => {
      if (target.type === "number") target.value = this.#state[target.dataset.key];
    });
    root.addEventListener("click", ({ target }) => {
      if (target.closest(".reset")) this.#reset();
      const size = target.closest("[data-size]")?.dataset.size;
      if (size) this.#choose(Number(size));
    });
    root.querySelector(".groups").addEventListener("keydown", (event) => {
      const size = Number(event.target.closest("[data-size]")?.dataset.size);
      const shown = [...root.querySelectorAll("[data-size]")].map((node) => Number(node.dataset.size));
      const moves = {
        ArrowLeft: Math.max(1, size - 1), ArrowUp: Math.max(1, size - 1),
        ArrowRight: size + 1, ArrowDown: size + 1, Home: shown[0], End: shown.at(-1),
      };
      if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.#choose(moves[event.key]);
    });
  }

  #choose(size) {
    const state = this.#state;
    state.note = "";
    if (state.direction === "there") {
      if (convSize(size, state) < 1) return;
      state.n = Math.min(size, FIELDS.n.most);
    } else {
      const m = convSize(size, state);
      if (m < 1) return;
      state.m = Math.min(m, FIELDS.m.most);
      state.extra = size - transposedSize(m, { ...state, extra: 0 });
    }
    this.#draw();
    this.#root.querySelector('.size[aria-checked="true"]').focus();
  }
}

if (globalThis.customElements && !customElements.get("ubh-sizes")) {
  customElements.define("ubh-sizes", Sizes);
}
