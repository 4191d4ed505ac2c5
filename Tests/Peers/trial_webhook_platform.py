"""Trials of webhook_platform: what it takes, what it refuses, TLS, and each fault."""

import datetime
import gzip
import hashlib
import hmac
import http.client
import ipaddress
import json
import pathlib
import socket
import ssl
import tempfile
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from trial_clients import Peer, Wire, eventually, temporary

KEY = "hz-qt-0172|rollup/15min|dust-north/rs485/normal|2026-11-21T00:00:00Z"


def bucket(key=KEY, revision=0, mean=150.875, **more) -> dict:
    return {"format": "plumbline-json/1", "key": key, "device": "dust-north", "revision": revision,
            "start": "2026-11-21T08:00:00+08:00", "series": [{"id": "pm10", "mean": mean}], **more}


class Answer:
    def __init__(self, answer):
        self.status, self.headers, data = answer.status, answer.headers, answer.read()
        self.value = json.loads(data) if data else None


class Client:
    """One connection that is kept."""

    def __init__(self, port, context=None):
        kind = (http.client.HTTPConnection if context is None else
                lambda *a, **k: http.client.HTTPSConnection(*a, context=context, **k))
        self.line, self.number = kind("127.0.0.1", port, timeout=5), 0

    def post(self, body, timeout=5.0, **headers) -> Answer:
        self.number += 1
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        told = {"Content-Type": "application/json", "Idempotency-Key": f"{id(self)}-{self.number}"}
        told.update({name.replace("_", "-"): value for name, value in headers.items()})
        self.line.timeout = timeout
        if self.line.sock:
            self.line.sock.settimeout(timeout)
        self.line.request("POST", "/in", data, {k: v for k, v in told.items() if v is not None})
        return Answer(self.line.getresponse())


class WebhookCase(unittest.TestCase):
    number = 0

    @classmethod
    def setUpClass(cls):
        cls.hook = Peer("webhook_platform.py")
        cls.addClassCleanup(cls.hook.stop)

    def setUp(self):
        WebhookCase.number += 1
        self.key = f"site|rollup/15min|group-{WebhookCase.number}|2026-11-21T00:00:00Z"
        self.client = Client(self.hook.port)
        # A request whose client has left is handled all the same; it must not take another's fault.
        self.addCleanup(lambda: eventually(self.is_idle))
        self.addCleanup(self.client.line.close)
        self.addCleanup(self.hook.misbehave, "off")

    def is_idle(self):
        told = self.hook.ask("GET", "/stats")
        return told.get("connected", 0) == told.get("disconnected", 0)

    def records(self):
        return [record for record in self.hook.ledger() if record["key"].startswith(self.key)]


class WebhookTrials(WebhookCase):
    def test_revisions_replace_and_repeats_count(self):
        for revision, mean in ((0, 1.0), (2, 3.0), (1, 2.0), (2, 3.0)):
            answer = self.client.post(bucket(self.key, revision, mean))
            self.assertEqual((answer.status, answer.value), (200, {"accepted": [self.key]}))
        [record] = self.records()
        self.assertEqual((record["revision"], record["revisions"], record["times"]), (2, [0, 2, 1, 2], 4))
        self.assertEqual(record["values"]["series"][0]["mean"], 3.0)
        self.assertEqual((record["kind"], record["subject"], record["start"]),
                         ("rollup/15min", "dust-north", "2026-11-21T00:00:00Z"))
        self.assertNotIn("changes", record)
        self.client.post(bucket(self.key, 2, 4.0))
        self.assertEqual(self.records()[0]["changes"][0]["name"], "series")

    def test_batches_gzip_and_other_json(self):
        keys = [self.key + "|a", self.key + "|b"]
        items = {"items": [bucket(key) for key in keys]}
        answer = self.client.post(gzip.compress(json.dumps(items).encode()), Content_Encoding="gzip")
        self.assertEqual(answer.value, {"accepted": keys})
        body = {"device": "x", "value": 1}
        for expected in (200, 200):
            self.assertEqual(self.client.post(body, Idempotency_Key=self.key).status, expected)
        self.assertEqual(self.client.post({"device": "y"}, Idempotency_Key=self.key).status, 422)
        self.assertEqual([record["times"] for record in self.records()], [1, 1, 2])

    def test_what_is_wrong_gets_a_problem_document(self):
        good = bucket(self.key)
        text = json.dumps(good).encode()
        for status, body, headers in (
                (400, text, {"Idempotency_Key": None}), (415, text, {"Content_Type": "text/plain"}),
                (400, text[:-1], {}), (400, b'{"a": NaN}', {}), (400, b'{"a": 1, "a": 2}', {}),
                (400, b"\xff", {}), (400, b"[" * 100_000, {}),
                (415, text, {"Content_Encoding": "br"}), (400, text, {"Content_Encoding": "gzip"}),
                (400, gzip.compress(text)[:-1], {"Content_Encoding": "gzip"}),
                (400, {"items": []}, {}), (422, {"items": [good, good]}, {}),
                (422, {"items": [good, {"a": 1}]}, {}), (422, bucket(self.key, -1), {}),
                (422, bucket(self.key, True), {}), (422, bucket(7), {}),
                (422, {**good, "format": "plumbline-json/2"}, {})):
            answer = self.client.post(body, **headers)
            self.assertEqual(answer.status, status, body)
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
            self.assertEqual(answer.value["status"], status)
        self.client.line.request("GET", "/in")
        self.assertEqual(Answer(self.client.line.getresponse()).status, 405)
        self.assertEqual(self.records(), [])
        self.assertEqual(self.client.post(good).status, 200)

    def test_token_signature_and_options(self):
        hook = Peer("webhook_platform.py", "--token", "T", "--hmac-secret", "S", "--gzip-required",
                    "--idempotency-header", "X-Once", "--batch")
        self.addCleanup(hook.stop)
        client = Client(hook.port)
        self.addCleanup(client.line.close)
        data = gzip.compress(json.dumps({"items": [bucket()]}).encode())

        def signature(body, ago=0, secret=b"S", over=None):
            stamp = str(int(time.time()) - ago)
            signed = stamp.encode() + b"." + (body if over is None else over)
            return f"t={stamp},v1={hmac.new(secret, signed, hashlib.sha256).hexdigest()}"

        def signed(body=data, **more):
            headers = {"Authorization": "Bearer T", "Content_Encoding": "gzip", "X_Once": "1",
                       "X_Plumbline_Signature": signature(body), "Idempotency_Key": None, **more}
            return client.post(body, **headers).status

        self.assertEqual(signed(), 200)
        good, plain = signature(data), gzip.decompress(data)
        digest = good.partition(",v1=")[2]
        for wrong in (None, signature(data, ago=310), signature(data, ago=-310),
                      signature(data, secret=b"other"), signature(data, over=plain),
                      good.replace("t=", "t=0"), good.upper(), f"t=,v1={digest}", f"v1={digest}",
                      f"sha256={digest}", good + ",v0=" + digest, good[:-1]):
            self.assertEqual(signed(X_Plumbline_Signature=wrong), 401, wrong)
        self.assertEqual(len(hook.refused()), 12)
        self.assertEqual(signed(Authorization="Bearer U"), 401)
        self.assertEqual(signed(Authorization=None), 401)
        self.assertEqual(signed(plain, Content_Encoding=None), 415)
        self.assertEqual(signed(X_Once=None), 400)
        self.assertEqual(signed(gzip.compress(json.dumps(bucket()).encode())), 400)
        self.assertEqual(len(hook.refused()), 17)
        self.assertEqual(hook.ledger()[0]["times"], 1)

    def test_chunks_are_put_together(self):
        text = json.dumps(bucket(self.key)).encode()
        self.client.line.request(
            "POST", "/", iter([text[:50], text[50:]]), encode_chunked=True,
            headers={"Content-Type": "application/json", "Idempotency-Key": "chunks",
                     "Transfer-Encoding": "chunked"})
        self.assertEqual(Answer(self.client.line.getresponse()).status, 200)

    def test_tls_with_and_without_the_clients_certificate(self):
        with tempfile.TemporaryDirectory() as folder:
            authority, server, client = certificates(pathlib.Path(folder))
            hook = Peer("webhook_platform.py", "--cert", server, "--key", server, "--client-ca", authority)
            self.addCleanup(hook.stop)
            context = ssl.create_default_context(cafile=authority)
            stranger = Client(hook.port, context)
            with self.assertRaises((OSError, http.client.HTTPException)):
                stranger.post(bucket())
            stranger.line.close()
            context.load_cert_chain(client)
            line = Client(hook.port, context)
            self.addCleanup(line.line.close)
            self.assertEqual(line.post(bucket()).status, 200)
            eventually(lambda: any(one["why"].startswith("TLS") for one in hook.refused()))

    def test_a_webhook_that_starts_again_knows_its_records(self):
        path, port, times = temporary(), 0, []
        for _ in range(2):
            hook = Peer("webhook_platform.py", ledger=path, port=port)
            port = hook.port
            client = Client(port)
            client.post(bucket())
            client.line.close()
            times += [record["times"] for record in hook.ledger()]
            hook.kill()
        self.assertEqual(times, [1, 2])


class WebhookFaultTrials(WebhookCase):
    def times(self):
        return [record["times"] for record in self.records()]

    def fails(self, kind, timeout=0.1):
        with self.assertRaises(kind) as caught:
            self.client.post(bucket(self.key), timeout)
        self.client.line.close()
        return type(caught.exception)

    def suffers(self):
        """A request without an answer; waits until the platform has handled it."""
        before = self.hook.struck()
        self.fails(socket.timeout)
        eventually(lambda: self.hook.struck() > before and self.is_idle())

    def test_silence_before_and_after_the_record(self):
        self.hook.misbehave("no_ack", count=1)
        self.suffers()
        self.assertEqual(self.times(), [])
        self.hook.misbehave("lost_ack", count=1)
        self.suffers()
        self.assertEqual(self.client.post(bucket(self.key)).status, 200)
        self.assertEqual(self.times(), [2])

    def test_a_late_answer_and_foreign_keys(self):
        self.hook.misbehave("late_ack", count=1, delay=0.2)
        began = time.monotonic()
        self.assertEqual(self.client.post(bucket(self.key)).status, 200)
        self.assertGreater(time.monotonic() - began, 0.19)
        self.hook.misbehave("wrong_id", count=1)
        self.assertEqual(self.client.post(bucket(self.key)).value, {"accepted": ["not-" + self.key]})

    def test_refusals_of_all_of_some_and_of_large_ones(self):
        self.hook.misbehave("refuse", count=1, status=503, retry_after=2)
        answer = self.client.post(bucket(self.key))
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "2"))
        batch = {"items": [bucket(self.key + "|good"), bucket(self.key + "|poison")]}
        self.hook.misbehave("refuse", status=422, refuse_key="poison")
        self.assertEqual(self.client.post(batch).status, 422)
        self.assertEqual(self.client.post(bucket(self.key + "|good")).status, 200)
        self.hook.misbehave("refuse", status=413, over_items=1)
        self.assertEqual(self.client.post(batch).status, 413)
        self.assertEqual(self.client.post(bucket(self.key + "|good")).status, 200)
        self.assertEqual(self.times(), [2])

    def test_half_an_answer_a_reset_garbage_and_a_closed_door(self):
        for mode, kind in (("half", http.client.HTTPException), ("reset", ConnectionResetError),
                           ("garbage", http.client.HTTPException)):
            self.hook.misbehave(mode, count=1)
            found = self.fails(kind, 2)
            # What Python calls RemoteDisconnected is a FIN, and inherits from the reset.
            self.assertEqual(found is ConnectionResetError, mode == "reset", found)
        self.hook.misbehave("close", count=1)
        line = Wire(self.hook.port)
        self.addCleanup(line.close)
        self.assertEqual(line.end(), "closed")
        self.assertEqual(self.times(), [])

    def test_a_platform_that_hangs_and_one_that_is_slow(self):
        self.hook.misbehave("hang")
        self.fails(socket.timeout)
        self.hook.misbehave("off")
        self.hook.misbehave("slow", rate=2000)
        began = time.monotonic()
        self.assertEqual(self.client.post(bucket(self.key)).status, 200)
        self.assertGreater(time.monotonic() - began, 0.09)


def certificates(folder: pathlib.Path):
    """Paths of an authority, of a server's and of a client's certificate with its key."""
    now, made = datetime.datetime.now(datetime.timezone.utc), []
    signer = None
    for name in ("authority", "server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = signer or (subject, key)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0])
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(hours=1))
                   .not_valid_after(now + datetime.timedelta(hours=1))
                   .add_extension(x509.BasicConstraints(signer is None, None), True)
                   .add_extension(x509.SubjectAlternativeName(
                       [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False))
        signer = signer or issuer
        path = folder / f"{name}.pem"
        path.write_bytes(
            builder.sign(issuer[1], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption()))
        made.append(str(path))
    return made
