import AdminShell

/// The templates of this room.
extension Webhooks {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "delivery.html": PackageResources.delivery_html,
        "delivery-rows.html": PackageResources.delivery_rows_html,
        "event.html": PackageResources.event_html,
        "event-new.html": PackageResources.event_new_html,
        "event-type.html": PackageResources.event_type_html,
        "event-type-form.html": PackageResources.event_type_form_html,
        "event-type-remove.html": PackageResources.event_type_remove_html,
        "event-types.html": PackageResources.event_types_html,
        "events.html": PackageResources.events_html,
        "json.html": PackageResources.json_html,
        "replay.html": PackageResources.replay_html,
        "webhook.html": PackageResources.webhook_html,
        "webhook-edit.html": PackageResources.webhook_edit_html,
        "webhook-fields.html": PackageResources.webhook_fields_html,
        "webhook-new.html": PackageResources.webhook_new_html,
        "webhook-remove.html": PackageResources.webhook_remove_html,
        "webhook-replay.html": PackageResources.webhook_replay_html,
        "webhook-roll.html": PackageResources.webhook_roll_html,
        "webhook-secret.html": PackageResources.webhook_secret_html,
        "webhook-verify.html": PackageResources.webhook_verify_html,
        "webhooks.html": PackageResources.webhooks_html,
    ]
}

extension Webhooks {
    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        WebhookListPage.self, WebhookNewPage.self, WebhookEditPage.self, WebhookSecretPage.self, WebhookRollPage.self,
        WebhookRemovePage.self, WebhookPage.self, VerifyPage.self, ReplayPage.self, ReplayStatusPage.self,
        DeliveryPage.self, EventListPage.self, EventPage.self, PublishPage.self, EventTypeListPage.self,
        EventTypePage.self, EventTypeFormPage.self, EventTypeRemovePage.self,
    ]
}
