// SPDX-License-Identifier: MIT

/// A table that removes its oldest entry when it is full, so that many requests cannot make it grow.
struct BoundedTable<Value: Sendable>: Sendable {
    let maxCount: Int
    private var values: [String: Value] = [:]
    private var order: [String] = []

    init(maxCount: Int) {
        self.maxCount = max(1, maxCount)
    }

    var count: Int { values.count }

    subscript(key: String) -> Value? {
        values[key]
    }

    mutating func insert(_ value: Value, for key: String) {
        if values.updateValue(value, forKey: key) == nil { order.append(key) }
        while values.count > maxCount, let oldest = order.first {
            order.removeFirst()
            values[oldest] = nil
        }
    }

    @discardableResult
    mutating func remove(_ key: String) -> Value? {
        order.removeAll { $0 == key }
        return values.removeValue(forKey: key)
    }

    mutating func removeAll(where isUnwanted: (Value) -> Bool) {
        order.removeAll { key in
            guard let value = values[key], isUnwanted(value) else { return false }
            values[key] = nil
            return true
        }
    }
}
