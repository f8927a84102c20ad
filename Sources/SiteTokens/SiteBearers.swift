import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// Whom the hub knows of those that the site speaks of.
///
/// It stands before any organization is known, so it takes no `OrganizationScope`.
struct SiteBearers: Sendable {
    let database: Database

    /// An account of the hub and where it belongs.
    struct Account {
        let user: Identifier<User>
        let email: String
        let isDisabled: Bool
        let places: [Principal.Membership]

        /// Where the account may act by this token: everywhere it belongs, or in the one organization that the site names.
        func memberships(_ claims: SiteClaims) throws -> [Principal.Membership] {
            guard let named = claims.organization else { return places }
            return places.filter { $0.organization == named }
        }
    }

    /// The account whose id is the token's subject, or whose address is the one that the site has checked.
    func account(_ claims: SiteClaims) throws -> Account? {
        let id = Identifier<User>(claims.subject)
        guard id != nil || claims.email != nil else { return nil }
        let rows = try database.rows(
            """
            SELECT u.id, u.email, u.disabled_at, m.organization_id, m.role, o.name AS organization
              FROM users u
              LEFT JOIN memberships m ON m.user_id = u.id
              LEFT JOIN organizations o ON o.id = m.organization_id
             WHERE u.id = \(id) OR u.email = \(claims.email)
             ORDER BY COALESCE(u.id = \(id), FALSE) DESC, m.organization_id
             LIMIT 1000
            """)
        guard let first = rows.first else { return nil }
        let user: Identifier<User> = try first.get("id")
        return Account(
            user: user, email: try first.get("email"),
            isDisabled: try first.get("disabled_at", as: Timestamp?.self) != nil,
            places: try rows.compactMap { row in
                guard try row.get("id", as: Identifier<User>.self) == user,
                    let organization = try row.get("organization_id", as: Identifier<Organization>?.self),
                    let role = try row.get("role", as: Role?.self)
                else { return nil }
                return Principal.Membership(organization: organization, name: try row.get("organization"), role: role)
            })
    }

    /// The organization that a token without an account is about: the one it names, or the hub's only one.
    ///
    /// - Throws: `Problem` 404 for an organization that there is not.
    func organizations(_ claims: SiteClaims) throws -> [(id: Identifier<Organization>, name: String)] {
        let rows =
            if let named = claims.organization {
                try database.rows("SELECT id, name FROM organizations WHERE id = \(named)")
            } else {
                try database.rows("SELECT id, name FROM organizations ORDER BY id LIMIT 2")
            }
        if claims.organization != nil, rows.isEmpty { throw Problem.noSuchOrganization }
        guard rows.count == 1 else { return [] }
        return [(try rows[0].get("id"), try rows[0].get("name"))]
    }
}
