// SPDX-License-Identifier: MIT

import Portcullis

/// A request as one line of an access log describes it.
struct LoggedRequest {
    var time: String?
    var client: String?
    var request: String?
    var status: Int?
    var duration: String?
    var route: String?
    var resource: String?
    /// The path where a proxy asked about the request.
    var forwardAuth: String?
    var refusal: String?
    var expected: String?
    var got: String?
    var isComplete = true

    /// Parses a line in the text or JSON format.
    ///
    /// Skips a log collector's prefix. Returns `nil` for another request and for other logs' lines.
    init?(_ line: ArraySlice<UInt8>, id: String) {
        guard line.containsSequence(id.utf8) else { return nil }
        if let start = line.firstIndex(of: 0x7B),
            let object = (try? JSONValue.parse(Array(line[start...])))?.object
        {
            self.init(object, id: id)
        } else {
            self.init(text: String(decoding: line, as: UTF8.self), id: id)
        }
    }

    private init?(_ object: JSONObject, id: String) {
        guard object["request_id"]?.string?.utf8.elementsEqual(id.utf8) == true else { return nil }
        time = object["time"]?.string
        client = object["remote_address"]?.string
        request = [object["method"]?.string, object["path"]?.string].compactMap(\.self).joined(separator: " ")
        status = object["status"]?.number?.integer
        duration = object["duration_seconds"]?.number?.double.map { "\($0)" }
        route = object["route"]?.string
        resource = object["resource"]?.string
        forwardAuth = object["forward_auth"]?.string
        refusal = object["refusal"]?.string
        expected = object["expected"]?.string
        got = object["got"]?.string
        isComplete = object["complete"]?.bool ?? true
    }

    // HOST - - [TIME] "METHOD PATH VERSION" STATUS BYTES name=value name="value" …
    private init?(text: String, id: String) {
        let words = Self.words(of: text)
        guard let first = words.firstIndex(where: { $0.hasPrefix("duration=") }), first >= 3 else {
            return nil
        }
        var values: [Substring: String] = [:]
        for word in words[first...] {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[parts[0]] = String(parts[1]) }
        }
        guard values["id"]?.utf8.elementsEqual(id.utf8) == true else { return nil }
        request = words[first - 3]
        status = Int(words[first - 2])
        if first >= 8 {
            client = words[first - 8]
            time = words[(first - 5)...(first - 4)].joined(separator: " ").filter { $0 != "[" && $0 != "]" }
        }
        duration = values["duration"]
        route = values["route"]
        resource = values["resource"]
        forwardAuth = values["forward_auth"]
        refusal = values["refusal"]
        expected = values["expected"]
        got = values["got"]
        isComplete = words.last != "incomplete"
    }

    /// Splits a line at spaces outside quotes, and removes the quotes.
    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case " " where !isQuoted:
                words.append(word)
                word = ""
            default: word.append(character)
            }
        }
        return words + [word]
    }

    /// The gate's reason for the refusal, or `nil` if there is none or it is unknown.
    var reason: RefusalReason? { refusal.flatMap(RefusalReason.init(rawValue:)) }
}
