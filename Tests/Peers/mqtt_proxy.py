"""An MQTT proxy to 127.0.0.1 with a fault of your choice.

mqtt_proxy.py TARGET_PORT FAULT

FAULT is one of
  amnesia   When the broker goes, the client's connection stays: the proxy connects again, repeats the
            client's CONNECT with a clean session and keeps the answer to itself. To the client nothing
            has happened, and the broker knows none of its subscriptions.
  hangup    The connection is closed when the client publishes anything, as some clouds do with what
            their rules forbid.
  late      The second message to the client is lost, and the answer to its third subscription comes a
            second late, with all that is behind it.
  silent    Connections are accepted, and nothing is ever answered.

Its first line is `listening PORT`.
"""

import asyncio
import sys

CONNECT, CONNACK, PUBLISH, SUBACK = 1, 2, 3, 9


async def packet(reader: asyncio.StreamReader) -> bytes:
    """One whole packet, its header included."""
    head = await reader.readexactly(1)
    length, shift = 0, 0
    while True:
        byte = await reader.readexactly(1)
        head += byte
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if not byte[0] & 0x80:
            break
    return head + await reader.readexactly(length)


def cleaned(connect: bytes) -> bytes:
    """The same CONNECT with the flag for a clean session."""
    data = bytearray(connect)
    start = 2
    while data[start - 1] & 0x80:
        start += 1
    flags = start + 2 + data[start] * 256 + data[start + 1] + 1
    data[flags] |= 0x02
    return bytes(data)


async def reach(target: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            await asyncio.sleep(0.05)


async def handle(
    target: int, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    if fault == "silent":
        await reader.read(-1)
        return
    up = list(await reach(target))
    connect = await packet(reader)
    up[1].write(connect)

    async def down() -> None:
        seen = {PUBLISH: 0, SUBACK: 0}
        while True:
            try:
                data = await packet(up[0])
                kind = data[0] >> 4
                seen[kind] = seen.get(kind, 0) + 1
                if fault == "late" and kind == PUBLISH and seen[kind] == 2:
                    continue
                if fault == "late" and kind == SUBACK and seen[kind] == 3:
                    await asyncio.sleep(1)
                writer.write(data)
            except (OSError, asyncio.IncompleteReadError):
                if fault != "amnesia":
                    return
                up[:] = await reach(target)
                up[1].write(cleaned(connect))
                try:
                    assert (await packet(up[0]))[0] >> 4 == CONNACK
                except (OSError, asyncio.IncompleteReadError):
                    continue

    task = asyncio.create_task(down())
    try:
        while True:
            data = await packet(reader)
            if fault == "hangup" and data[0] >> 4 == PUBLISH:
                break
            up[1].write(data)
    except (OSError, asyncio.IncompleteReadError):
        pass
    task.cancel()
    up[1].close()
    writer.close()


async def main() -> None:
    target, fault = int(sys.argv[1]), sys.argv[2]
    server = await asyncio.start_server(
        lambda reader, writer: handle(target, fault, reader, writer), "127.0.0.1", 0
    )
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
