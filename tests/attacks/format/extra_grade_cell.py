"""An extra test cell of the submission's own is worth 1000 points."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["cells"].append(
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "bonus",
            "metadata": {
                "nbgrader": {
                    "cell_type": "code",
                    "grade": True,
                    "grade_id": "bonus",
                    "locked": True,
                    "points": 1000,
                    "schema_version": 3,
                    "solution": False,
                    "task": False,
                }
            },
            "outputs": [],
            "source": "1000.0",
        }
    )
    return dump(released)
