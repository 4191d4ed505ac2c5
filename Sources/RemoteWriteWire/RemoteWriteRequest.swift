import SwiftProtobuf

/// The body of a Prometheus remote-write 1.0 request, before its compression.
///
///     WriteRequest   1 timeseries …
///     TimeSeries     1 labels …   2 samples …
///     Label          1 name   2 value
///     Sample         1 value (double)   2 timestamp (ms since 1970)
///
/// As proto3 has it, a value or a timestamp of 0 is left out on the wire. Metadata, exemplars and
/// histograms are not told.
package struct RemoteWriteRequest: Hashable, Sendable {
    /// What names a series; the metric's name is the label `__name__`.
    package struct Label: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A number at an instant.
    package struct Sample: Hashable, Sendable {
        package var value: Double
        /// Milliseconds since 1970, UTC.
        package var timestamp: Int64

        package init(_ value: Double, at timestamp: Int64) {
            self.value = value
            self.timestamp = timestamp
        }
    }

    /// Samples of one series. A receiver wants labels in the order of their names and samples in
    /// the order of their times.
    package struct TimeSeries: Hashable, Sendable {
        package var labels: [Label]
        package var samples: [Sample]

        package init(labels: [Label], samples: [Sample] = []) {
            self.labels = labels
            self.samples = samples
        }
    }

    package var timeSeries: [TimeSeries]

    package init(_ timeSeries: [TimeSeries]) { self.timeSeries = timeSeries }

    /// The message's bytes, fields in the order of their numbers; empty if it cannot be said, which
    /// takes more than 2 GiB.
    package var bytes: [UInt8] {
        var message = Plumbline_RemoteWrite_WriteRequest()
        message.timeseries = timeSeries.map { series in
            var result = Plumbline_RemoteWrite_TimeSeries()
            result.labels = series.labels.map { label in
                var result = Plumbline_RemoteWrite_Label()
                result.name = label.name
                result.value = label.value
                return result
            }
            result.samples = series.samples.map { sample in
                var result = Plumbline_RemoteWrite_Sample()
                result.value = sample.value
                result.timestamp = sample.timestamp
                return result
            }
            return result
        }
        let result: [UInt8]? = try? message.serializedBytes()
        return result ?? []
    }
}
