"""A cell slipped in before the first test rebinds what the test cells will call."""

from tests.attacks.bank import cell, dump


def build(released):
    place = released["cells"].index(cell(released, "conv1d"))
    released["cells"].insert(
        place,
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "slipped-in",
            "metadata": {},
            "outputs": [],
            "source": (
                "import autograde.notebook\nautograde.notebook.grade = lambda name: None\n"
                "check = lambda name: None"
            ),
        },
    )
    return dump(released)
