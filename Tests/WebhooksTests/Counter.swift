import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import JobKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Webhooks

/// The room's front door for scripts.
struct Counter {
    let post: Post
    let door: Door

    init(
        settings: Webhooks.Settings = Post.settings,
        _ answer: @escaping @Sendable (String) -> String? = { _ in Post.ok }
    )
        throws
    {
        post = try Post(settings: settings, answer)
        door = try Door(post.house, post.room.routes, templates: [:])
    }

    /// What a request was answered.
    struct Answer {
        let status: Int
        let json: JSON
        let headers: Headers

        /// The refused fields with their codes, `url too_long`, in order.
        var refusals: [String] {
            (json["errors"]?.elements ?? []).map {
                "\($0["pointer"]?.text?.dropFirst() ?? "") \($0["code"]?.text ?? "")"
            }
        }
        var code: String? { json["code"]?.text }
    }

    func send(
        _ method: HTTPKit.Method, _ path: String, _ json: JSON? = nil, query: String = "",
        as principal: Principal? = nil,
        headers: Headers = [:]
    ) throws -> Answer {
        // So that what one request writes stands before what the next one writes.
        post.house.pass(.microseconds(1))
        return try answer(
            door.send(
                method, "/api/v1/" + path, as: principal ?? post.admin, query: query,
                json: json.map { String(decoding: $0.bytes, as: UTF8.self) }, headers: headers))
    }

    private func answer(_ response: Response) throws -> Answer {
        let text = try response.text()
        return Answer(
            status: Int(response.status.code), json: text.isEmpty ? .null : try JSON(parsing: Array(text.utf8)),
            headers: response.headers)
    }

    /// Where the receiver listens.
    var url: String { "http://127.0.0.1:\(post.receiver.port)/hook" }

    /// Makes a webhook, `more` beside its address and its events.
    @discardableResult
    func make(_ more: JSON = [:], events: JSON = ["*"], as principal: Principal? = nil) throws -> Answer {
        let whole: JSON = ["url": .string(url), "events": events]
        return try send(
            .post, "webhooks", .object((whole.members ?? []).filter { more[$0.name] == nil } + (more.members ?? [])),
            as: principal)
    }

    /// The id in an answer.
    func id(_ answer: Answer) throws -> String { try #require(answer.json["id"]?.text, "\(answer.json)") }

    /// Somebody of another organization.
    func stranger() throws -> Principal {
        let other = try post.house.organization("Other Shop")
        return try post.house.person(.owner, in: other, email: "eve@other.example")
    }

    /// Does the jobs that wait, as `hub work` does.
    func work() throws {
        let (house, now) = (post.house, post.house.world.now)
        let runner = JobRunner(
            JobQueue(house.database, now: now), post.room.jobs, log: Log(threshold: .error), now: now)
        while try runner.runOne() {}
    }
}
