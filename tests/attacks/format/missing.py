"""The folder was handed in with no notebook in it."""


def build(released):
    return None
