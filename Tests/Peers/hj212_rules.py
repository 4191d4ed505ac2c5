"""What a packet of HJ 212 has to be, told in words when it is not.

    ##LLLL <data segment, LLLL bytes, at most 1024> CCCC \r\n
    data segment: QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;[PNUM=…;PNO=…;]CP=&&data area&&
    data area:    items separated by ';', the sub-values of one item by ','

CCCC is the CRC of the data segment, four upper-case hex digits, high byte first. The lengths of
Table 3 include name and '=', so that the CP field with its signs has 950 bytes at most.
"""

import dataclasses
import datetime
import re
from decimal import Decimal

ZONE = datetime.timezone(datetime.timedelta(hours=8))
EDITIONS = {"2005": 0, "2017": 1, "2025": 2}

# CN that a field station may send of its own; the rest of the uploads answer a request.
NOTICES = {"1013"}
UPLOADS = {"1011", "1061", "1063", "2011", "2021", "2031", "2041", "2051", "2061", "2081",
           "3015", "3017", "3018", "3019", "3020"}
NOTICES_2025 = {"1001"}
UPLOADS_2025 = {"1014", "2013", "2052", "2062", "2111", "9015"}
ANSWERS = {"9011", "9012", "9013"}
ASKED = {"1011", "1061", "1063", "1014", "3015", "3017", "3018", "3019", "3020"}
PERIODS = {"2051", "2061", "2031", "2041"}
SUFFIXES = {
    "2011": {"Rtd", "Flag", "EFlag"},
    "2051": {"Min", "Avg", "Max", "Cou", "Data", "Flag", "EFlag"},
    "2061": {"Min", "Avg", "Max", "Cou", "Data", "Flag", "EFlag"},
    "2031": {"Min", "Avg", "Max", "Cou", "Data", "DayData", "NightData", "Flag", "EFlag"},
    "2052": {"Data", "Flag", "EFlag"},
    "2021": {"RS"}, "2041": {"RT"},
}
NOISE = {"LA", "L5", "L10", "L50", "L90", "L95", "Leq", "Ldn", "Ld", "Ln", "LMx", "LMn"}
# Whole and decimal digits of annex B. Particulates are missing: their printed unit and width
# contradict each other.
WIDTHS = {"a01001": (3, 1), "a01002": (3, 1), "a01006": (5, 3), "a01007": (4, 1), "a01008": (4, 0),
          **{name: (3, 1) for name in NOISE}}
PARTICULATES = {"a34001", "a34002", "a34004", "a34005"}
PLAUSIBLE = {"ug/m3": (Decimal(1), Decimal(5000)), "mg/m3": (Decimal("0.001"), Decimal(5))}
MIN_INTERVALS = {1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30}


class Violation(Exception):
    """What a packet does against the standard."""


def need(condition, why: str):
    if not condition:
        raise Violation(why)


def crc_hj212(data: bytes) -> int:
    """Annex A: the register moves down by a whole byte before the next one comes in."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


def crc_modbus(data: bytes) -> int:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


CRC = {"hj212": crc_hj212, "modbus": crc_modbus}


def packet(segment: str, crc=crc_hj212) -> bytes:
    data = segment.encode()
    return b"##%04d%s%04X\r\n" % (len(data), data, crc(data))


class Splitter:
    """Cuts a stream into packets; what is none comes out as a violation."""

    def __init__(self, crc):
        self.crc, self.buffer = crc, b""

    def feed(self, data: bytes):
        """Yields (segment, None, raw) for a packet and (None, why, raw) for what breaks the frame."""
        self.buffer += data
        while self.buffer:
            start = self.buffer.find(b"##")
            if start < 0:
                keep = 1 if self.buffer.endswith(b"#") else 0
                start = len(self.buffer) - keep
                if start == 0:
                    return
            if start > 0:
                junk, self.buffer = self.buffer[:start], self.buffer[start:]
                yield None, "bytes outside of any packet", junk
                continue
            if len(self.buffer) < 6:
                return
            why, size = self._frame()
            if why is None and size is None:
                return
            # After a broken frame the search goes on behind its head.
            size = 2 if why and size is None else size
            raw, self.buffer = self.buffer[:size], self.buffer[size:]
            yield (None, why, raw) if why else (raw[6:-6], None, raw)

    def _frame(self):
        """(why it is broken or None, how many bytes belong to it or None)."""
        digits = self.buffer[2:6]
        if not re.fullmatch(rb"[0-9]{4}", digits):
            return f"the length is {digits!r}, not four digits", None
        length = int(digits)
        if length > 1024:
            return f"a data segment of {length} bytes; 1024 are allowed", None
        end = 6 + length + 6
        if len(self.buffer) < end:
            return None, None
        raw = self.buffer[:end]
        if raw[-2:] != b"\r\n":
            return f"no CR LF where the length of {length} ends the packet, but {raw[-2:]!r}", None
        printed, wanted = raw[-6:-2], b"%04X" % self.crc(raw[6:-6])
        if printed != wanted:
            if printed.upper() == wanted:
                return f"the CRC {printed!r} is not in upper case", end
            return f"the CRC is {printed!r} where it should be {wanted!r}", end
        return None, end


@dataclasses.dataclass
class Segment:
    qn: str
    st: str
    cn: str
    pw: str
    mn: str
    flag: int | None
    pnum: int | None
    pno: int | None
    area: str
    text: str

    @property
    def wants_answer(self) -> bool:
        return bool(self.flag and self.flag & 1)

    def when(self) -> datetime.datetime:
        return moment(self.qn[:14], "QN")


def moment(text: str, name: str) -> datetime.datetime:
    need(re.fullmatch(r"[0-9]{14}", text), f"{name} {text!r} is not YYYYMMDDhhmmss")
    try:
        return datetime.datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=ZONE)
    except ValueError:
        raise Violation(f"{name} {text!r} is no time of the calendar") from None


FIELDS = {
    "QN": (r"[0-9]{17}", "17 digits"), "ST": (r"[0-9A-Z]{2}", "two characters"),
    "CN": (r"[0-9]{4}", "four digits"), "PW": (r".*", ""), "MN": (r".*", ""),
    "Flag": (r"0|[1-9][0-9]{0,2}", "a number of 0 to 255"),
    "PNUM": (r"[1-9][0-9]{0,3}", "a number from 1"), "PNO": (r"[1-9][0-9]{0,3}", "a number from 1"),
}


def parse(data: bytes, edition: str) -> Segment:
    """The fields of a data segment in the order of Table 3; raises Violation."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Violation(f"the data segment is not UTF-8: {error}") from None
    head, found, area = text.partition("CP=&&")
    need(found and area.endswith("&&"), "no CP=&&…&& at the end of the data segment")
    area = area[:-2]
    need("&&" not in area, "&& inside of the data area")
    need(len(f"CP=&&{area}&&".encode()) <= 950, "a CP of more than 950 bytes")
    need(head.endswith(";"), "no ';' before CP")
    pairs = [part.partition("=") for part in head[:-1].split(";")]
    names = [name for name, _, _ in pairs]
    order = ["QN", "ST", "CN", "PW", "MN", "Flag"]
    orders = [order, order + ["PNUM", "PNO"]]
    if edition == "2005":
        # Old boxes leave QN and Flag away where nothing is to be acknowledged.
        orders += [order[1:5], order[1:], order[1:] + ["PNUM", "PNO"]]
    need(names in orders, f"the fields are {';'.join(names)};CP, not "
         "QN;ST;CN;PW;MN;Flag;[PNUM;PNO;]CP")
    fields = {name: value for name, _, value in pairs}
    for name, value in fields.items():
        pattern, form = FIELDS[name]
        need(re.fullmatch(pattern, value), f"{name} is {value!r}, not {form}")
    if "QN" in fields:
        moment(fields["QN"][:14], "QN")
    flag = int(fields["Flag"]) if "Flag" in fields else None
    pnum, pno = (int(fields[name]) if name in fields else None for name in ("PNUM", "PNO"))
    if flag is not None:
        need(flag <= 255 and flag >> 2 == EDITIONS[edition],
             f"Flag {flag} is not of the {edition} edition")
        need(bool(flag & 2) == (pnum is not None),
             f"Flag {flag} and the presence of PNUM and PNO contradict each other")
        need("QN" in fields or not flag & 1, "an answer is wanted, but there is no QN")
    need(pnum is None or pno <= pnum, f"PNO {pno} of PNUM {pnum}")
    return Segment(fields.get("QN", ""), fields["ST"], fields["CN"], fields["PW"], fields["MN"],
                   flag, pnum, pno, area, text)


def items(area: str) -> list[list[tuple[str, str]]]:
    """The items of a data area, each a list of (name, value)."""
    result, seen = [], set()
    for item in area.split(";") if area else []:
        need(item, "an empty item in the data area")
        pairs = []
        for part in item.split(","):
            name, equals, value = part.partition("=")
            need(equals and re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z]+)?", name),
                 f"{part!r} is not name=value")
            need(value and not re.search(r"[\s=&]", value), f"{name} has the value {value!r}")
            need(name not in seen, f"{name} stands twice")
            seen.add(name)
            pairs.append((name, value))
        result.append(pairs)
    return result


@dataclasses.dataclass
class Rules:
    """What a host expects of the data of its stations beyond their form."""

    edition: str = "2017"
    data_time: str = "start"
    factors: frozenset = frozenset()
    any_width: bool = False
    allow_early: bool = False

    def data(self, segment: Segment, min_interval: int, unit: str | None):
        """(start of the period or moment, DataTime as on the wire, values by name)."""
        cn, values, stamp = segment.cn, {}, None
        for pairs in items(segment.area):
            if pairs[0][0] in ("DataTime", "RestartTime"):
                need(len(pairs) == 1, f"{pairs[0][0]} shares its item with others")
                told = moment(pairs[0][1], pairs[0][0])
                if pairs[0][0] == "DataTime":
                    stamp = (pairs[0][1], told)
                else:
                    need(cn == "2081", f"RestartTime in {cn}")
                    values["RestartTime"] = pairs[0][1]
                continue
            self._item(cn, pairs, unit)
            values.update(pairs)
        need(stamp, "there is no DataTime")
        need(values, "there are no values")
        if cn == "2081":
            need(set(values) == {"RestartTime"}, "2081 has DataTime and RestartTime only")
        return self._start(segment, stamp[1], min_interval), stamp[0], values

    def _item(self, cn, pairs, unit):
        code = pairs[0][0].partition("-")[0]
        allowed, told = SUFFIXES.get(cn, set()), {}
        for name, value in pairs:
            own, _, suffix = name.partition("-")
            need(own == code, f"{name} stands in the item of {code}")
            need(suffix in allowed, f"{name} has no place in {cn}")
            self._name(cn, code, suffix)
            if suffix == "Flag":
                need(re.fullmatch(r"[A-Z0-9]", value), f"{name} is {value!r}, not one of A-Z, 0-9")
            elif suffix == "EFlag":
                need(len(value) <= 4, f"{name} {value!r} has more than four characters")
            else:
                told[suffix] = self._number(code, name, value)
        known = [(suffix, told[suffix]) for suffix in ("Min", "Avg", "Max") if suffix in told]
        for (low, a), (high, b) in zip(known, known[1:]):
            need(a <= b, f"{code}-{low} {a} is above {code}-{high} {b}")
        if unit and code in PARTICULATES and dict(pairs).get(f"{code}-Flag", "N") == "N":
            low, high = PLAUSIBLE[unit]
            for suffix, number in told.items():
                need(suffix == "Cou" or low <= number <= high,
                     f"{code}-{suffix} {number} {unit} is not plausible")

    def _name(self, cn, code, suffix):
        if code in self.factors:
            return
        if cn in ("2021", "2041"):
            return need(re.fullmatch(r"SB[0-9]{1,3}", code), f"{code} is no equipment")
        if suffix in ("Data", "DayData", "NightData"):
            need(code in NOISE - {"LA"} or (cn, code) == ("2052", "LA"),
                 f"-{suffix} is for noise, not for {code}")
            only = {"Ldn": ("2031", "Data"), "Ld": ("2031", "DayData"), "Ln": ("2031", "NightData")}
            need(code not in only or only[code] == (cn, suffix), f"{code}-{suffix} in {cn}")
            need(code != "Leq" or cn != "2031", "2031 tells Ldn, Ld and Ln, not Leq")
            return
        old = r"|[0-9A-Z][0-9]{2}" if self.edition == "2005" else ""
        need(re.fullmatch(r"[a-z][0-9]{5}" + old, code) or code in NOISE, f"{code} is no factor code")

    def _number(self, code, name, value) -> Decimal:
        found = re.fullmatch(r"[+-]?([0-9]+)(?:\.([0-9]+))?", value)
        need(found, f"{name} is {value!r}, not a number")
        whole, decimals = len(found[1]), len(found[2] or "")
        need(whole <= 14, f"{name} {value} has more than 14 digits before the point")
        if code in WIDTHS and not self.any_width:
            most = WIDTHS[code]
            need(whole <= most[0] and decimals <= most[1],
                 f"{name} {value} does not fit into N{most[0]}.{most[1]}")
        return Decimal(value)

    def _start(self, segment, told, min_interval):
        if segment.cn not in PERIODS:
            return told
        day = datetime.timedelta(days=1)
        period = {"2051": datetime.timedelta(minutes=min_interval),
                  "2061": datetime.timedelta(hours=1)}.get(segment.cn, day)
        since = told - told.replace(hour=0, minute=0, second=0)
        need(since % period == datetime.timedelta(0),
             f"DataTime {told:%Y%m%d%H%M%S} of {segment.cn} is no border of {period}")
        start = told - period if self.data_time == "end" else told
        if segment.qn and not self.allow_early:
            need(start + period <= segment.when(),
                 f"the period from {start:%Y%m%d%H%M%S} is not over at {segment.qn}")
        return start
