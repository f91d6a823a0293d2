"""A thread lets its own cell be and prints without end while the next cells run."""
# earned: same_padding=4

# %% conv1d
import sys
import threading
import time


def _print():
    time.sleep(0.05)
    while True:
        sys.__stdout__.write("x" * 10_000 + "\n")
        print("y" * 10_000, flush=True)


threading.Thread(target=_print, daemon=True).start()


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
