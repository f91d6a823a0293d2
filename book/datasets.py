"""Public datasets for the benchmarks: fetch a file once, and read what is inside.

The pages never need a network. They learn from photographs that come with scikit-image.
"""

import hashlib
import http.client
import io
import tarfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import color

PETS = "https://thor.robots.ox.ac.uk/pets/"
PETS_MD5 = {  # the publishers' files, as torchvision pins them, too
    "annotations.tar.gz": "95a8c909bbe2e81eed6a22bccdf3f68f",
    "images.tar.gz": "5c4f3ee8e5d25df40f4fd59a7f44e54c",
}
DIV2K = "https://data.vision.ee.ethz.ch/cvl/DIV2K/"
DIV2K_MD5 = {"DIV2K_valid_HR.zip": "9fcdda83005c5e5997799b69f955ff88"}
TRIMAP = np.array([0, 1, 0, 2])
"""From a trimap's 1 (pet), 2 (background), 3 (border) to ground 0, inside 1, rim 2."""


def fetch(url, to, md5):
    """Return the path `to`, and download `url` to it unless it is there already.

    What has arrived lies in a file ending in `.part`. If the connection breaks, the next call
    goes on from there. Raises `ConnectionError` where the server cannot be reached or the
    connection breaks, and `ValueError` where the whole file has another checksum than `md5`;
    it is thrown away then.
    """
    to = Path(to)
    if to.exists():
        return to
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(to.name + ".part")
    try:
        _go_on(url, part)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise ConnectionError(
            f"{url} could not be fetched: {error}. What has arrived is kept: run the same command "
            f"again to go on. Without a network, copy the file from elsewhere to {to}."
        ) from error
    with part.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5:
        part.unlink()
        raise ValueError(
            f"{url} is not the file we know: its MD5 is {found} and should be {md5}. "
            "It was thrown away. Try again; if it stays like that, the publishers changed it."
        )
    return part.rename(to)


def _go_on(url, part):
    """Append to `part` what is missing from it."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if have and error.code == 416:  # nothing after the last byte: it was all there
            return
        raise
    with answer, part.open("ab" if answer.status == 206 else "wb") as file:
        while block := answer.read(1 << 20):
            file.write(block)
        if answer.length:  # the server promised more
            raise http.client.IncompleteRead(b"", answer.length)


def fetch_pets(folder):
    """Download the Oxford-IIIT Pet dataset, 811 MB, to `folder`. See `fetch`."""
    for name, md5 in PETS_MD5.items():
        fetch(PETS + name, Path(folder) / name, md5)


def pets(folder, split, count, size=96):
    """Return the first `count` images (N, 3, size, size) of a split, and their labels.

    `split` is "trainval" or "test". Images are shrunk to a square, from 0 to 1. Labels
    (N, size, size) are 0 for ground, 1 for the inside of a pet and 2 for the rim between them.
    Raises `FileNotFoundError` where the archives are not in `folder`, and `ValueError` where
    they lack something.
    """
    folder = Path(folder)
    for archive in PETS_MD5:
        if not (folder / archive).exists():
            raise FileNotFoundError(f"{folder / archive} is missing: fetch_pets({str(folder)!r})")
    (listed,) = _members(folder / "annotations.tar.gz", [f"annotations/{split}.txt"])
    lines = listed.decode().splitlines()
    names = [line.split()[0] for line in lines if line.strip() and line[0] != "#"][:count]
    trimaps = [f"annotations/trimaps/{name}.png" for name in names]
    photographs = [f"images/{name}.jpg" for name in names]
    labels, images = [], []
    for raw in _members(folder / "annotations.tar.gz", trimaps):
        trimap = Image.open(io.BytesIO(raw)).resize((size, size), Image.Resampling.NEAREST)
        labels.append(TRIMAP[np.asarray(trimap)])
    for raw in _members(folder / "images.tar.gz", photographs):
        photograph = Image.open(io.BytesIO(raw)).convert("RGB")
        photograph = photograph.resize((size, size), Image.Resampling.BILINEAR)
        images.append(np.asarray(photograph).transpose(2, 0, 1) / 255)
    return torch.tensor(np.stack(images)).float(), torch.tensor(np.stack(labels)).long()


def fetch_div2k(folder):
    """Download the hundred photographs of DIV2K's second part to `folder`. See `fetch`."""
    for name, md5 in DIV2K_MD5.items():
        fetch(DIV2K + name, Path(folder) / name, md5)


def div2k(folder, numbers):
    """Return the photographs with these numbers, of 801 to 900: a list of (1, 1, H, W).

    They are grey, from 0 to 1, and H and W are even. Raises `FileNotFoundError` where the
    archive is not in `folder`, and `ValueError` where it lacks one of them.
    """
    archive = Path(folder) / "DIV2K_valid_HR.zip"
    if not archive.exists():
        raise FileNotFoundError(f"{archive} is missing: fetch_div2k({str(folder)!r})")
    photographs = []
    with zipfile.ZipFile(archive) as members:
        for number in numbers:
            try:
                raw = members.read(f"DIV2K_valid_HR/{number:04}.png")
            except KeyError:
                raise ValueError(f"{archive} has no photograph {number:04}") from None
            rgb = np.asarray(Image.open(io.BytesIO(raw)).convert("RGB"))
            height, width = (n - n % 2 for n in rgb.shape[:2])
            grey = color.rgb2gray(rgb[:height, :width])
            photographs.append(torch.tensor(grey).float()[None, None])
    return photographs


def _members(archive, wanted):
    """Return the contents of the members called `wanted`, in that order, reading only once."""
    found, missing = {}, set(wanted)
    with tarfile.open(archive, "r|gz") as tar:
        for member in tar:
            if member.name in missing:
                found[member.name] = tar.extractfile(member).read()
                missing.remove(member.name)
                if not missing:
                    break
    if missing:
        raise ValueError(f"{archive} lacks {', '.join(sorted(missing)[:3])}")
    return [found[name] for name in wanted]
