/// What went wrong with one request on a bus, with the request and what to do next.
package struct BusError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of fault.
    package enum Code: Hashable, Sendable {
        /// No answer within the response time-out; where the frame tells, only the beginning of one.
        case timeout
        /// The device refused; the exception code of the Modbus application protocol.
        case exception(UInt8)
        /// An answer that does not belong to the request, or whose length is wrong.
        case foreignAnswer
        /// The connection is gone, or there was none.
        case disconnected
        /// No connection could be made, or the port could not be opened and set up.
        case connectFailed
        /// No file descriptor is left for the connection.
        case descriptors
        /// The request breaks a limit of the protocol and was not sent.
        case invalidRequest
        /// The request would write, and nobody granted it; it was not sent.
        case notGranted
    }

    /// What the caller should do about it.
    package enum Disposition: Hashable, Sendable {
        /// Ask again at the next slot, more rarely if it lasts.
        case retryLater
        /// Ask again soon: the device is there and has no time at the moment.
        case retrySoon
        /// Connect anew.
        case reconnect
        /// Ask for less at once, or correct the profile: asking again changes nothing.
        case changeRequest
    }

    package let code: Code
    /// What was asked, for example `unit 1 holding 100+20 at 127.0.0.1:502`.
    package let request: String
    /// The cause in words.
    package let cause: String

    package init(code: Code, request: String, cause: String) {
        self.code = code
        self.request = request
        self.cause = cause
    }

    package var disposition: Disposition {
        switch code {
        case .timeout, .foreignAnswer, .connectFailed, .descriptors: .retryLater
        case .disconnected: .reconnect
        case .invalidRequest, .notGranted: .changeRequest
        // 1 to 3 speak of the request, 5 and 6 of a device that is busy; the others (target silent,
        // device failure) pass with time.
        case .exception(5), .exception(6): .retrySoon
        case .exception(let number): (1...3).contains(number) ? .changeRequest : .retryLater
        }
    }

    package var description: String { "\(request): \(cause)" }
}
