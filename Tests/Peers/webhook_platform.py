"""An HTTP platform: a webhook that takes JSON, one object or a batch {"items": […]}, on any path.

    webhook_platform.py [--token T] [--hmac-secret S] [--gzip-required] [--idempotency-header NAME]
                        [--batch allow|require|refuse] [--cert PEM --key PEM [--client-ca PEM]]

Strict: POST, Content-Type application/json, UTF-8, an idempotency key, and with the options a bearer
token, Content-Encoding: gzip, and the signature

    X-Plumbline-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, "<t>.<body>")>

over the body as transmitted, in lower case, its time at most 300 s away. What is taken is answered
with 200 {"accepted": [keys]}, what is not with a problem document (RFC 9457).

An object of plumbline-json/1 is recorded by its "key" and "revision"; the higher revision replaces.
Other JSON is recorded by the idempotency key, and may not come under it with another body.

Faults: refuse has "status" (400, 409, 413, 422, 429, 503, …), "retry_after" in seconds, "refuse_key"
(only batches with such a key) and "over_items" (only batches of more). What wrong_id answers is a 200
that names other keys: it counts, for by HTTP it is an acceptance.
"""

import hashlib
import hmac
import http.server
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
import zlib

import platform_json
from platform_control import Fault, Platform, arguments

BODY_MAX = 16 << 20
SKEW_SECONDS = 300
SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
TITLES = {400: "Bad Request", 401: "Unauthorized", 405: "Method Not Allowed", 409: "Conflict",
          411: "Length Required", 413: "Content Too Large", 415: "Unsupported Media Type",
          422: "Unprocessable Content", 429: "Too Many Requests", 503: "Service Unavailable"}


class Problem(Exception):
    """Why a request is not taken, with its status."""

    def __init__(self, status: int, detail: str, **more):
        super().__init__(detail)
        self.status, self.detail, self.more = status, detail, more


def need(condition, status: int, detail: str):
    if not condition:
        raise Problem(status, detail)


class Webhook:
    """What is judged in a request that has been read."""

    def __init__(self, options):
        self.options = options
        self.platform = Platform(options)

    def judge(self, headers, body: bytes):
        """The records that a request asks for; raises Problem."""
        options = self.options
        if options.token:
            need(headers.get("Authorization") == f"Bearer {options.token}", 401,
                 "the bearer token is missing or wrong")
        if options.hmac_secret:
            self.check_signature(headers, body)
        kind = headers.get("Content-Type", "")
        need(kind.partition(";")[0].strip().lower() == "application/json", 415,
             f"the Content-Type is {kind!r}")
        packed = headers.get("Content-Encoding", "identity")
        need(packed in ("gzip", "identity"), 415, f"the Content-Encoding is {packed!r}")
        need(packed == "gzip" or not options.gzip_required, 415, "the body has to be gzip")
        if packed == "gzip":
            body = self.unpacked(body)
        name = headers.get(options.idempotency_header, "")
        need(name and len(name) <= 1024, 400, f"{options.idempotency_header} is missing")
        try:
            value = platform_json.strict(body)
        except ValueError as error:
            raise Problem(400, f"the body is not JSON: {error}") from None
        return self.records(value, name, body)

    def check_signature(self, headers, body):
        told = headers.get_all("X-Plumbline-Signature", [])
        need(len(told) == 1, 401, f"X-Plumbline-Signature is there {len(told)} times")
        parts = SIGNATURE.fullmatch(told[0])
        need(parts, 401, f"X-Plumbline-Signature is {told[0]!r}")
        stamp, digest = parts.groups()
        wanted = hmac.new(self.options.hmac_secret.encode(), stamp.encode() + b"." + body,
                          hashlib.sha256).hexdigest()
        need(hmac.compare_digest(digest, wanted), 401, "the signature is wrong")
        need(abs(time.time() - int(stamp)) <= SKEW_SECONDS, 401,
             f"the signature is of {stamp}, more than {SKEW_SECONDS} s away")

    @staticmethod
    def unpacked(body) -> bytes:
        worker = zlib.decompressobj(wbits=31)
        try:
            plain = worker.decompress(body, BODY_MAX)
        except zlib.error as error:
            raise Problem(400, f"the body is not gzip: {error}") from None
        need(worker.eof and not worker.unused_data, 400, "the gzip ends too early or too late")
        return plain

    def records(self, value, name, body) -> list[dict]:
        is_batch = isinstance(value, dict) and set(value) == {"items"}
        allowed = self.options.batch
        need(allowed != "require" or is_batch, 400, "the body is no batch {\"items\": […]}")
        need(allowed != "refuse" or not is_batch, 400, "the body is a batch")
        if is_batch:
            need(isinstance(value["items"], list) and value["items"], 400, "the batch is empty")
        objects = value["items"] if is_batch else [value]
        known = [platform_json.is_keyed(one) for one in objects]
        if not any(known):
            digest = hashlib.sha256(body).hexdigest()
            record = self.platform.ledger.records.get(name)
            need(record is None or record.get("digest") == digest, 422,
                 f"the key {name} came with another body before")
            values = value if isinstance(value, dict) else {"": value}
            return [{"kind": "json", "subject": "", "start": None, "key": name, "values": values,
                     "digest": digest}]
        need(all(known), 422, "a batch of objects with a key and without")
        try:
            records = [platform_json.keyed(one) for one in objects]
        except ValueError as error:
            raise Problem(422, str(error)) from None
        keys = [record["key"] for record in records]
        need(len(set(keys)) == len(keys), 422, "a key stands twice in the batch")
        return records


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    @property
    def platform(self) -> Platform:
        return self.server.webhook.platform

    def setup(self):
        faults, self.resets = self.platform.faults, False
        self.fault = faults.at_connect()
        self.line = f"line {self.client_address[1]}"
        self.platform.event("connected", line=self.line, fault=self.fault.mode)
        while faults.is_on("hang") is not None or (
                self.fault.mode == "hang" and not faults.is_over(self.fault)):
            time.sleep(0.02)
        # The handshake belongs to this thread: a client that stalls must not stop the others.
        if self.server.tls and self.fault.mode != "close":
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self):
        try:
            if self.fault.mode != "close":
                super().handle()
        except OSError as error:
            self.platform.event("broken", line=self.line, error=str(error))

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass
        if self.resets:
            # With a linger of zero the close is an RST; the server's own way would send FIN first.
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()
        self.platform.event("disconnected", line=self.line)

    def read(self, size: int) -> bytes:
        """So many bytes of the body, at a trickle when the fault is slow."""
        faults = self.platform.faults
        slow = faults.is_on("slow")
        if slow is None and self.fault.mode == "slow" and not faults.is_over(self.fault):
            slow = self.fault.options
        if slow is None:
            data = self.rfile.read(size)
        else:
            rate, data = slow.get("rate", 200), b""
            while len(data) < size:
                part = self.rfile.read(min(max(1, rate // 50), size - len(data)))
                if not part:
                    break
                data += part
                time.sleep(len(part) / rate)
        if len(data) < size:
            raise ConnectionError("the client left within its body")
        return data

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            data = b""
            while size := int(self.rfile.readline(64).split(b";")[0], 16):
                need(len(data) + size <= BODY_MAX, 413, "the body is too long")
                data += self.read(size)
                self.rfile.readline(8)
            while self.rfile.readline(1024).strip():
                pass
            return data
        told = self.headers.get("Content-Length", "")
        need(told.isdigit(), 411, "there is no Content-Length")
        need(int(told) <= BODY_MAX, 413, "the body is too long")
        return self.read(int(told))

    def do_POST(self):
        platform, body, taken = self.platform, b"", []
        while platform.faults.is_on("hang") is not None:
            time.sleep(0.02)
        try:
            body = self.body()
            platform.event("received", path=self.path, bytes=len(body),
                           key=self.headers.get(self.server.webhook.options.idempotency_header))
            with platform.ledger.lock:
                taken = self.server.webhook.judge(self.headers, body)
                fault = self.fault_of(taken)
                # Garbage before a status line is no answer to any HTTP client.
                if fault.mode != "garbage" and (fault.records or fault.mode == "wrong_id"):
                    for record in taken:
                        platform.ledger.add(**record)
        except Problem as problem:
            platform.refuse(f"{problem.status}: {problem.detail}", self.shown(body), path=self.path)
            self.close_connection = problem.status in (411, 413)
            return self.send(self.response(*self.problem(problem)), f"{problem.status}")
        self.answer(fault, [record["key"] for record in taken])

    def shown(self, body: bytes) -> bytes:
        try:
            return Webhook.unpacked(body) if body[:2] == b"\x1f\x8b" else body
        except Problem:
            return body

    def fault_of(self, records) -> Fault:
        """The fault of this request; refuse may want certain keys or a certain size only."""
        faults, keys = self.platform.faults, [record["key"] for record in records]
        fault = faults.peek()
        if fault.mode == "refuse":
            word, most = fault.options.get("refuse_key"), fault.options.get("over_items")
            if (word and not any(word in key for key in keys)) or (
                    most is not None and len(keys) <= most):
                return Fault()
        return faults.at_message("POST")

    # Answers

    def problem(self, problem: Problem):
        told = {"type": "about:blank", "title": TITLES.get(problem.status, "Refused"),
                "status": problem.status, "detail": problem.detail, **problem.more}
        headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
        if problem.more.get("retry_after") is not None:
            headers["Retry-After"] = str(problem.more["retry_after"])
        return problem.status, told, "application/problem+json", headers

    def response(self, status, value, kind="application/json", headers=None) -> bytes:
        data = json.dumps(value, ensure_ascii=False).encode()
        head = [f"HTTP/1.1 {status} {TITLES.get(status, 'OK' if status < 300 else 'Refused')}",
                f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
        head += [f"{name}: {told}" for name, told in (headers or {}).items()]
        head += ["Connection: close"] if self.close_connection else []
        return "\r\n".join(head).encode() + b"\r\n\r\n" + data

    def send(self, data: bytes, what: str):
        self.wfile.write(data)
        self.platform.event("answered", path=self.path, what=what)

    def wait_for_leave(self):
        """Silence for as long as the client bears it."""
        self.close_connection = True
        self.connection.settimeout(120)
        try:
            while self.connection.recv(4096):
                pass
        except OSError:
            pass

    def answer(self, fault, keys):
        mode, options = fault.mode, fault.options
        if mode:
            self.platform.event("fault", mode=mode, path=self.path)
        if mode in ("no_ack", "lost_ack"):
            return self.wait_for_leave()
        if mode == "late_ack":
            time.sleep(options.get("delay", 1.0))
        if mode == "wrong_id":
            keys = [f"not-{key}" for key in keys]
        if mode == "refuse":
            told = Problem(options.get("status", 503), "as told",
                           retry_after=options.get("retry_after"), keys=keys)
            return self.send(self.response(*self.problem(told)), f"{told.status}, as told")
        good = self.response(200, {"accepted": keys})
        if mode == "half":
            self.close_connection = True
            return self.send(good[:len(good) // 2], "half")
        if mode == "reset":
            self.close_connection = True
            self.resets = True
            return None
        if mode == "garbage":
            self.close_connection = True
            return self.send(os.urandom(40), "garbage")
        self.send(good, "200")

    def do_GET(self):
        self.close_connection = True
        self.platform.refuse(f"405: {self.command} {self.path}", "")
        self.send(self.response(*self.problem(Problem(405, "POST only"))), "405")

    do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    tls = None

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if isinstance(error, ssl.SSLError):
            self.webhook.platform.refuse(f"TLS: {error.reason or error}", "")
        else:
            self.webhook.platform.event("broken", error=f"{type(error).__name__}: {error}")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--token")
    parser.add_argument("--hmac-secret")
    parser.add_argument("--gzip-required", action="store_true")
    parser.add_argument("--idempotency-header", default="Idempotency-Key")
    parser.add_argument("--batch", choices=("allow", "require", "refuse"), default="allow",
                        nargs="?", const="require")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--client-ca", help="whose clients' certificates are demanded")
    options = parser.parse_args()
    server = Server(("127.0.0.1", options.port), Handler)
    server.webhook = Webhook(options)
    if options.cert:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        server.tls.load_cert_chain(options.cert, options.key)
        if options.client_ca:
            server.tls.verify_mode = ssl.CERT_REQUIRED
            server.tls.load_verify_locations(options.client_ca)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    server.webhook.platform.run(server.server_address[1])


if __name__ == "__main__":
    main()
