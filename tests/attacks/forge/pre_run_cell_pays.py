"""A `pre_run_cell` callback publishes one point through the display hook before each cell."""

# %% setup
def _pay(info=None):
    get_ipython().displayhook(1.0)


get_ipython().events.register("pre_run_cell", _pay)
