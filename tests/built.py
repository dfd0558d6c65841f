"""The built book: its pages, and as a web host serves it (compressed, over connections that stay open)."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
PAGES = sorted(str(p.relative_to(HTML)) for p in HTML.rglob("*.html") if "_static" not in p.parts) or [
    "index.html"
]
"""At least one, so that a test without a book fails."""
FONTS = "() => document.fonts.ready.then(() => true)"
COMPRESSED = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml", ".txt", ".map", ".ipynb"}


@cache
def compressed(path: Path, changed: float) -> bytes:
    """The file's bytes under gzip; packed once, since every page asks for the same scripts."""
    return gzip.compress(path.read_bytes(), compresslevel=6)


class Host(SimpleHTTPRequestHandler):
    """A static host like GitHub Pages: gzip for text, ten minutes in the browser's cache."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> BytesIO | None:
        """Text goes compressed to whoever can read it; the rest is the base class's."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if path.suffix not in COMPRESSED or not path.is_file():
            return super().send_head()
        if "gzip" not in self.headers.get("Accept-Encoding", ""):
            return super().send_head()
        body = compressed(path, path.stat().st_mtime)
        self.send_response(200)
        self.send_header("Content-Type", self.content_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        return BytesIO(body)

    def content_type(self, path: Path) -> str:
        """With the encoding named, as hosts do."""
        kind = self.guess_type(str(path))
        return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind

    def end_headers(self) -> None:
        """GitHub Pages lets a browser keep every file for ten minutes."""
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        """No line a request."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve the book on localhost; its address."""
    assert (HTML / "index.html").is_file(), f"There is no book at {HTML}; run `make book` first."
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, directory=str(HTML)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
