import CipherKit
import Domain
import HTTPKit
import JSONKit
import LogKit

/// Change notifications of Microsoft Graph, which signs nothing: each says what Graph was told as `clientState`.
///
/// Whoever knows that can send what they like, so that it is a secret of 256 bits and stands in nothing that is kept.
enum Graph {
    private static let token = "clientState"

    /// Whether each secret fits: every notification of a request must say one of them.
    ///
    /// Subscriptions of the same address come together, some of them perhaps with the secret from before a rotation.
    ///
    /// > clientState … Use this property to check that the change notification came from the service.     Graph, changeNotification
    static func check(_ arrival: Arrival, _ secrets: [InboundSecret]) throws(Failure) -> [Bool] {
        let notifications = (try? JSON(parsing: arrival.body))?["value"]?.elements ?? []
        let said = notifications.map { $0[token]?.text.map { Array($0.utf8) } }
        guard !said.isEmpty, said.allSatisfy({ $0 != nil }) else { throw .noClientState }
        let fits = secrets.map { secret in
            said.map { said in secret.value.reveal { equalInConstantTime(Array($0.utf8), said ?? []) } }
        }
        let isEachKnown = said.indices.allSatisfy { place in fits.contains { $0[place] } }
        return fits.map { isEachKnown && $0.contains(true) }
    }

    /// The answer to Graph's question whether anybody is there, before it takes a subscription; nil when it is none.
    ///
    /// > The client must … respond with … 200 OK … text/plain … the URL decoded validation token.     Graph, Webhook delivery
    static func validation(_ arrival: Arrival, _ source: OpenSource) -> Response? {
        guard source.scheme == .graph, !source.source.secrets.isEmpty, let query = arrival.query,
            query.all("validationToken").count == 1, let token = query["validationToken"],
            (1...1_024).contains(token.utf8.count),
            token.utf8.allSatisfy({ (0x20...0x7e).contains($0) && $0 != 0x3c })
        else { return nil }
        return Response.text(token).neverStored()
    }

    /// A body as it is kept and told of: without what proves it.
    static func withoutSecret(_ body: [UInt8]) -> [UInt8] {
        guard let json = try? JSON(parsing: body), case .object(let members) = json else { return body }
        let plain = members.map { member -> JSON.Member in
            guard member.name == "value", let notifications = member.value.elements else { return member }
            return .init("value", .array(notifications.map(withoutToken)))
        }
        return JSON.object(plain).bytes
    }

    private static func withoutToken(_ notification: JSON) -> JSON {
        guard case .object(let members) = notification else { return notification }
        return .object(members.filter { $0.name != token })
    }

    /// What a request is called. As any token, what it says proves who sends and not what: only ids tell a repetition.
    ///
    /// > id … Unique ID for the notification. Optional.     Graph, changeNotification
    static func naming(_ json: JSON) -> Naming {
        let all = json["value"]?.elements ?? []
        let ids = all.compactMap { $0["id"]?.text }
        let types = Set(all.compactMap { $0["lifecycleEvent"]?.text ?? $0["changeType"]?.text })
        let isNamed = !ids.isEmpty && ids.count == all.count
        return Naming(
            key: isNamed ? ids.sorted().joined(separator: ",") : Hex.encode(Random.bytes(16)),
            type: types.count == 1 ? types.first ?? "event" : types.isEmpty ? "event" : "batch")
    }
}
