// SPDX-License-Identifier: MIT

internal import Synchronization

/// An error on its way out through a chain, to a middleware that waits.
///
/// It carries what the gates and the middleware that it has passed do to responses: the response to the error
/// gets that too.
struct PassingError: Error {
    typealias Finisher = @Sendable (inout Response) -> Void

    let error: any Error
    /// In the order in which they change the response.
    private(set) var finishers: [Finisher] = []

    init(_ error: any Error, _ finishers: [Finisher]) {
        self.error = error
        self.finishers = finishers
    }

    /// The same error, further out.
    func passed(_ finisher: @escaping Finisher) -> PassingError {
        PassingError(error, finishers + [finisher])
    }
}

/// What the last error that a middleware got from `next` carried.
final class CaughtFinishers: Sendable {
    private let state = Mutex<[PassingError.Finisher]>([])

    var all: [PassingError.Finisher] { state.withLock { $0 } }

    /// Runs the rest of a chain, and throws its error without what it carried.
    func catching(_ run: () async throws -> Response) async throws -> Response {
        state.withLock { $0 = [] }
        do {
            return try await run()
        } catch let passing as PassingError {
            state.withLock { $0 = passing.finishers }
            throw passing.error
        }
    }
}
