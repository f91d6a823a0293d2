"""What the file system of a sandbox shows: an interpreter's own files, the libraries, our stub.

Everything is where it is outside, so that what the zygote imports in there can be found again.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

from autograde import apart

HERE = Path(__file__).parent
STUB = "/sandbox/stub"
"""The folder from which a sandbox imports `autograde`."""
SCRATCH = "/sandbox/scratch"
"""The folder that a sandbox may write to. /tmp leads there, unless libraries lie below that."""
BESIDE = ("site-packages", "dist-packages")
"""Folders of packages in the standard library's own."""
UNNEEDED = {"debugpy"}
"""Distributions that one of the libraries asks for and works without."""


def stub() -> dict[str, str]:
    """Return the `autograde` that a notebook in a sandbox imports: texts by relative path."""
    sources = {
        "notebook.py": HERE / "inside.py",
        "wire.py": HERE / "wire.py",
        "apart.py": HERE.parent / "apart.py",
        "calling.py": HERE.parent / "calling.py",
        "watched.py": HERE.parent / "watched.py",
        "layout.py": HERE.parent / "layout.py",
    }
    texts = {f"autograde/{name}": path.read_text("utf-8") for name, path in sources.items()}
    return {"autograde/__init__.py": '"""What a graded notebook may import."""\n', **texts}


def site_packages() -> Path:
    """Return the folder that the libraries are installed in."""
    return Path(sysconfig.get_path("purelib"))


def search_path(libraries: Iterable[str]) -> list[str]:
    """Return the folders to import `libraries` from."""
    return [str(site_packages()), *([str(apart.FOLDER)] if _from_apart(libraries) else [])]


def _from_apart(libraries: Iterable[str]) -> bool:
    """Return whether Triton is among the libraries and lies apart."""
    return "triton" in libraries and not (site_packages() / "triton").exists()


def steps(libraries: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return what `sandbox.settle` takes: the file system for these distributions.

    Raises `RuntimeError` if one of them, or of those that they need, is not installed.
    """
    stdlib, site = Path(sysconfig.get_path("stdlib")), site_packages()
    libraries = list(libraries)
    done = [("file", f"{STUB}/{path}", text) for path, text in stub().items()]
    done.append(_bind(stdlib))
    done += [("empty", str(stdlib / name), "") for name in BESIDE if (stdlib / name).is_dir()]
    if site.parent != stdlib:
        done.append(("empty", str(site), ""))
    if _from_apart(libraries):
        if not apart.FOLDER.exists():
            raise RuntimeError("triton is not installed. Run: make env")
        libraries.remove("triton")
        done.append(_bind(apart.FOLDER))
    done += [_bind(site / name) for name in _top_levels(libraries, site)]
    done += _shared_libraries()
    done += [_bind(p) for p in map(Path, ("/etc/ld.so.cache", "/etc/localtime")) if p.exists()]
    if not any(kind == "bind" and path.startswith("/tmp/") for kind, _, path in done):
        done.append(("link", "/tmp", SCRATCH))
    return done


def _bind(path: Path) -> tuple[str, str, str]:
    return ("bind", os.path.realpath(path), str(path))


def _shared_libraries() -> Iterator[tuple[str, str, str]]:
    base, multiarch = sys.base_prefix, sysconfig.get_config_var("MULTIARCH")
    folders = ["/lib", "/lib64", f"/usr/lib/{multiarch}", "/usr/lib64"]
    for folder in map(Path, folders + ([f"{base}/lib"] if base != "/usr" else [])):
        if folder.is_symlink():
            yield ("link", str(folder), os.readlink(folder))
        elif folder.name in {"lib64", multiarch} and folder.is_dir():
            yield _bind(folder)
        else:
            yield from (_bind(path) for path in sorted(folder.glob("*.so*")) if path.exists())


def _top_levels(libraries: Iterable[str], site: Path) -> list[str]:
    """Return the entries of site-packages that `libraries` and all that they need consist of."""
    names, queue, found = set(UNNEEDED), list(libraries), set()
    while queue:
        name = queue.pop()
        if name in names:
            continue
        names.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            raise RuntimeError(f"{name} is not installed. Run: make env") from None
        record = (distribution.read_text("RECORD") or "").splitlines()  # `.files` is slow
        found |= {line.partition(",")[0].partition("/")[0] for line in record}
        for text in distribution.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                queue.append(requirement.name)
    return sorted(f for f in found - {"..", "__pycache__"} if (site / f).exists())
