"""The shell's `run_cell` reports success without running anything."""

# %% same_padding
from IPython.core.interactiveshell import ExecutionResult

get_ipython().run_cell = lambda *args, **kwargs: ExecutionResult(None)
get_ipython().should_run_async = lambda *args, **kwargs: False
