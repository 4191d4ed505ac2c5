"""Reads messages of feeds with Python's own parsers and tells what it read.

Standard input: a JSON array of {"form": "xml" | "json" | "texts" | "mail", "body": Base64}.
Standard output: a JSON array with one object for each: an XML element as [name, attributes, text,
children], a JSON value as it is, its texts in their order as lists of code points, a mail as its
headers and its text. What no parser takes is {"error": why}.
"""

import base64
import email.policy
import email.utils
import json
import sys
import xml.etree.ElementTree


def element(node):
    return [node.tag, node.attrib, node.text or "", [element(child) for child in node]]


def texts(value):
    if isinstance(value, str):
        return [[ord(character) for character in value]]
    if isinstance(value, dict):
        value = value.values()
    return [text for part in value for text in texts(part)] if hasattr(value, "__iter__") else []


def mail(body):
    # sendmail reads lines that end with LF alone, as Python does.
    message = email.message_from_bytes(body, policy=email.policy.default)
    defects = list(message.defects)
    headers = []
    for name, value in message.items():
        defects += getattr(value, "defects", [])
        headers.append([name, str(value)])
    head, _, content = body.partition(b"\n\n")
    return {
        "headers": headers,
        "defects": [repr(defect) for defect in defects],
        "recipients": [
            [address.display_name, address.addr_spec] for address in message["to"].addresses
        ],
        "date": int(email.utils.parsedate_to_datetime(message["date"]).timestamp()),
        "text": message.get_content(),
        "longest_header_line": max(len(line) for line in head.split(b"\n")),
        "longest_body_line": max(len(line) for line in content.split(b"\n")),
        "has_carriage_return": b"\r" in body,
    }


def read(message):
    body = base64.b64decode(message["body"])
    try:
        if message["form"] == "xml":
            return element(xml.etree.ElementTree.fromstring(body))
        if message["form"] in ("json", "texts"):
            value = json.loads(body.decode("utf-8"))
            return value if message["form"] == "json" else texts(value)
        return mail(body)
    except Exception as error:  # whatever it is, the test wants to know
        return {"error": repr(error)}


json.dump([read(message) for message in json.load(sys.stdin)], sys.stdout)
