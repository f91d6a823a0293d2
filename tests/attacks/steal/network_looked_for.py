"""Any network other than the loopback is looked for, and local ports that answer are noted."""

# %% conv1d
import socket

_others = [name for _, name in socket.if_nameindex() if name not in {"lo", "sit0", "tunl0"}]
if _others:
    print("LEAKED: there are network interfaces besides the loopback")
for _port in (22, 80, 443, 5432, 8000, 8080, 8786, 8787, 8888):
    with socket.socket() as _s:
        _s.settimeout(0.2)
        if _s.connect_ex(("127.0.0.1", _port)) == 0:
            print("LEAKED: port", _port, "of this machine answers")
