/// The figures by which a site's meters are judged, read from `diagnosis/1`.
///
/// There are no figures here: a figure that the file leaves out turns the diagnoses off that need
/// it, and the report lists them.
package struct DiagnosisThresholds: Hashable, Sendable {
    /// How far a figure can be relied on.
    package enum Status: String, Hashable, Sendable, CaseIterable {
        case verified
        case secondary
        case fromMemory = "from-memory"
        case project
    }

    /// One figure as it stands in the file.
    package struct Entry: Hashable, Sendable {
        /// One value, or all of a list in ascending order; in the figure's unit.
        package var values: [Exact]
        package var status: Status
        /// Where it comes from, or why it is so.
        package var source: String

        package init(values: [Exact], status: Status, source: String) {
            self.values = values
            self.status = status
            self.source = source
        }
    }

    package let entries: [DiagnosisFigure: Entry]

    /// - Parameter entries: values in the range of their figures; `DiagnosisFile` makes sure of it.
    package init(_ entries: [DiagnosisFigure: Entry]) { self.entries = entries }

    /// The figures that a diagnosis needs and that are not there.
    package func missing(for kind: Diagnosis.Kind) -> [DiagnosisFigure] {
        kind.figures.filter { entries[$0]?.values.isEmpty ?? true }
    }

    /// Whether a diagnosis can be made.
    func allow(_ kind: Diagnosis.Kind) -> Bool { missing(for: kind).isEmpty }

    /// The value of a figure in its unit; 0 for one that is missing, which no rule asks for after
    /// `allow`.
    func exact(_ figure: DiagnosisFigure) -> Exact { entries[figure]?.values.first ?? .zero }

    func double(_ figure: DiagnosisFigure) -> Double { exact(figure).double }

    /// A figure in percent as a part of one.
    func fraction(_ figure: DiagnosisFigure) -> Double { double(figure) / 100 }

    func list(_ figure: DiagnosisFigure) -> [Double] {
        (entries[figure]?.values ?? []).map(\.double)
    }
}
