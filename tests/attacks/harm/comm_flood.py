"""Ten thousand comms are opened and messages of every kind sent that no cell has asked for."""
# earned: same_padding=4

# %% conv1d
from uuid import uuid4

_kernel = get_ipython().kernel
for _ in range(10_000):
    _kernel.session.send(
        _kernel.iopub_socket,
        "comm_open",
        {"comm_id": uuid4().hex, "target_name": "jupyter.widget", "data": {"x" * 100: 1}},
    )
_kernel.session.send(_kernel.iopub_socket, "status", {"execution_state": "starting"})
_kernel.session.send(_kernel.iopub_socket, "no_such_message", {"a": None})


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
