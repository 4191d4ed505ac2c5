/// What a unit answers to a Modbus request, however the frame travelled.
package enum ModbusAnswer: Hashable, Sendable {
    /// What follows the function: for reads the bytes behind their count, for writes the echo.
    case data([UInt8])
    /// The code of an exception.
    case exception(UInt8)

    /// Function and code.
    static let exceptionLength = 2

    /// How many bytes the function and what follows it take in an answer that is no exception.
    ///
    /// - Parameter count: the data bytes of a read; nil for a write, whose answer repeats address
    ///   and value or count.
    static func length(count: Int?) -> Int { count.map { 2 + $0 } ?? 5 }

    /// The answer in `bytes`, which begin with the function; nil when they answer something else.
    ///
    /// - Parameters:
    ///   - request: function and data of the request.
    ///   - count: as in `length(count:)`.
    init?(_ bytes: ArraySlice<UInt8>, to request: [UInt8], count: Int?) {
        guard let code = bytes.first, let function = request.first else { return nil }
        let body = bytes.dropFirst()
        if code == function | 0x80 {
            guard let number = body.first else { return nil }
            self = .exception(number)
            return
        }
        let length = Self.length(count: count)
        guard code == function, bytes.count >= length else { return nil }
        let data = body.prefix(length - 1)
        if let count {
            guard Int(data[data.startIndex]) == count else { return nil }
            self = .data(Array(data.dropFirst()))
        } else {
            guard data.elementsEqual(request.dropFirst().prefix(4)) else { return nil }
            self = .data(Array(data))
        }
    }
}
