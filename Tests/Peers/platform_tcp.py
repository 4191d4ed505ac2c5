"""A TCP server for platforms whose protocol is a stream of packets, with faults on its lines.

`Lines.serve` calls `talk(line)` in a thread for each connection; the protocol reads with `line.read`
and answers with `line.answer`, which does what the fault of that message asks for.
"""

import os
import select
import socket
import struct
import threading
import time

from platform_control import Fault, Platform

POLL_SECONDS = 0.02


class Line:
    """One client's connection."""

    def __init__(self, sock: socket.socket, name: str, platform: Platform, fault: Fault):
        self.socket, self.name, self.platform, self.fault = sock, name, platform, fault
        self.lock = threading.Lock()
        self.is_open = True

    def read(self) -> bytes:
        """What has come, as late as the fault of the line makes it; empty when the line is over."""
        faults = self.platform.faults
        while self.is_open:
            if (self.fault.mode == "hang" and not faults.is_over(self.fault)) or (
                    faults.is_on("hang") is not None):
                time.sleep(POLL_SECONDS)
                continue
            try:
                if not select.select([self.socket], [], [], POLL_SECONDS)[0]:
                    continue
                # The fault may have been set while nothing came.
                if faults.is_on("hang") is not None:
                    continue
                slow = faults.is_on("slow")
                if slow is None and self.fault.mode == "slow" and not faults.is_over(self.fault):
                    slow = self.fault.options
                if slow is None:
                    return self.socket.recv(65536)
                rate = slow.get("rate", 200)
                part = max(1, int(rate * POLL_SECONDS))
                time.sleep(part / rate)
                return self.socket.recv(part)
            except (OSError, ValueError):
                break
        return b""

    def send(self, data: bytes, what: str = "") -> bool:
        """Sends; `what` goes into the diary as an answer."""
        try:
            with self.lock:
                self.socket.sendall(data)
        except OSError as error:
            self.platform.event("unsent", line=self.name, what=what, error=str(error))
            return False
        if what:
            self.platform.event("answered", line=self.name, what=what)
        return True

    def answer(self, fault: Fault, good: bytes, what: str, foreign: bytes = b"",
               refusal: bytes = b""):
        """Gives the answer as the fault has it; `foreign` is an answer to somebody else's message."""
        mode = fault.mode
        if mode:
            self.platform.event("fault", line=self.name, mode=mode, what=what)
        if mode in ("no_ack", "lost_ack"):
            return
        if mode == "late_ack":
            late = threading.Timer(
                fault.options.get("delay", 1.0), self.send, (good, what + ", late"))
            late.daemon = True
            late.start()
        elif mode == "wrong_id":
            self.send(foreign, what + ", of another")
        elif mode == "refuse":
            self.send(refusal, what + ", refused")
        elif mode == "half":
            self.send(good[:len(good) // 2], what + ", half")
            self.close()
        elif mode == "reset":
            self.reset()
        elif mode == "garbage":
            noise = os.urandom(int(fault.options.get("bytes", 40)))
            instead = fault.options.get("instead")
            self.send(noise if instead else noise + good, what + ", garbage")
        else:
            self.send(good, what)

    def reset(self):
        """RST instead of FIN: with a linger of zero the kernel throws away what is unsent."""
        self.is_open = False
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.is_open = False
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Lines:
    """The listening socket and all its lines."""

    def __init__(self, port: int, platform: Platform, talk):
        self.platform, self.talk = platform, talk
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        number = 0
        while True:
            sock, _ = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number += 1
            fault = self.platform.faults.at_connect()
            line = Line(sock, f"line {number}", self.platform, fault)
            if fault.mode == "slow":
                # The client shall feel that nobody takes its bytes.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            self.platform.event("connected", line=line.name, fault=fault.mode)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: Line):
        try:
            if line.fault.mode != "close":
                self.talk(line)
        finally:
            line.close()
            line.socket.close()
            self.platform.event("disconnected", line=line.name)
