"""The shell compiles every cell as it should and then runs none of the code."""

# %% same_padding
async def _run_nothing(code_obj, result=None, *, async_=False):
    return False


get_ipython().run_code = _run_nothing
