"""Named sockets of services on this machine, such as Docker's and D-Bus', are connected to."""

# %% conv1d
import os
import socket

for _path in (
    "/var/run/docker.sock",
    "/run/dbus/system_bus_socket",
    "/run/containerd/containerd.sock",
    "/run/systemd/private",
    "/var/run/postgresql/.s.PGSQL.5432",
):
    if os.path.exists(_path):
        with socket.socket(socket.AF_UNIX) as _s:
            _s.settimeout(0.2)
            if _s.connect_ex(_path) == 0:
                print("LEAKED:", os.path.basename(_path), "answers")
