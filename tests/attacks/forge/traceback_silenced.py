"""The shell's `showtraceback` shows nothing, and every test cell ends in an error at once."""

# %% setup
def _refuse(name):
    raise SystemError("nothing to see")


check = _refuse
get_ipython().showtraceback = lambda *args, **kwargs: None
get_ipython().showsyntaxerror = lambda *args, **kwargs: None
