/// Registers of a three-phase meter, written by hand from the vendor's table: input registers,
/// 32-bit floats, high word first. What is not named holds zero.
enum MeterRegisters {
    /// Address, the two words, what they mean.
    static let words: [(address: Int, high: String, low: String)] = [
        (0x00, "0x4366", "0x8000"),  // 230.5 V, phase 1
        (0x34, "0x4583", "0x4000"),  // 4200 W in total
        (0x46, "0x4248", "0x0000"),  // 50 Hz
        (0x48, "0x4640", "0xE700"),  // 12345.75 kWh imported
    ]

    static let expected: [String: Double] = [
        "meter-1.voltage.l1": 230.5,
        "meter-1.active_power.total": 4200,
        "meter-1.frequency": 50,
        "meter-1.active_energy.import.total": 12_345.75,
    ]

    /// Arguments of `modbus_server.py`.
    static var arguments: [String] {
        var cells = [String](repeating: "0", count: 0x180)
        for word in words {
            cells[word.address] = word.high
            cells[word.address + 1] = word.low
        }
        return ["--unit", "1", "--input", "0=" + cells.joined(separator: ",")]
    }
}
