"""A receiver of alarms: a webhook that checks signatures, and three messengers' robots.

Written from docs/formats/alarm-feed.md and from what the messengers publish; it shares nothing with
the program. Python 3.9, standard library only. First line on standard output: `listening <port>`.

    POST /hook                     X-Plumbline-Signature is checked with --secret
    POST /dingtalk/send?access_token=…&timestamp=…&sign=…
    POST /wecom/send?key=…
    POST /feishu/hook
    POST /mode   {"name": "hook", "status": 503}     that place answers so from now on; 200 ends it
    GET  /log                      everything accepted, as a JSON list, with the time of arrival
    GET  /refused                  why something was refused
    GET  /fast                     each time that a robot was asked more often than it allows
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.parse

LIMIT = {"dingtalk": [(20, 60)], "wecom": [(20, 60)], "feishu": [(100, 60), (5, 1)]}


class Receiver:
    def __init__(self, secret):
        self.secret = secret
        self.lock = threading.Lock()
        self.accepted, self.refused, self.fast, self.modes, self.times = [], [], [], {}, {}

    def refuse(self, name, why):
        with self.lock:
            self.refused.append({"name": name, "why": why})

    def accept(self, name, body, headers):
        with self.lock:
            self.accepted.append({
                "name": name, "time": time.time(), "body": body,
                "key": headers.get("Idempotency-Key"),
            })

    def is_over(self, name):
        """Whether a robot was asked too often; what is refused counts too, as it does there."""
        now = time.monotonic()
        with self.lock:
            times = [t for t in self.times.get(name, []) if now - t < 60] + [now]
            self.times[name] = times
            is_over = any(sum(now - t < span for t in times) > count for count, span in LIMIT[name])
            if is_over:
                self.fast.append({"name": name})
        return is_over


def sign(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver = None

    def log_message(self, *_):
        pass

    def answer(self, status, value, kind="application/json"):
        data = json.dumps(value).encode() if not isinstance(value, bytes) else value
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        receiver = self.receiver
        with receiver.lock:
            found = {"/log": receiver.accepted, "/refused": receiver.refused,
                     "/fast": receiver.fast}.get(self.path)
            found = None if found is None else list(found)
        self.answer(404 if found is None else 200, found)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path = urllib.parse.urlparse(self.path)
        query = dict(urllib.parse.parse_qsl(path.query))
        name = path.path.strip("/").split("/")[0]
        receiver = self.receiver
        if name == "mode":
            wanted = json.loads(body)
            with receiver.lock:
                receiver.modes[wanted["name"]] = wanted["status"]
            return self.answer(200, {})
        status = receiver.modes.get(name, 200)
        if status != 200:
            return self.answer(status, {"error": "as told"})
        try:
            code, value = getattr(self, name)(body, query)
        except Exception as error:  # whatever a broken message does, it is refused
            receiver.refuse(name, f"{type(error).__name__}: {error}")
            return self.answer(400, {"error": str(error)})
        self.answer(code, value)

    def hook(self, body, _):
        header = self.headers.get("X-Plumbline-Signature", "")
        fields = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
        expected = sign(
            self.receiver.secret, fields.get("t", "").encode() + b"." + body).hex()
        if not hmac.compare_digest(expected, fields.get("v1", "")):
            self.receiver.refuse("hook", "the signature is wrong")
            return 401, {}
        if abs(time.time() - int(fields["t"])) > 300:
            self.receiver.refuse("hook", "the signature is old")
            return 401, {}
        self.receiver.accept("hook", json.loads(body), self.headers)
        return 204, b""

    def dingtalk(self, body, query):
        if self.receiver.is_over("dingtalk"):
            return 200, {"errcode": 130101, "errmsg": "send too fast"}
        secret = self.receiver.secret
        expected = base64.b64encode(sign(secret, query["timestamp"].encode() + b"\n" + secret))
        if query.get("sign") != expected.decode():
            self.receiver.refuse("dingtalk", "sign not match")
            return 200, {"errcode": 310000, "errmsg": "sign not match"}
        value = json.loads(body)
        assert value["msgtype"] == "markdown" and value["markdown"]["title"]
        self.receiver.accept("dingtalk", value, self.headers)
        return 200, {"errcode": 0, "errmsg": "ok"}

    def wecom(self, body, query):
        if self.receiver.is_over("wecom"):
            return 200, {"errcode": 45009, "errmsg": "api freq out of limit"}
        if query.get("key") != "the-key":
            self.receiver.refuse("wecom", "invalid key")
            return 200, {"errcode": 93000, "errmsg": "invalid webhook url"}
        value = json.loads(body)
        if len(value["markdown"]["content"].encode()) > 4096:
            self.receiver.refuse("wecom", "too long")
            return 200, {"errcode": 40058, "errmsg": "markdown.content exceed max length 4096"}
        self.receiver.accept("wecom", value, self.headers)
        return 200, {"errcode": 0, "errmsg": "ok"}

    def feishu(self, body, _):
        if self.receiver.is_over("feishu"):
            return 200, {"code": 11232, "msg": "frequency limited psm"}
        value = json.loads(body)
        key = f"{value['timestamp']}\n".encode() + self.receiver.secret
        if value.get("sign") != base64.b64encode(sign(key, b"")).decode():
            self.receiver.refuse("feishu", "sign match fail")
            return 200, {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}
        if abs(time.time() - int(value["timestamp"])) > 3600:
            return 200, {"code": 19021, "msg": "timestamp is not within one hour"}
        self.receiver.accept("feishu", value, self.headers)
        return 200, {"code": 0, "msg": "success", "data": {}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--secret", default="the-secret")
    Handler.receiver = Receiver(parser.parse_args().secret.encode())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"listening {server.server_address[1]}", flush=True)
    server.serve_forever()
