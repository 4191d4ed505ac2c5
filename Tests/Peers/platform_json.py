"""JSON as the platforms read it: nothing twice, no NaN; and the objects of plumbline-json/1."""

import datetime
import json


def strict(data: bytes):
    """The value of a JSON text; raises ValueError for what RFC 8259 does not have."""
    def stop(word):
        raise ValueError(f"{word} is no JSON")

    def once(pairs):
        result = dict(pairs)
        if len(result) < len(pairs):
            raise ValueError("a member stands twice in an object")
        return result
    try:
        return json.loads(data.decode("utf-8"), parse_constant=stop, object_pairs_hook=once)
    except RecursionError:
        raise ValueError("nested too deep") from None


def in_utc(text):
    """An RFC 3339 time as ISO 8601 in UTC; anything else as it is."""
    try:
        told = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return text
    if told.tzinfo is None:
        return text
    return told.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def of_milliseconds(stamp: int) -> str:
    told = datetime.datetime.fromtimestamp(stamp // 1000, datetime.timezone.utc)
    return told.strftime("%Y-%m-%dT%H:%M:%S") + f".{stamp % 1000:03d}Z"


def is_keyed(value) -> bool:
    """Whether an object says that it is one of ours, or looks like it."""
    return isinstance(value, dict) and (
        str(value.get("format", "")).startswith("plumbline") or {"key", "revision"} <= set(value))


def keyed(value: dict) -> dict:
    """The ledger's record of an object with a key and a revision; raises ValueError."""
    def need(condition, why):
        if not condition:
            raise ValueError(why)

    need(value.get("format", "plumbline-json/1") == "plumbline-json/1",
         f"the format is {value.get('format')!r}")
    key, revision = value.get("key"), value.get("revision")
    need(isinstance(key, str) and key, f"the key is {key!r}")
    need(type(revision) is int and revision >= 0, f"the revision of {key} is {revision!r}")
    parts = key.split("|")
    return {"kind": value.get("kind") or (parts[1] if len(parts) > 1 else "json"),
            "subject": str(value.get("device") or parts[0]),
            "start": in_utc(value.get("start")), "key": key, "revision": revision,
            "values": {name: each for name, each in value.items()
                       if name not in ("format", "key", "revision")}}
