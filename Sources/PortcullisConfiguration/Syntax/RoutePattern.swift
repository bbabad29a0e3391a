// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// What is wrong with the pattern of a route, or nothing.
func routePatternProblem(_ pattern: String) -> String? {
    guard pattern.hasPrefix("/") else { return "must start with a slash" }
    let segments = pathSegments(pattern)
    var names: [Substring] = []
    for (index, segment) in segments.enumerated() {
        let isLast = index == segments.count - 1
        if segment.isEmpty, !isLast { return "must not have an empty segment" }
        if segment == "." || segment == ".." { return "must not have dot segments" }
        guard segment.contains("{") || segment.contains("}") else {
            if let problem = literalProblem(segment) { return problem }
            continue
        }
        guard segment.hasPrefix("{"), segment.hasSuffix("}") else {
            return "must have parameters as whole segments: \"/{name}\""
        }
        var name = segment.dropFirst().dropLast()
        if name.hasSuffix("...") {
            guard isLast else { return "must have \"{name...}\" as its last segment only" }
            name = name.dropLast(3)
        }
        guard isParameterName(name) else {
            return "must name its parameters with letters, digits and underscores"
        }
        guard !names.contains(name) else { return "must not use a parameter name twice" }
        names.append(name)
    }
    return nil
}

private func literalProblem(_ segment: String) -> String? {
    guard segment.utf8.allSatisfy({ CharacterClass.isTargetCharacter($0) && $0 != 0x3F }) else {
        return "must be a path in its URL spelling, percent-encoded, without a query"
    }
    // These are refused in requests before routing, so the route would never be reached.
    for encoded in ["%2F", "%5C", "%00"] where segment.contains(encoded) {
        return "must not hold an encoded slash, backslash or NUL"
    }
    var rest = Substring(segment)
    while let percent = rest.firstIndex(of: "%") {
        let digits = rest[percent...].dropFirst().prefix(2)
        guard digits.utf8.count == 2, digits.utf8.allSatisfy({ CharacterClass.hexadecimalValue($0) != nil })
        else {
            return "must have two hexadecimal digits after each percent sign"
        }
        rest = rest[percent...].dropFirst(3)
    }
    return nil
}

private func isParameterName(_ name: Substring) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        default: false
        }
    }
}
