import Domain
import HTTPKit
import TimeKit

extension OpenSource {
    /// Checks a request: by its bearer where the source takes one and there is one, else by its signature.
    ///
    /// - Throws: the first check that it did not pass.
    func judge(_ arrival: Arrival, now: Timestamp) throws(Failure) -> Scheme.Proof {
        let takesBearer = !source.bearers.isEmpty || source.keyDigest != nil
        let hasBearer = arrival.headers["authorization"] != nil || arrival.headers["x-api-key"] != nil
        guard takesBearer, hasBearer else {
            return try scheme.scheme(recipe).verify(arrival, by: source.secrets, now: now)
        }
        var refusal = Failure.wrongToken
        if let digest = source.keyDigest {
            do throws(Failure) {
                return try Scheme.verify(arrival, byDigest: digest)
            } catch {
                refusal = error
            }
        }
        guard !source.bearers.isEmpty else { throw refusal }
        return try Scheme.bearer.verify(arrival, by: source.bearers, now: now)
    }

    /// The scheme by which a request was proved.
    ///
    /// Whoever comes with a bearer is not the service, whatever that signs with: it asks no hand-shake, gets no answer
    /// that is meant for the service, and alone knows what it sends twice.
    func scheme(of proof: Scheme.Proof) -> SchemeName { proof.isBearer ? .bearer : scheme }
}
