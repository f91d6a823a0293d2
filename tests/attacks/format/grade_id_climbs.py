"""Grade_ids and cell ids are paths out of the folder, formulas and pieces of SQL and HTML."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    names = {
        "conv1d-answer": "../../../../gradebook.db",
        "conv1d_matrix-answer": "'; DROP TABLE grade; --",
        "conv_transpose1d_scatter-answer": "<script>alert(1)</script>",
        "conv_transpose1d_zero_insert-answer": "=cmd()|x",
    }
    for old, new in names.items():
        cell(released, old)["metadata"]["nbgrader"]["grade_id"] = new
    return dump(released)
