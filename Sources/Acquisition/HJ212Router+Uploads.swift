import FieldLinks
import Telemetry

/// Uploads on their way into an admission: parts wait for each other, and what is stored is left out.
extension HJ212Router {
    /// Keeps a part until the others are there, for a moment.
    mutating func hold(
        _ part: HJ212Upload, of key: String, _ now: ClockReading, _ outcome: inout Outcome
    ) {
        if let held = stations[key]?.parts.held, held.key != part.key {
            release(key, now, &outcome)
        }
        if stations[key]?.parts.held == nil {
            stations[key]?.parts.held = part
        } else {
            stations[key]?.parts.held?.add(part)
        }
        if stations[key]?.parts.isWhole == true { release(key, now, &outcome) }
    }

    /// Admits the parts that are there.
    mutating func release(_ key: String, _ now: ClockReading, _ outcome: inout Outcome) {
        guard let held = stations[key]?.parts.held else { return }
        stations[key]?.parts.held = nil
        admit(held, of: key, now, &outcome)
    }

    mutating func admit(
        _ upload: HJ212Upload, of key: String, _ now: ClockReading, _ outcome: inout Outcome
    ) {
        guard let station = stations[key] else { return }
        var upload = upload
        let device = station.target.group.device
        var isNew = station.parts.leaveOut(from: &upload)
        if upload.hasDeviceTime {
            isNew = isNew && station.coverage.fillsGap(upload.command, &upload.scan)
            let end = HJ212Coverage.end(of: upload.command, upload.scan.time)
            if now.wall - end > rules.backfillAfter { upload.scan.flags.insert(.backfill) }
        }
        guard isNew else {
            outcome.refused.append(
                Refusal(
                    reason: .duplicate, device: device, what: upload.command,
                    detail: "stored before or in finer steps, acknowledged"))
            for answer in upload.answers {
                pending.remove(answer.mark)
                outcome.replies.append(answer.reply)
            }
            return
        }
        outcome.devices.append((upload.scan, device))
        outcome.uploads.append((key, upload))
        guard !upload.answers.isEmpty else { return outcome.unawaited.scans.append(upload.scan) }
        outcome.awaited.scans.append(upload.scan)
        for answer in upload.answers {
            outcome.awaited.deliveries.append(answer.mark)
            outcome.acknowledgements.append(answer.reply)
        }
    }
}
