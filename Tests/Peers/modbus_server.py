"""A Modbus TCP server (pymodbus) whose registers are written by hand on the command line.

    modbus_server.py --unit 1 --holding 0=1,2,3 --input 100=0xFFFF --coil 0=1,0 --discrete 5=1

Each option may be repeated; `--unit N` applies to the options after it (1 at first). Addresses
count from 0. `--framer rtu` carries frames of a serial line over TCP. What is not listed answers with exception 2. `--port` 0 chooses a free port; the first
line on standard output is `listening <port>`.
"""
import asyncio
import signal
import sys

from pymodbus import FramerType
from pymodbus.datastore import ModbusDeviceContext, ModbusServerContext, ModbusSparseDataBlock
from pymodbus.server import ModbusTcpServer

TABLES = {"--holding": "hr", "--input": "ir", "--coil": "co", "--discrete": "di"}


def parse(arguments):
    port, unit, units, framer = 0, 1, {}, FramerType.SOCKET
    for option, value in zip(arguments[::2], arguments[1::2]):
        if option == "--port":
            port = int(value)
        elif option == "--unit":
            unit = int(value)
        elif option == "--framer":
            framer = FramerType(value)
        elif option in TABLES:
            start, _, cells = value.partition("=")
            table = units.setdefault(unit, {}).setdefault(TABLES[option], {})
            for offset, cell in enumerate(cells.split(",")):
                table[int(start, 0) + offset] = int(cell, 0)
        else:
            sys.exit(f"unknown option {option}")
    return port, units, framer


async def main():
    port, units, framer = parse(sys.argv[1:])
    devices = {
        unit: ModbusDeviceContext(
            **{
                name: ModbusSparseDataBlock(tables.get(name) or {65000: 0})
                for name in TABLES.values()
            }
        )
        for unit, tables in units.items()
    }
    server = ModbusTcpServer(
        ModbusServerContext(devices=devices, single=False),
        framer=framer,
        address=("127.0.0.1", port),
    )
    await server.listen()
    print("listening", server.transport.sockets[0].getsockname()[1], flush=True)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit, 0)
    await asyncio.Future()


asyncio.run(main())
