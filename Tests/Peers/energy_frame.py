"""Frame form A of the building energy upload, and the message that it carries.

    head      4   68 68 16 16, or 55 AA 55 AA in the reversed dialect
    length    4   little endian: bytes of the next two parts
    sequence  4   opaque; an answer repeats it
    body      n   AES-128-CBC of the XML, filled with NUL to a multiple of 16
    CRC       2   little endian: CRC-16/XMODEM over sequence and body
    tail      4   55 AA 55 AA, or 68 68 16 16 in the reversed dialect

The XML is <root><common><building_id/><gateway_id/><type/></common> and one more element, whose
operation `type` repeats. Blanks around the text and around an operation are no fault.
"""

import dataclasses
import re
import struct
import xml.etree.ElementTree as ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MAGIC = {"guideline": (b"\x68\x68\x16\x16", b"\x55\xaa\x55\xaa"),
         "reversed": (b"\x55\xaa\x55\xaa", b"\x68\x68\x16\x16")}
BODY_MAX = 1 << 20


class Violation(Exception):
    """What a frame or a message does against the guideline."""


def need(condition, why: str):
    if not condition:
        raise Violation(why)


def crc_xmodem(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


@dataclasses.dataclass
class Message:
    building: str
    gateway: str
    operation: str
    element: ElementTree.Element
    sequence: bytes
    text: str


@dataclasses.dataclass
class Codec:
    """The dialect of one endpoint."""

    magic: str = "guideline"
    key: bytes = bytes(range(1, 17))
    iv: bytes = bytes(range(1, 17))
    encoding: str = "utf-8"

    def _cipher(self):
        return Cipher(algorithms.AES(self.key), modes.CBC(self.iv))

    def encode(self, text: str, sequence: bytes) -> bytes:
        head, tail = MAGIC[self.magic]
        plain = text.encode(self.encoding)
        plain += bytes(-len(plain) % 16)
        worker = self._cipher().encryptor()
        body = sequence + worker.update(plain) + worker.finalize()
        return (head + struct.pack("<I", len(body)) + body
                + struct.pack("<H", crc_xmodem(body)) + tail)

    def cut(self, buffer: bytes):
        """(size, why): the size of the frame or of the junk that begins here, 0 when more is needed."""
        head, tail = MAGIC[self.magic]
        start = buffer.find(head)
        if start < 0:
            keep = next((n for n in (3, 2, 1) if buffer.endswith(head[:n])), 0)
            start = len(buffer) - keep
            return start, "bytes outside of any frame" if start else None
        if start > 0:
            return start, "bytes outside of any frame"
        if len(buffer) < 8:
            return 0, None
        length = struct.unpack("<I", buffer[4:8])[0]
        if not 20 <= length <= BODY_MAX or length % 16 != 4:
            return 4, f"a length of {length}, which is not 4 and a multiple of 16"
        end = 8 + length + 6
        if len(buffer) < end:
            return 0, None
        if buffer[end - 4:end] != tail:
            return 4, f"the tail is {buffer[end - 4:end].hex()}, not {tail.hex()}"
        told = struct.unpack("<H", buffer[end - 6:end - 4])[0]
        wanted = crc_xmodem(buffer[8:8 + length])
        if told != wanted:
            return end, f"the CRC is {told:04X} where it should be {wanted:04X}"
        return end, None

    def decode(self, frame: bytes) -> tuple[bytes, str]:
        """(sequence, XML) of a frame that `cut` found whole."""
        worker = self._cipher().decryptor()
        plain = worker.update(frame[12:-6]) + worker.finalize()
        text = plain.rstrip(b"\0")
        need(len(plain) - len(text) < 16, "more than 15 NUL at the end: is it the key?")
        need(b"\0" not in text, "NUL inside of the text: is it the key?")
        try:
            return frame[8:12], text.decode(self.encoding)
        except UnicodeDecodeError:
            raise Violation(f"the text is not {self.encoding}: is it the key?") from None

    def message(self, frame: bytes) -> Message:
        sequence, text = self.decode(frame)
        declared = re.match(r"<\?xml\b[^>]*\?>\s*", text)
        if declared:
            named = re.search(r"""encoding\s*=\s*["']([^"']+)["']""", declared[0])
            need(named is None or named[1].lower() == self.encoding,
                 f"the XML says that it is {named and named[1]}, agreed is {self.encoding}")
            text = text[declared.end():]
        need("<!DOCTYPE" not in text and "<!ENTITY" not in text, "the XML has a DTD")
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise Violation(f"the XML is broken: {error}") from None
        need(root.tag == "root", f"the outermost element is {root.tag}, not root")
        need(len(root) == 2 and root[0].tag == "common",
             f"root holds {[child.tag for child in root]}, not common and one more")
        common, element = root
        need(sorted(child.tag for child in common) == ["building_id", "gateway_id", "type"],
             "common holds not building_id, gateway_id and type")
        building, gateway, kind = (
            (common.findtext(name) or "").strip() for name in ("building_id", "gateway_id", "type"))
        need(re.fullmatch(r"[0-9]{6}[A-Z][0-9]{3}", building), f"building_id {building!r}")
        need(re.fullmatch(r"[0-9]{2}", gateway), f"gateway_id {gateway!r}")
        operation = (element.get("operation") or "").strip()
        need(operation and kind == operation,
             f"type is {kind!r}, the operation of {element.tag} is {operation!r}")
        return Message(building, gateway, operation, element, sequence, text)
