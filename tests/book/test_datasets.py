"""The downloader, against a server that breaks off; and the parsers, on samples of the format."""

import hashlib
import http.server
import io
import tarfile
import threading
import zipfile

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

CONTENT = bytes(range(256)) * 40
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """Sends CONTENT, from where it is asked to; breaks off once after `breaks_after` bytes."""

    breaks_after = None
    ranges = True

    def do_GET(self):
        self.server.asked.append(self.headers.get("Range"))
        start = 0
        if self.ranges and self.headers.get("Range"):
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start:]
        if self.server.breaks_after is not None:
            body, self.server.breaks_after = body[: self.server.breaks_after], None
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.asked, server.breaks_after = [], None
        server.url = f"http://127.0.0.1:{server.server_port}/file"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_once(server, tmp_path):
    to = tmp_path / "new" / "file"
    assert datasets.fetch(server.url, to, MD5) == to
    assert to.read_bytes() == CONTENT
    datasets.fetch(server.url, to, MD5)
    assert server.asked == [None]
    assert [path.name for path in to.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_is_resumed(server, tmp_path, monkeypatch, ranges):
    """Where the server cannot go on in the middle, it is begun again."""
    monkeypatch.setattr(Server, "ranges", ranges)
    server.breaks_after = 3000
    to = tmp_path / "file"
    with pytest.raises(ConnectionError, match="run the same command again"):
        datasets.fetch(server.url, to, MD5)
    assert not to.exists()
    assert (tmp_path / "file.part").read_bytes() == CONTENT[:3000]
    datasets.fetch(server.url, to, MD5)
    assert to.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=3000-"]


def test_a_download_that_was_complete_is_not_asked_for_more(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT)
    datasets.fetch(server.url, tmp_path / "file", MD5)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused(server, tmp_path):
    with pytest.raises(ValueError, match=f"{MD5} and should be 0000"):
        datasets.fetch(server.url, tmp_path / "file", "0000")
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_it_says_what_to_do(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(ConnectionError, match=r"copy the file from elsewhere to .*file"):
        datasets.fetch(server.url, tmp_path / "file", MD5)


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def write_tar(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.fixture
def folder(tmp_path):
    """Two photographs in the format of the Oxford-IIIT Pet dataset, with what lies beside them."""
    trimap = np.full((40, 60), 2, np.uint8)
    trimap[10:30, 15:45] = 3
    trimap[15:25, 20:40] = 1
    red = np.zeros((40, 60, 3), np.uint8)
    red[..., 0] = 255
    listed = b"# Image CLASS-ID SPECIES BREED-ID\nPug_7 1 2 1\nAbyssinian_1 1 1 1\n"
    write_tar(
        tmp_path / "annotations.tar.gz",
        {
            "annotations/trimaps/._Pug_7.png": b"a Mac's",
            "annotations/trimaps/Abyssinian_1.png": png(trimap.T.copy()),
            "annotations/trimaps/Pug_7.png": png(trimap),
            "annotations/trainval.txt": listed,
            "annotations/test.txt": b"Lost_3 1 1 1\n",
        },
    )
    # Some of the dataset's .jpg files hold other formats, and some are not in RGB.
    grey = np.full((60, 40), 51, np.uint8)
    write_tar(
        tmp_path / "images.tar.gz",
        {"images/Abyssinian_1.jpg": png(grey), "images/Pug_7.jpg": png(red)},
    )
    return tmp_path


def test_pets_are_read_in_the_order_of_the_list(folder):
    images, labels = datasets.pets(folder, "trainval", count=5, size=20)
    assert images.shape == (2, 3, 20, 20)
    assert images.dtype == torch.float32
    assert images[0].amax((1, 2)).tolist() == [1, 0, 0]
    assert torch.allclose(images[1], torch.tensor(0.2))
    assert labels.shape == (2, 20, 20)
    across = labels[0, 10]
    assert across.unique_consecutive().tolist() == [0, 2, 1, 2, 0]
    assert torch.equal(labels[1], labels[0].T)  # it was turned on its side
    only, _ = datasets.pets(folder, "trainval", count=1, size=20)
    assert torch.equal(only, images[:1])


def test_what_the_archives_lack_is_named(folder):
    with pytest.raises(ValueError, match=r"annotations.tar.gz lacks .*Lost_3.png"):
        datasets.pets(folder, "test", count=1)
    (folder / "images.tar.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"images.tar.gz is missing: fetch_pets"):
        datasets.pets(folder, "trainval", count=1)


@pytest.fixture
def div2k_folder(tmp_path):
    """Two photographs in the format of DIV2K, one with odd sides."""
    ramp = np.linspace(0, 255, 31 * 41 * 3).astype(np.uint8).reshape(31, 41, 3)
    with zipfile.ZipFile(tmp_path / "DIV2K_valid_HR.zip", "w") as archive:
        archive.writestr("DIV2K_valid_HR/", "")
        archive.writestr("DIV2K_valid_HR/0801.png", png(ramp))
        archive.writestr("DIV2K_valid_HR/0802.png", png(np.full((20, 30, 3), 255, np.uint8)))
    return tmp_path, ramp


def test_div2k_is_read_in_grey_with_even_sides_in_the_order_asked_for(div2k_folder):
    folder, ramp = div2k_folder
    white, grey = datasets.div2k(folder, [802, 801])
    assert torch.allclose(white, torch.ones(1, 1, 20, 30))
    assert grey.shape == (1, 1, 30, 40)
    expected = ramp[:30, :40] @ [0.2125, 0.7154, 0.0721] / 255
    np.testing.assert_allclose(grey[0, 0].numpy(), expected, atol=1e-6)


def test_what_div2k_lacks_is_named(div2k_folder, tmp_path):
    folder, _ = div2k_folder
    with pytest.raises(ValueError, match="no photograph 0803"):
        datasets.div2k(folder, [801, 803])
    with pytest.raises(FileNotFoundError, match="fetch_div2k"):
        datasets.div2k(tmp_path / "elsewhere", [801])
