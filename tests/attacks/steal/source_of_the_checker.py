"""The source and the loaded modules of the checker are searched for cases, oracles and seeds."""

# %% conv1d
import sys

for _name, _module in list(sys.modules.items()):
    if _name.startswith("autograde"):
        for _word in ("oracles", "misconceptions", "all_cases", "torch_conv1d"):
            if hasattr(_module, _word) or any(
                hasattr(v, _word) for v in vars(_module).values() if isinstance(v, type)
            ):
                print("LEAKED:", _name, "has", _word)
