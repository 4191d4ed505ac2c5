"""A Modbus TCP server that misbehaves by address; plain sockets, one request after the other.

A register holds its own address. Reading a block that begins at one of these does what is said:

    1000  answers after --delay seconds (default 0.5), and the requests behind it wait too
    1001  answers with another transaction id
    1002  answers with one register less than asked for
    1003  exception 6 (busy)
    1004  never answers
    1005  closes the connection
    1006  sends the first half of the answer and stops
    1007  sends the answer byte by byte
    1008  answers with another function code
    1009  announces more bytes in the header than it sends
    1010  answers as the unit after the one that was asked
    1011  sends a late answer with an earlier transaction id and other values, then the right one
    1012  exception 2 whose header announces one byte too many, as some inverters send it

A block of more than one register that contains 2005 is refused with exception 2, as devices with
holes in their map do; 2005 alone is refused too. Unit 99 never answers. Prints `listening <port>`.
"""
import asyncio
import signal
import struct
import sys

DELAY = float(sys.argv[sys.argv.index("--delay") + 1]) if "--delay" in sys.argv else 0.5
HOLE = 2005


def frame(transaction, unit, pdu):
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


async def handle(reader, writer):
    try:
        while True:
            header = await reader.readexactly(7)
            transaction, _, length, unit = struct.unpack(">HHHB", header)
            pdu = await reader.readexactly(length - 1)
            function, address, count = struct.unpack(">BHH", pdu[:5])
            if unit == 99 or address == 1004:
                continue
            if address == 1005:
                break
            if address == 1000:
                await asyncio.sleep(DELAY)
            if address == 1012:
                refusal = frame(transaction, unit, bytes([function | 0x80, 2]))
                writer.write(refusal[:4] + struct.pack(">H", 4) + refusal[6:])
                continue
            if address == 1003:
                writer.write(frame(transaction, unit, bytes([function | 0x80, 6])))
                continue
            if address <= HOLE < address + count:
                writer.write(frame(transaction, unit, bytes([function | 0x80, 2])))
                continue
            given = count - 1 if address == 1002 else count
            if function in (1, 2):
                data = bytes([0b0101_0101] * ((given + 7) // 8))
            else:
                data = b"".join(struct.pack(">H", address + i) for i in range(given))
            if address == 1008:
                function = 4 if function == 3 else 3
            if address == 1001:
                transaction ^= 0x5555
            if address == 1010:
                unit += 1
            answer = frame(transaction, unit, bytes([function, len(data)]) + data)
            if address == 1011:
                late = bytes([function, len(data)]) + bytes([0x77] * len(data))
                answer = frame(transaction - 1 & 0xFFFF, unit, late) + answer
            if address == 1006:
                answer = answer[: len(answer) // 2]
            if address == 1009:
                answer = answer[:4] + struct.pack(">H", len(answer) + 20) + answer[6:]
            if address == 1007:
                for byte in answer:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.005)
            else:
                writer.write(answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit, 0)
    await asyncio.Future()


asyncio.run(main())
