"""A TCP proxy to 127.0.0.1 that holds back what the client sends.

slow_proxy.py TARGET_PORT DELAY_MS

What the target sends passes at once; what the client sends waits DELAY_MS. When the client goes,
what is still held back is thrown away, as a network would: so a client that is killed right after
it wrote an acknowledgement has not acknowledged. Its first line is `listening PORT`.
"""

import asyncio
import sys


async def serve(target: int, delay: float) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        loop = asyncio.get_running_loop()
        held: asyncio.Queue = asyncio.Queue()
        gone = asyncio.Event()

        async def collect() -> None:
            try:
                while data := await reader.read(65536):
                    held.put_nowait((loop.time() + delay, data))
            except OSError:
                pass
            gone.set()

        async def release() -> None:
            while True:
                due, data = await held.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if gone.is_set():
                    return
                up_writer.write(data)
                await up_writer.drain()

        async def back() -> None:
            try:
                while data := await up_reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            except OSError:
                pass

        tasks = [asyncio.create_task(job()) for job in (collect, release, back)]
        await asyncio.wait(
            [tasks[0], tasks[2]], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for side in (up_writer, writer):
            side.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
