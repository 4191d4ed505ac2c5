import Glibc
import Synchronization

/// The file descriptors of the process, shared out among those who open them.
///
/// libmodbus waits with `select()` and aborts the whole process on a descriptor of 1,024 or more.
/// Below the cap such a descriptor cannot exist: `open`, `accept` and `connect` fail cleanly.
package enum DescriptorBudget {
    /// Who holds descriptors.
    package enum User: String, Hashable, Sendable, CaseIterable {
        case modbus, mqtt, hj212, http, store, spare

        /// The share of a budget of 1,024.
        fileprivate var share: Int {
            switch self {
            case .modbus: 512
            case .mqtt: 128
            case .hj212: 32
            case .http: 256
            case .store: 64
            case .spare: 32
            }
        }
    }

    /// No descriptor reaches this number.
    package static let cap = 1024

    private struct Ledger: Sendable {
        var limit = DescriptorBudget.cap
        var held: [User: Int] = [:]
        // One ledger for the process, because the kernel keeps one table for the process.
        func budget(_ user: User) -> Int { user.share * limit / DescriptorBudget.cap }
    }

    private static let ledger = Mutex(Ledger())

    /// Lowers the soft limit of open files to 1,024, or to the hard limit if that is lower; called
    /// once at start.
    ///
    /// - Returns: the limit that is now in force; the budgets shrink in proportion to it.
    @discardableResult
    package static func capProcess() throws(DescriptorBudgetError) -> Int {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else {
            throw DescriptorBudgetError(user: .spare, systemError: errno)
        }
        limits.rlim_cur = min(rlim_t(cap), limits.rlim_max)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else {
            throw DescriptorBudgetError(user: .spare, systemError: errno)
        }
        let limit = Int(clamping: limits.rlim_cur)
        ledger.withLock { $0.limit = limit }
        return limit
    }

    /// How many descriptors `user` may hold.
    package static func budget(of user: User) -> Int { ledger.withLock { $0.budget(user) } }

    /// How many descriptors `user` holds.
    package static func held(by user: User) -> Int { ledger.withLock { $0.held[user, default: 0] } }

    /// Books `count` descriptors for `user`; whoever books gives them back with `release`.
    package static func acquire(_ user: User, count: Int = 1) throws(DescriptorBudgetError) {
        let exceeded: Int? = ledger.withLock { ledger in
            let held = ledger.held[user, default: 0]
            guard held + count <= ledger.budget(user) else { return ledger.budget(user) }
            ledger.held[user] = held + count
            return nil
        }
        if let budget = exceeded { throw DescriptorBudgetError(user: user, budget: budget) }
    }

    /// Gives back what `acquire` has booked.
    package static func release(_ user: User, count: Int = 1) {
        ledger.withLock { $0.held[user] = max(0, $0.held[user, default: 0] - count) }
    }
}

/// There is no descriptor left for a protocol.
package struct DescriptorBudgetError: Error, Hashable, CustomStringConvertible {
    package let user: DescriptorBudget.User
    /// The budget that is used up; nil when the system itself refused.
    package let budget: Int?
    /// The system's error number, 0 when the budget said no.
    package let systemError: Int32

    init(user: DescriptorBudget.User, budget: Int) {
        self.user = user
        self.budget = budget
        systemError = 0
    }

    init(user: DescriptorBudget.User, systemError: Int32) {
        self.user = user
        budget = nil
        self.systemError = systemError
    }

    package var description: String {
        if let budget {
            "\(user.rawValue) may hold \(budget) file descriptors and needs more: configure fewer "
                + "\(user.rawValue) connections, or share them among several gateways"
        } else {
            "the system gives no file descriptor for \(user.rawValue) "
                + "(\(systemText(systemError))): raise LimitNOFILE up to \(DescriptorBudget.cap)"
        }
    }
}

/// The system's words for an error number.
func systemText(_ number: Int32) -> String { String(cString: strerror(number)) }
