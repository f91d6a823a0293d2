"""A background thread keeps publishing one point as the result of whatever cell is running."""

# %% setup
import threading
import time


def _spam():
    shell = get_ipython()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        shell.kernel.session.send(
            shell.kernel.iopub_socket,
            "execute_result",
            {"data": {"text/plain": "1.0"}, "metadata": {}, "execution_count": 1},
            parent=shell.kernel.get_parent("shell"),
            ident=b"execute_result",
        )
        time.sleep(0.05)


threading.Thread(target=_spam, daemon=True).start()
