// SPDX-License-Identifier: MIT

internal import Portcullis

/// Makes the chains of a protected block: one for all routes with the same requirement in the same group.
struct GuardedChains {
    /// What routes with one chain have in common.
    private struct Place: Hashable {
        let requirement: AccessRequirement
        /// The groups that change the chain; `nil` without those of the block, as for paths without a route.
        let groups: [Int]?
    }

    private let block: ProtectedRoutes
    private let outer: RouteSurroundings
    private let cors: CORSPolicy?
    private var gates: [AccessRequirement: ResourceGate] = [:]
    private var chains: [Place: RouteChain] = [:]
    private var latest: (place: Place, chain: RouteChain)?

    init(of block: ProtectedRoutes, outer: RouteSurroundings, cors: CORSPolicy?) {
        self.block = block
        self.outer = outer
        self.cors = cors
    }

    /// The chain of paths without a route: the gate, without what the block adds behind it.
    var unmatched: RouteChain {
        mutating get { chain(Place(requirement: .anyValidToken, groups: nil), BlockTerms()) }
    }

    /// The chain of a route.
    mutating func chain(_ entry: ProtectedRoutes.Entry, _ own: BlockTerms) -> RouteChain {
        let groups = entry.groups.filter { !block.groups[$0].leavesChain }
        let isPlain = block.terms.leavesChain && groups.isEmpty
        return chain(Place(requirement: entry.requirement, groups: isPlain ? nil : groups), own)
    }

    /// The limits of the blocks around a route.
    func limits(around entry: ProtectedRoutes.Entry) -> RouteLimits {
        entry.groups.reduce(block.limits.within(outer.limits)) { block.groups[$1].limits.within($0) }
    }

    private mutating func chain(_ place: Place, _ own: BlockTerms) -> RouteChain {
        // Most routes require the same as the one before.
        if own.leavesChain, let latest, latest.place == place { return latest.chain }
        if own.leavesChain, let known = chains[place] { return known }
        let around = around(place.requirement, place.groups).entering(own)
        let made = RouteChain(resource: block.resource.identifier.text, cors: cors, around)
        if own.leavesChain {
            chains[place] = made
            latest = (place, made)
        }
        return made
    }

    private mutating func around(_ requirement: AccessRequirement, _ groups: [Int]?) -> RouteSurroundings {
        let gate =
            gates[requirement]
            ?? ResourceGate(block.resource, requiring: requirement, streamExpiry: block.streamExpiry)
        gates[requirement] = gate
        let behind = outer.behind(gate)
        guard let groups else { return behind }
        return groups.reduce(behind.entering(block.terms)) { $0.entering(block.groups[$1]) }
    }
}
