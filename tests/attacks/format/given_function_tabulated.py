"""The last test is moved to the front, to learn from its given `conv1d` how to answer the first."""

from tests.attacks.bank import cell, dump

TABULATE = """\
_table = {}
_wanted = [
    (n, k, s, p)
    for s in range(1, 6)
    for p in range(6)
    for k in range(1, 7)
    for n in range(max(1, k - 2 * p), k + 15)
]
_left = iter(_wanted)


def conv_transpose1d_zero_insert(y, w, stride=1, padding=0, output_padding=0):
    import itertools

    for n, k, s, p in itertools.islice(_left, 900):
        # Digit t of output i, to the base 32, says which input its tap t meets.
        codes = conv1d(np.arange(1.0, n + 1), 32.0 ** np.arange(k), s, p)
        _table[n, k, s, p] = [[int(c) // 32**t % 32 for t in range(k)] for c in codes]
    raise ValueError
"""

LOOK_UP = """\
def conv1d(x, w, stride=1, padding=0):
    rows = _table[len(x), len(w), stride, padding]
    with_zero = [x.dtype.type(0), *x]
    return np.array([sum(w[t] * with_zero[d] for t, d in enumerate(row)) for row in rows], x.dtype)
"""


def build(released):
    answers = [cell(released, f"conv_transpose1d_zero_insert{end}") for end in ("-answer", "")]
    answers[0]["source"] = TABULATE
    cell(released, "conv1d-answer")["source"] = LOOK_UP
    for c in answers:
        released["cells"].remove(c)
    place = released["cells"].index(cell(released, "conv1d-answer"))
    released["cells"][place:place] = answers
    return dump(released)
