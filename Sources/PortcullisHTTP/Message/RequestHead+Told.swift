// SPDX-License-Identifier: MIT

extension RequestHead {
    /// Makes the head of a request that a proxy describes in the fields of another one, the carrier.
    ///
    /// It has the carrier's fields, with the described `Host`, and without framing and expectation: the proxy keeps
    /// the content.
    ///
    /// - Parameters:
    ///   - target: In origin form.
    ///   - host: A valid authority.
    ///   - names: Fields that are left out, since they describe the request.
    /// - Throws: ``MalformedMessage/invalidTarget`` for a target in another form, or with characters that no target
    ///   contains.
    package func told(
        _ method: Method, _ target: ArraySlice<UInt8>, host: ArraySlice<UInt8>, without names: [FieldName]
    ) throws(MalformedMessage) -> RequestHead {
        // RFC 9112 §3.2.1: without an authority, which could differ from the described host.
        guard target.first == 0x2F else { throw .invalidTarget }
        let isTarget = target.withUnsafeBytes { RequestLine.endOfTarget($0, from: 0) == $0.count }
        guard isTarget else { throw .invalidTarget }
        var made = Array(method.name.utf8)
        made.reserveCapacity(bytes.count + target.count + host.count + 32)
        made.append(0x20)
        let targetRange = made.count..<(made.count + target.count)
        made += target
        made += (version == .http1_1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n").utf8
        let nameRange = made.count..<(made.count + 4)
        made += "Host: ".utf8
        let hostRange = made.count..<(made.count + host.count)
        made += host
        made += "\r\n".utf8
        var slots = [FieldSlot(known: .host, name: nameRange, value: hostRange)]
        let start = self.slots.first?.nameRange.lowerBound ?? bytes.count
        let distance = made.count - start
        made += bytes[start...]
        for slot in self.slots {
            switch slot.known {
            case .host, .contentLength, .transferEncoding, .expect: continue
            default: break
            }
            if names.contains(where: { matches(slot, $0) }) { continue }
            slots.append(slot.moved(by: distance))
        }
        return RequestHead(
            method: method, version: version, bytes: made, targetRange: targetRange, slots: slots)
    }
}

extension RequestHead.FieldSlot {
    fileprivate func moved(by distance: Int) -> Self {
        Self(
            known: known, name: (nameRange.lowerBound + distance)..<(nameRange.upperBound + distance),
            value: (valueRange.lowerBound + distance)..<(valueRange.upperBound + distance))
    }
}
