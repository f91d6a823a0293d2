"""`callable`, `isinstance` and `len` are replaced, so that code which relies on them is misled."""

# %% setup
import builtins

_isinstance, _len = builtins.isinstance, builtins.len
builtins.callable = lambda thing: False
builtins.isinstance = lambda thing, kind: True if kind is float else _isinstance(thing, kind)
builtins.len = lambda thing: 0 if type(thing).__name__ == "Outcome" else _len(thing)
