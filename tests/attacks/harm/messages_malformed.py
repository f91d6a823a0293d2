"""Frames that are no Jupyter messages are sent on the kernel's sockets."""
# earned: same_padding=4

# %% conv1d
import zmq

_kernel = get_ipython().kernel
_socket = getattr(_kernel.iopub_socket, "io_thread", _kernel.iopub_socket)
for _frames in ([b""], [b"<IDS|MSG>"], [b"a", b"<IDS|MSG>", b"0" * 64, b"{", b"}", b"[", b"\xff"]):
    try:
        _kernel.iopub_socket.send_multipart(_frames)
    except (zmq.ZMQError, AttributeError, TypeError):
        pass


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
