import Domain
import HTTPKit

/// A source as far as somebody asks why it refused something: one of the room's own, or a neighbour's.
struct ExaminedSource: Sendable {
    let id: Identifier<InboundSource>
    let name: String
    let address: Identifier<InboundAddress>
    /// Its page, below the mount prefix.
    let path: String
    let source: OpenSource

    /// A request that was refused, without what would let it in.
    func shown(_ envelope: Envelope) -> Envelope {
        source.scheme == .graph ? envelope.with(body: Graph.withoutSecret(envelope.body)) : envelope
    }
}

extension Inbound {
    /// The source of an id, whoever's it is.
    ///
    /// - Throws: `Problem` 404.
    func examined(_ id: Identifier<InboundSource>, _ scope: OrganizationScope) throws -> ExaminedSource {
        if let record = try store(scope).find(id) {
            return ExaminedSource(
                id: id, name: record.name, address: record.address, path: InboundPageRoute.source(id).path,
                source: try SourceReader(database: database, vault: vault, others: [], now: world.now).open(
                    record, isExamined: true))
        }
        for find in neighbours.namedSources {
            guard let found = try find(id, scope) else { continue }
            return ExaminedSource(
                id: id, name: found.name, address: found.address, path: found.path, source: OpenSource(of: found.source)
            )
        }
        throw Problem.notFound
    }

    /// A refused request with the source that refused it.
    ///
    /// - Throws: `Problem` 404.
    func refused(
        _ id: Identifier<InboundRefusal>, _ scope: OrganizationScope
    ) throws -> (record: RefusalRecord, envelope: Envelope?, source: ExaminedSource) {
        guard let found = try refusals.find(id, scope.organization) else { throw Problem.notFound }
        return (found.record, found.envelope, try examined(found.record.source, scope))
    }
}
