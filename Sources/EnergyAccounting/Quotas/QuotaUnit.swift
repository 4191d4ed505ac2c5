/// In what a quota is written: an amount in a year, of the whole, by floor area or by person.
package struct QuotaUnit: Hashable, Sendable {
    /// What is added up.
    package enum Amount: String, Hashable, Sendable, CaseIterable {
        /// Electricity, or the electricity equivalent of all carriers.
        case kWh
        /// Standard coal.
        case kgce
        case kgCO2
    }

    /// By what an amount is divided.
    package enum Basis: String, Hashable, Sendable, CaseIterable {
        case whole = ""
        case floorArea = "m2"
        case person = "person"
    }

    package var amount: Amount
    package var basis: Basis

    package init(_ amount: Amount, per basis: Basis = .whole) {
        self.amount = amount
        self.basis = basis
    }

    /// As it is written, `kWh/m2`; every quota is for one year.
    package var text: String {
        basis == .whole ? amount.rawValue : "\(amount.rawValue)/\(basis.rawValue)"
    }

    static let all = Amount.allCases.flatMap { amount in
        Basis.allCases.map { QuotaUnit(amount, per: $0) }
    }
}
