"""The file is the Python text of the notebook, saved under the notebook's name."""


def build(released):
    return "\n\n".join(c["source"] for c in released["cells"] if c["cell_type"] == "code").encode()
