import gzip
import io
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gru4rec_lab.data import __main__ as command
from gru4rec_lab.data.download import fetch
from gru4rec_lab.data.recipes import RECIPES, load_recipe

from .small_shop import CLICKS, SMALL


def archive(files):
    """The bytes of a zip archive of name to text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    return packed.getvalue()


# As the publisher serves it: lines that end in CR LF, and a description beside them.
WHOLE = archive({SMALL.file: CLICKS.replace("\n", "\r\n"), "data description.txt": "columns"})
HALF = {"body": WHOLE[:300], "length": len(WHOLE)}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    # A proxy of this machine must not be asked for this machine.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield tmp_path / "cache"
    assert list((tmp_path / "tmp").iterdir()) == [], "a temporary file was left"


class Answer(BaseHTTPRequestHandler):
    """Sends `body`, said to be of `length` bytes; then waits for `go_on`, if there is one."""

    body, status, length, go_on = b"", 200, None, None

    def do_GET(self):  # noqa: N802
        self.send_response(self.status)
        self.send_header("Content-Length", str(self.length or len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)
        self.wfile.flush()
        if self.go_on:
            self.came.set()
            self.go_on.wait(60)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """A function that serves an answer and returns the small recipe with its address."""
    servers = []

    def start(body, **more):
        handler = type("Handler", (Answer,), {"body": body, **more})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return replace(SMALL, address=f"http://127.0.0.1:{server.server_port}/static/553/shop.zip")

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_the_address_serves_is_unpacked_checked_and_kept(serve, cache):
    recipe = serve(WHOLE)
    assert fetch(recipe) == recipe.path == cache / "downloads" / "small shop.csv"
    assert load_recipe(recipe).n_clicks == 8
    assert [path.name for path in (cache / "downloads").iterdir()] == ["small shop.csv"]


def test_fetching_again_replaces_a_damaged_file(serve):
    recipe = serve(WHOLE)
    fetch(recipe).write_text("damaged")
    fetch(recipe)
    assert load_recipe(recipe).n_clicks == 8


BY_HAND = 'download it in a browser .*, then: python -m gru4rec_lab.data small "path/to/what'


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (HALF, ConnectionError, f"cannot download small: .*{BY_HAND}"),
        ({"body": b"gone", "status": 404}, ConnectionError, f"404.*{BY_HAND}"),
        ({"body": WHOLE[:300]}, ValueError, f"sent is no archive; {BY_HAND}"),
        ({"body": b"<html>log in first</html>"}, ValueError, f"is no archive.*{BY_HAND}"),
        ({"body": b""}, ValueError, "is no archive"),
        ({"body": archive({"b.csv": CLICKS})}, ValueError, "no 'small shop.csv' in .*, but b.csv"),
        ({"body": archive({})}, ValueError, "no 'small shop.csv' in .* nothing"),
        ({"body": archive({SMALL.file: CLICKS[:-60]})}, ValueError, "has 10 clicks, not the 11"),
        ({"body": archive({SMALL.file: "a;b\n1;2\n"})}, ValueError, "no column 'year'"),
        ({"body": WHOLE[:60] + b"\1\2\3" + WHOLE[63:]}, ValueError, "is damaged"),
    ],
    ids=["truncated", "gone", "half a zip", "a page", "nothing", "another file", "empty zip",
         "half the rows", "other columns", "damaged"],
)  # fmt: skip
def test_what_is_not_the_clicks_is_refused_and_not_kept(serve, cache, answer, error, message):
    with pytest.raises(error, match=message):
        fetch(serve(**answer))
    assert not cache.exists()


def test_a_failed_download_leaves_what_was_there(serve):
    kept = fetch(serve(WHOLE))
    before = kept.read_bytes()
    with pytest.raises(ConnectionError):
        fetch(serve(**HALF))
    assert kept.read_bytes() == before


def nobody_listens():
    """The small recipe with an address at which nothing answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return replace(SMALL, address=f"http://127.0.0.1:{free.getsockname()[1]}/shop.zip")


def test_without_a_network_the_error_says_what_to_do_by_hand(cache):
    with pytest.raises(ConnectionError, match=f"cannot download small: .*{BY_HAND}"):
        fetch(nobody_listens())
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_named(serve, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OSError, match="cannot keep 'small shop.csv' in .*GRU4REC_LAB_CACHE"):
        fetch(serve(WHOLE))


# --- what was downloaded by hand


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_was_downloaded_by_hand_is_taken_packed_or_not(tmp_path, packed):
    came = tmp_path / "what came"
    came.write_bytes(WHOLE if packed else CLICKS.encode())
    recipe = nobody_listens()
    fetch(recipe, came)
    assert load_recipe(recipe).n_clicks == 8
    assert came.exists()


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, FileNotFoundError, "no file '.*what came'; check its path"),
        (b"something else", ValueError, "'what came' cannot be read as small|no column 'year'"),
        (archive({"other.csv": ""}), ValueError, "no 'small shop.csv' in what came"),
        (b"7z\xbc\xaf\x27\x1c...", ValueError, r"is a 7z archive; unpack it \(7z x\), give 'small"),
    ],
)
def test_another_file_is_refused(tmp_path, cache, content, error, message):
    came = tmp_path / "what came"
    if content is not None:
        came.write_bytes(content)
    with pytest.raises(error, match=message):
        fetch(SMALL, came)
    assert not cache.exists()


REES = replace(
    RECIPES["rees46"],
    name="by month",
    read=lambda files: SMALL.read(files[-1:]),  # the months are told apart by their names alone
)


def tar_gz(name, text):
    """The bytes of a tar.gz that holds one file, in a folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        told = tarfile.TarInfo(f"folder/{name}")
        told.size = len(text)
        opened.addfile(told, io.BytesIO(text.encode()))
    return packed.getvalue()


def test_a_tar_gz_is_unpacked(serve):
    recipe = serve(tar_gz(SMALL.file, CLICKS))
    assert fetch(recipe).read_text() == CLICKS


def test_half_a_tar_gz_is_refused(serve, cache):
    with pytest.raises(ValueError, match="is damaged"):
        fetch(serve(tar_gz(SMALL.file, CLICKS)[:-40]))
    assert not cache.exists()


def test_a_file_in_gz_is_unpacked(tmp_path):
    (tmp_path / f"{SMALL.file}.gz").write_bytes(gzip.compress(CLICKS.encode()))
    assert fetch(SMALL, tmp_path / f"{SMALL.file}.gz").read_text() == CLICKS


def test_months_are_kept_under_their_names_and_loaded_together(tmp_path, cache):
    for month in ("2019-Oct", "2019-Nov"):
        (tmp_path / f"{month}.csv.gz").write_bytes(gzip.compress(CLICKS.encode()))
        fetch(REES, tmp_path / f"{month}.csv.gz")
    assert [path.name for path in REES.paths] == ["2019-Nov.csv", "2019-Oct.csv"]
    (tmp_path / "clicks.csv").write_text(CLICKS)
    with pytest.raises(ValueError, match=r"'clicks.csv' is not named like '20\?\?-\?\?\?.csv'"):
        fetch(REES, tmp_path / "clicks.csv")


def test_what_was_fetched_by_hand_is_linked_or_copied(tmp_path, monkeypatch):
    came = tmp_path / "what came"
    came.write_text(CLICKS)
    assert fetch(SMALL, came).samefile(came)
    monkeypatch.setattr("os.link", lambda *names: (tmp_path / "no" / "links").read_text())
    assert not fetch(SMALL, came).samefile(came)
    assert fetch(SMALL, SMALL.path) == SMALL.path  # from where it lies already
    assert SMALL.path.read_text() == CLICKS


def test_it_is_read_once_only(tmp_path, monkeypatch):
    (tmp_path / "came").write_text(CLICKS)
    fetch(SMALL, tmp_path / "came")
    monkeypatch.setattr("gru4rec_lab.data.recipes.Sessions", None)
    assert load_recipe(SMALL).n_clicks == 8


# --- the command


@pytest.fixture
def served(serve, monkeypatch):
    """The small recipe under the name e-shop, at an address that serves it."""
    recipe = replace(serve(WHOLE), name="e-shop")
    monkeypatch.setitem(RECIPES, "e-shop", recipe)
    return recipe


def test_the_command_fetches_and_says_what_is_there(served, capsys):
    command.main(["e-shop"])
    said = capsys.readouterr().out
    assert "e-shop: 4 sessions, 3 items, 8 clicks" in said
    assert "dropped clicks on the item clicked just before: 3 clicks" in said
    assert str(served.path) in said
    assert "CC BY 4.0" in said


def test_the_command_takes_a_file(served, tmp_path, capsys):
    (tmp_path / "by hand.zip").write_bytes(WHOLE)
    command.main(["e-shop", str(tmp_path / "by hand.zip")])
    assert "8 clicks" in capsys.readouterr().out


def test_an_error_of_the_command_is_one_line(served, monkeypatch):
    monkeypatch.setitem(RECIPES, "e-shop", replace(nobody_listens(), name="e-shop"))
    with pytest.raises(SystemExit) as ended:
        command.main(["e-shop"])
    assert ended.value.code.startswith("e-shop: cannot download e-shop: ")
    assert "\n" not in ended.value.code


@pytest.mark.parametrize("name", [name for name, each in RECIPES.items() if not each.address])
def test_a_set_that_takes_a_browser_says_where_and_what_then(name, cache):
    with pytest.raises(SystemExit) as ended:
        command.main([name])
    recipe, said = RECIPES[name], ended.value.code
    assert said.startswith(f"{name}: no command can download it ({recipe.licence}); download ")
    assert f"{recipe.file!r} in a browser ({recipe.page}), then: {recipe.command} " in said
    assert not cache.exists()


def test_an_unknown_name_is_refused_with_the_choices(capsys):
    with pytest.raises(SystemExit):
        command.main(["shop"])
    assert "e-shop" in capsys.readouterr().err


INTERRUPTED = """
import signal
import sys
from dataclasses import replace
from gru4rec_lab.data.__main__ import main
from gru4rec_lab.data.recipes import RECIPES

# A shell that runs the tests in the background lets them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
RECIPES["e-shop"] = replace(RECIPES["e-shop"], address=sys.argv[1])
main(["e-shop"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process on Windows")
def test_an_interrupted_download_leaves_nothing_and_says_so(serve, cache):
    came, go_on = threading.Event(), threading.Event()
    recipe = serve(**HALF, came=came, go_on=go_on)
    started = [sys.executable, "-c", INTERRUPTED, recipe.address]
    process = subprocess.Popen(started, stderr=subprocess.PIPE, text=True)
    assert came.wait(60)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    go_on.set()
    assert process.returncode == 1
    assert said.splitlines()[-1] == "e-shop: interrupted, nothing was kept"
    assert "Traceback" not in said
    assert not cache.exists()


def test_importing_the_data_sets_loads_no_pooch():
    code = "import sys, gru4rec_lab.data.download; sys.exit('pooch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
