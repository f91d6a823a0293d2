"""The file is the web page of the notebook, saved under its name."""


def build(released):
    return b"<!DOCTYPE html>\n<html><head><title>ps03</title></head><body>Sign in</body></html>\n"
