"""A web server on this computer that serves one file with ranges, and cuts connections when told to."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Served", "serving"]


class Served:
    """What is served, and what was asked for.

    `cuts` holds how many bytes of the next replies are sent before the connection is cut; `status` answers with an
    error instead.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.cuts: list[int] = []
        self.status = 200
        self.ranges = True
        self.marks = True
        self.asked: list[tuple[str, str]] = []
        self.address = ""

    @property
    def mark(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            served.asked.append((self.path, wanted))
            if served.status != 200:
                self.send_error(served.status)
                return
            content = served.content
            start = 0
            if wanted and served.ranges and self.headers.get("If-Range") == served.mark:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start > len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            if served.marks:
                self.send_header("ETag", served.mark)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            cut = served.cuts.pop(0) if served.cuts else None
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content[start:][:cut])
            self.close_connection = True

    return Handler


@contextlib.contextmanager
def serving(content: bytes) -> Iterator[Served]:
    served = Served(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    served.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), name="pack server")
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
