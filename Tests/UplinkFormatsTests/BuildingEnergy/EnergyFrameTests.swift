import TestSeeds
import Testing
import UplinkFormats
import XMLText

@Suite("Frames of the building energy upload")
struct EnergyFrameTests {
    private func frames(_ events: [EnergyStream.Event]) -> [EnergyFrame] {
        events.compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
    }

    private func reasons(_ events: [EnergyStream.Event]) -> [EnergyStream.Refusal.Reason] {
        events.compactMap { if case .refused(let refusal) = $0 { refusal.reason } else { nil } }
    }

    private func document(_ bytes: [UInt8], _ marks: EnergyFrame.Marks) throws -> EnergyDocument {
        var stream = EnergyStream(marks)
        let frame = try #require(frames(stream.append(bytes)).first)
        #expect(frame.sequence == [0, 1, 0, 0])
        #expect(stream.waiting == 0)
        let plain = try #require(EnergyDesk.cipher.decrypt(frame.body))
        // NULs behind the text, never more than a block is short of.
        #expect((1...15).contains(plain.reversed().prefix { $0 == 0 }.count))
        return try EnergyDocument.read(plain)
    }

    @Test("that others captured decrypt and check")
    func captured() throws {
        let archives = try document(EnergyVectors.archives, .reversed)
        #expect(archives.building == "330302D110")
        #expect(archives.gateway == "01")
        #expect(archives.type == "archives")
        #expect(archives.element == XMLTree("instruction", [.init("operation", "archives")]))
        let ack = try document(EnergyVectors.deviceAck, .reversed)
        #expect(ack.type == "device_ack")
        #expect(ack.element.attributes == [.init("operation", " device_ack ")])
        #expect(ack.element.attribute("operation") == "device_ack")
        #expect(ack.element.child("device_ack")?.text == "pass")
        for (bytes, digits) in [
            (EnergyVectors.sequence25247777, "25247777"),
            (EnergyVectors.sequence61948429, "61948429"),
        ] {
            let sequence = try document(bytes, .reversed)
            #expect(sequence.type == "sequence")
            #expect(sequence.element.child("sequence")?.text == digits)
        }
    }

    @Test("of captured lengths have the captured CRCs")
    func checksums() {
        let expected: [(bytes: [UInt8], length: Int, crc: UInt16)] = [
            (EnergyVectors.archives, 180, 0xA8EC), (EnergyVectors.deviceAck, 228, 0x8E8C),
            (EnergyVectors.sequence25247777, 244, 0x784B),
            (EnergyVectors.sequence61948429, 244, 0xDF0A),
        ]
        for (bytes, length, crc) in expected {
            #expect(bytes.count == length + 14)
            #expect(EnergyFrame.checksum(bytes[8..<(8 + length)]) == crc)
        }
        #expect(EnergyFrame.checksum(Array("123456789".utf8)[...]) == 0x31C3)
        #expect(EnergyFrame.checksum([]) == 0)
    }

    @Test("come out as they went in, in both orders of the marks")
    func encoding() throws {
        let xml =
            "<root><common><building_id>330302D110</building_id><gateway_id>01</gateway_id>"
            + "<type>notify</type></common><heart_beat operation=\"notify\"/></root>"
        #expect(xml.utf8.count == 145)
        let body = EnergyDesk.cipher.encrypt(Array(xml.utf8))
        #expect(body.count == 160)
        #expect(EnergyFrame(body: body).bytes(.guideline) == EnergyVectors.heartbeat)
        let heartbeat = try document(EnergyVectors.heartbeat, .guideline)
        #expect(heartbeat.element == XMLTree("heart_beat", [.init("operation", "notify")]))
        for bytes in EnergyVectors.captured {
            var stream = EnergyStream(.reversed)
            let frame = try #require(frames(stream.append(bytes)).first)
            #expect(frame.bytes(.reversed) == bytes)
            let plain = try #require(EnergyDesk.cipher.decrypt(frame.body))
            #expect(EnergyDesk.cipher.encrypt(plain) == frame.body)
        }
    }

    @Test("are encrypted block by block as the key says")
    func aes() {
        let block = EnergyVectors.bytes("E660C596EFDF38506B39B8A495CCA4D7")
        #expect(EnergyDesk.cipher.encrypt(Array("<root></root>".utf8)) == block)
        #expect(EnergyDesk.cipher.decrypt(block) == Array("<root></root>\0\0\0".utf8))
    }

    @Test("have 0 to 15 NULs behind the text, which nobody reads", arguments: 1...33)
    func padding(length: Int) throws {
        let text = "<a>" + String(repeating: "x", count: length) + "</a>"
        let body = EnergyDesk.cipher.encrypt(Array(text.utf8))
        #expect(body.count % 16 == 0)
        #expect(body.count - text.utf8.count < 16)
        let plain = try #require(EnergyDesk.cipher.decrypt(body))
        #expect(plain.starts(with: text.utf8))
        #expect(plain.dropFirst(text.utf8.count).allSatisfy { $0 == 0 })
        // A platform may add a whole block.
        #expect(try XMLReader.read(plain + [UInt8](repeating: 0, count: 16)).name == "a")
    }

    @Test("take keys as digits and as characters, and tell nobody")
    func keys() throws {
        let key = try #require(EnergyKey("0102030405060708090A0B0C0D0E0F10"))
        #expect(key.bytes == (1...16).map { UInt8($0) })
        #expect(EnergyKey("0102030405060708090a0b0c0d0e0f10") == key)
        #expect(EnergyKey("abcdefghijklmnop")?.bytes == Array("abcdefghijklmnop".utf8))
        for wrong in [
            "", "01", "abcdefghijklmno", "zz02030405060708090A0B0C0D0E0F10", "abc defghijklmno",
        ] {
            #expect(EnergyKey(wrong) == nil)
        }
        #expect(!"\(key)".contains("1"[...].description + "0"))
        #expect(EnergyDesk.cipher.decrypt([]) == nil)
        #expect(EnergyDesk.cipher.decrypt([1, 2, 3]) == nil)
    }

    @Test("carry MD5 in lower case")
    func md5() {
        for (text, digest) in [
            ("25247777IJKLMNOPQRSTUVWX", "cacdb0f3e18a4592886a2f8a7fea6ea5"),
            ("IJKLMNOPQRSTUVWX25247777", "856bad77787f4ce79d20f756c57ada14"),
            ("61948429IJKLMNOPQRSTUVWX", "82beff5ce29b79bbace8faa719b87f2c"),
            ("IJKLMNOPQRSTUVWX61948429", "d0057a462fb100de7753f6f321180a65"),
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ] {
            #expect(EnergyCipher.md5(text) == digest)
        }
    }

    @Test("of another key are refused as unreadable")
    func foreignCiphertext() throws {
        // How a published message of another platform begins; the rest does not matter.
        let body = EnergyVectors.bytes("899AF89A") + (0..<60).map { UInt8($0) }
        let plain = try #require(EnergyDesk.cipher.decrypt(body))
        #expect(throws: EnergyDocument.Refusal.notXML) { try EnergyDocument.read(plain) }
    }

    // MARK: The stream

    @Test("are found in any cut")
    func cuts() {
        let sent = EnergyVectors.captured
        let bytes =
            Array("noise".utf8) + sent[0] + sent[1] + [0x55, 0xAA, 0x55] + sent[2] + sent[3]
        var whole = EnergyStream(.reversed)
        let expected = frames(whole.append(bytes))
        #expect(expected.map { $0.bytes(.reversed) } == sent)
        for cut in 0...bytes.count {
            var stream = EnergyStream(.reversed)
            let events = stream.append(bytes[..<cut]) + stream.append(bytes[cut...])
            #expect(frames(events) == expected)
            #expect(reasons(events) == [.garbage, .garbage])
        }
        var stream = EnergyStream(.reversed)
        #expect(frames(bytes.flatMap { stream.append([$0]) }) == expected)
        #expect(stream.waiting == 0)
    }

    @Test("are found behind damage, wherever it is")
    func damage() {
        var random = SeededGenerator(72)
        for round in 0..<600 {
            var first = EnergyVectors.captured[round % 4]
            let damages = round % 3
            if damages == 0 {
                first.removeLast(Int.random(in: 1..<first.count, using: &random))
            } else {
                let at = Int.random(in: 0..<first.count, using: &random)
                first[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            let bytes = first + EnergyVectors.heartbeatReversed + EnergyVectors.archives
            var stream = EnergyStream(.reversed)
            var events: [EnergyStream.Event] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...80, using: &random)
                events += stream.append(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            let found = frames(events).map { $0.bytes(.reversed) }
            #expect(found.suffix(2) == [EnergyVectors.heartbeatReversed, EnergyVectors.archives])
            #expect(!reasons(events).isEmpty)
        }
    }

    @Test("are told with what is wrong with them")
    func refusals() {
        let good = EnergyVectors.heartbeat
        func reason(_ change: (inout [UInt8]) -> Void) -> [EnergyStream.Refusal.Reason] {
            var bytes = good
            change(&bytes)
            var stream = EnergyStream(.guideline)
            return reasons(stream.append(bytes + good))
        }
        #expect(reason { _ in } == [])
        #expect(reason { $0[$0.count - 6] ^= 1 } == [.checksum])
        #expect(reason { $0[40] ^= 1 } == [.checksum])
        #expect(reason { $0[$0.count - 1] = 0 } == [.tail])
        #expect(
            reason {
                $0[4] = 3; $0[5] = 0
            } == [.length])
        #expect(reason { $0[7] = 0x7F } == [.oversized])
        #expect(
            reason {
                $0[4] = 0xFF; $0[5] = 0x0F
            } == [.unfinished])
        #expect(reason { $0.removeLast(20) } == [.tail])
        #expect(reason { $0[0] = 0 } == [.garbage])
    }

    @Test("of the other order, and of the form that nobody has verified, are named")
    func others() {
        var stream = EnergyStream(.guideline)
        #expect(reasons(stream.append(EnergyVectors.archives)).first == .swapped)
        #expect(frames(stream.append(EnergyVectors.heartbeat)).count == 1)
        for cut in 0...4 {
            var formB = EnergyStream(.guideline)
            let bytes: [UInt8] = [0x1F, 0x1F, 0x03, 0x10, 0, 0, 0, 1, 2, 3]
            let events = formB.append(bytes[..<cut]) + formB.append(bytes[cut...])
            #expect(reasons(events) == [.formB])
            #expect(frames(formB.append(EnergyVectors.heartbeat)).count == 1)
        }
    }

    @Test("that announce too much cost nothing")
    func oversized() {
        var stream = EnergyStream(.guideline, longest: 4096)
        let head: [UInt8] = [0x68, 0x68, 0x16, 0x16]
        #expect(reasons(stream.append(head + [0x01, 0x10, 0, 0])) == [.oversized])
        #expect(stream.waiting < 8)
        #expect(reasons(stream.append(head + [0x00, 0x10, 0, 0])) == [])
        #expect(stream.waiting == 8)
        for length: [UInt8] in [[255, 255, 255, 255], [0, 0, 0, 128], [0, 0, 16, 0]] {
            var huge = EnergyStream(.guideline)
            let isTooLong = length != [0, 0, 16, 0]
            #expect(reasons(huge.append(head + length)) == (isTooLong ? [.oversized] : []))
            #expect(huge.waiting <= 8)
        }
    }

    @Test("never trap, and what is kept stays bounded")
    func randomBytes() {
        var random = SeededGenerator(73)
        let pieces: [[UInt8]] = [
            [0x68, 0x68, 0x16, 0x16], [0x55, 0xAA, 0x55, 0xAA], [0, 1, 0, 0], [0x1F, 0x1F, 1],
            EnergyVectors.heartbeat, Array(EnergyVectors.heartbeat.prefix(60)),
        ]
        for _ in 0..<300 {
            var stream = EnergyStream(.guideline, longest: 2000)
            for _ in 0..<60 {
                let noise = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                _ = stream.append(noise + (pieces.randomElement(using: &random) ?? []))
                #expect(stream.waiting <= 2000 + 14)
            }
            _ = stream.end()
        }
    }

    @Test("that are made to keep the gateway busy do not")
    func hostile() {
        let head: [UInt8] = [0x68, 0x68, 0x16, 0x16]
        let tail: [UInt8] = [0x55, 0xAA, 0x55, 0xAA]
        // Heads that all announce a frame with a tail at its end, and a wrong CRC.
        let size = 1 << 18
        var nested: [UInt8] = []
        while nested.count < size {
            let length = UInt32(size - nested.count)
            nested += head + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        }
        nested += [UInt8](repeating: 0, count: 10) + tail + tail + tail
        let tails = head + [0, 0, 16, 0] + (0..<60_000).flatMap { _ in tail }
        for bytes in [nested, tails, head + [0, 0, 16, 0] + nested] {
            for chunk in [bytes.count, 1000, 16] {
                var stream = EnergyStream(.guideline)
                let took = ProcessorTime.of {
                    var rest = bytes[...]
                    while !rest.isEmpty {
                        _ = stream.append(rest.prefix(chunk))
                        rest = rest.dropFirst(chunk)
                    }
                }
                #expect(took < .seconds(5))
            }
        }
    }

    @Test("give up after 64 refusals without a frame between them")
    func patience() {
        var stream = EnergyStream(.guideline)
        let wrong: [UInt8] = [0x68, 0x68, 0x16, 0x16, 0, 0, 0, 0]
        for _ in 0..<10 {
            _ = stream.append((0..<63).flatMap { _ in wrong } + EnergyVectors.heartbeat)
        }
        #expect(!stream.isLost)
        let events = stream.append((0..<70).flatMap { _ in wrong })
        #expect(reasons(events).count == 64)
        #expect(stream.isLost)
        #expect(stream.append(EnergyVectors.heartbeat).isEmpty)
    }
}

extension EnergyVectors {
    /// The heartbeat with its marks the other way round.
    static let heartbeatReversed: [UInt8] =
        [0x55, 0xAA, 0x55, 0xAA] + heartbeat.dropFirst(4).dropLast(4) + [0x68, 0x68, 0x16, 0x16]
}
