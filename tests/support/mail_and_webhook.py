"""A mail server and a webhook on loopback that keep messages and misbehave as a test requests."""

from __future__ import annotations

import email
import json
import socketserver
import threading
import time
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        how = self.server.how
        if how == "closes at once":
            return
        self.say("220 mail.example")
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb in (b"EHLO", b"HELO"):
                self.say("250 mail.example")
            elif verb == b"RCPT" and how == "try later":
                self.say("451 greylisted, try again")
            elif verb == b"DATA":
                self.say("354 go on")
                data = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    data += part.removeprefix(b".") if part.startswith(b"..") else part
                self.server.mails.append(email.message_from_bytes(data, policy=default))
                if how == "breaks off":
                    return
                if how == "falls silent":
                    time.sleep(3)
                    return
                self.say("250 kept")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server. `how`: "" keeps every mail; else what it does instead."""

    allow_reuse_address, daemon_threads, block_on_close = True, True, False

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Session)
        self.mails: list[Message] = []
        self.how = ""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def address(self, to: str = "desk@news.example", more: str = "") -> str:
        return f"mailto://127.0.0.1:{self.port}?from=ledger@news.example&to={to}&cto=1{more}"

    def texts(self) -> list[tuple[str, str]]:
        """Return subject and text of each mail."""
        return [(str(mail["subject"]), mail.get_body(("plain",)).get_content()) for mail in self.mails]

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Hook(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((dict(self.headers), json.loads(body)))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 0:
            time.sleep(3)
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Webhook(ThreadingHTTPServer):
    """A webhook. `answers`: the next statuses it answers with, 0 for silence; then 200."""

    daemon_threads, block_on_close = True, False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.posts: list[tuple[dict[str, str], dict]] = []
        self.answers: list[int] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def address(self) -> str:
        return f"json://127.0.0.1:{self.server_address[1]}/hook?rto=1&cto=1"

    def close(self) -> None:
        self.shutdown()
        self.server_close()
