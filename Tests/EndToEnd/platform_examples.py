"""The examples of the Platform Integrations API as its document has them: the command, the status and the answer."""

EXAMPLES = {
    "GET /api/v2/platform-integrations": (
        r"""curl -X GET https://api.lvng.ai/api/v2/platform-integrations \
  -H "Authorization: Bearer YOUR_API_KEY"
""",
        200,
        r"""{
  "integrations": [
    {
      "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
      "workspace_id": "d4e5f6a7-b8c9-0d1e-2f3a-4b5c6d7e8f90",
      "platform": "discord",
      "config": { "configured": true },
      "webhook_secret": "***",
      "enabled": true,
      "connected": true,
      "last_connected_at": "2026-03-19T09:00:00.000Z",
      "connection_error": null,
      "api_key": null,
      "api_key_created_at": null,
      "created_at": "2026-01-20T08:00:00.000Z",
      "updated_at": "2026-03-19T09:00:00.000Z"
    },
    {
      "id": "b2c3d4e5-f6a7-8901-bcde-f12345678901",
      "workspace_id": "d4e5f6a7-b8c9-0d1e-2f3a-4b5c6d7e8f90",
      "platform": "slack",
      "config": { "configured": true },
      "webhook_secret": "***",
      "enabled": true,
      "connected": true,
      "last_connected_at": "2026-03-18T22:00:00.000Z",
      "connection_error": null,
      "api_key": null,
      "api_key_created_at": null,
      "created_at": "2026-02-10T14:30:00.000Z",
      "updated_at": "2026-03-18T22:00:00.000Z"
    }
  ]
}
""",
    ),
    "GET /api/v2/platform-integrations/:id": (
        r"""curl -X GET https://api.lvng.ai/api/v2/platform-integrations/a1b2c3d4-e5f6-7890-abcd-ef1234567890 \
  -H "Authorization: Bearer YOUR_API_KEY"
""",
        200,
        r"""{
  "integration": {
    "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "workspace_id": "d4e5f6a7-b8c9-0d1e-2f3a-4b5c6d7e8f90",
    "platform": "discord",
    "config": { "configured": true },
    "webhook_secret": "***",
    "enabled": true,
    "connected": true,
    "last_connected_at": "2026-03-19T09:00:00.000Z",
    "connection_error": null,
    "api_key": null,
    "api_key_created_at": null,
    "created_at": "2026-01-20T08:00:00.000Z",
    "updated_at": "2026-03-19T09:00:00.000Z"
  }
}
""",
    ),
    "POST /api/v2/platform-integrations": (
        r"""curl -X POST https://api.lvng.ai/api/v2/platform-integrations \
  -H "Authorization: Bearer YOUR_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "workspace_id": "d4e5f6a7-b8c9-0d1e-2f3a-4b5c6d7e8f90",
    "platform": "slack",
    "config": {
      "bot_token": "xoxb-xxxxxxxxxxxx-xxxxxxxxxxxx",
      "team_id": "T0123456789"
    },
    "enabled": true
  }'
""",
        201,
        r"""{
  "integration": {
    "id": "c3d4e5f6-a7b8-9012-cdef-123456789012",
    "workspace_id": "d4e5f6a7-b8c9-0d1e-2f3a-4b5c6d7e8f90",
    "platform": "slack",
    "config": { "configured": true },
    "webhook_secret": null,
    "enabled": true,
    "connected": null,
    "last_connected_at": null,
    "connection_error": null,
    "api_key": null,
    "api_key_created_at": null,
    "created_at": "2026-03-19T10:00:00.000Z",
    "updated_at": "2026-03-19T10:00:00.000Z"
  }
}
""",
    ),
    "PATCH /api/v2/platform-integrations/:id": (
        r"""curl -X PATCH https://api.lvng.ai/api/v2/platform-integrations/c3d4e5f6-a7b8-9012-cdef-123456789012 \
  -H "Authorization: Bearer YOUR_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "enabled": false
  }'
""",
        200,
        r"""{
  "integration": {
    "id": "c3d4e5f6-a7b8-9012-cdef-123456789012",
    "workspace_id": "d4e5f6a7-b8c9-0d1e-2f3a-4b5c6d7e8f90",
    "platform": "slack",
    "config": { "configured": true },
    "enabled": false,
    "connected": null,
    "created_at": "2026-03-19T10:00:00.000Z",
    "updated_at": "2026-03-19T10:20:00.000Z"
  }
}
""",
    ),
    "DELETE /api/v2/platform-integrations/:id": (
        r"""curl -X DELETE https://api.lvng.ai/api/v2/platform-integrations/c3d4e5f6-a7b8-9012-cdef-123456789012 \
  -H "Authorization: Bearer YOUR_API_KEY"
""",
        200,
        r"""{
  "success": true
}
""",
    ),
    "POST /api/v2/platform-integrations/:id/test": (
        r"""curl -X POST https://api.lvng.ai/api/v2/platform-integrations/a1b2c3d4-e5f6-7890-abcd-ef1234567890/test \
  -H "Authorization: Bearer YOUR_API_KEY"
""",
        200,
        r"""{
  "success": true
}
""",
    ),
    "POST /api/v2/platform-integrations/:id/sync-channels": (
        r"""curl -X POST https://api.lvng.ai/api/v2/platform-integrations/a1b2c3d4-e5f6-7890-abcd-ef1234567890/sync-channels \
  -H "Authorization: Bearer YOUR_API_KEY"
""",
        200,
        r"""{
  "success": true,
  "channelCount": 5,
  "channels": [
    { "id": "1234567890123456789", "name": "general", "type": "text", "topic": "General discussion", "serverId": "9876543210987654321" },
    { "id": "2345678901234567890", "name": "engineering", "type": "text", "topic": "Engineering team discussions", "serverId": "9876543210987654321" },
    { "id": "3456789012345678901", "name": "product", "type": "text", "topic": "Product roadmap and feedback", "serverId": "9876543210987654321" },
    { "id": "4567890123456789012", "name": "design", "type": "text", "topic": null, "serverId": "9876543210987654321" },
    { "id": "5678901234567890123", "name": "support", "type": "text", "topic": "Customer support escalations", "serverId": "9876543210987654321" }
  ]
}
""",
    ),
    "GET /api/v2/platform-integrations/:id/channels": (
        r"""curl -X GET https://api.lvng.ai/api/v2/platform-integrations/a1b2c3d4-e5f6-7890-abcd-ef1234567890/channels \
  -H "Authorization: Bearer YOUR_API_KEY"
""",
        200,
        r"""{
  "channels": [
    {
      "id": "7b8c9d0e-1f2a-3b4c-5d6e-7f8a9b0c1d2e",
      "integration_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
      "platform_channel_id": "1234567890123456789",
      "platform_server_id": "9876543210987654321",
      "channel_name": "engineering",
      "channel_type": "text",
      "channel_topic": "Engineering team discussions",
      "auto_sync_messages": false,
      "sync_direction": null,
      "lvng_conversation_id": null,
      "created_at": "2026-03-19T09:35:00.000Z",
      "updated_at": "2026-03-19T09:35:00.000Z"
    }
  ]
}
""",
    ),
    "PATCH /api/v2/platform-integrations/channels/:channelId": (
        r"""curl -X PATCH https://api.lvng.ai/api/v2/platform-integrations/channels/7b8c9d0e-1f2a-3b4c-5d6e-7f8a9b0c1d2e \
  -H "Authorization: Bearer YOUR_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "auto_sync_messages": true,
    "sync_direction": "both",
    "lvng_conversation_id": "e5f6a7b8-c9d0-1e2f-3a4b-5c6d7e8f9a0b"
  }'
""",
        200,
        r"""{
  "channel": {
    "id": "7b8c9d0e-1f2a-3b4c-5d6e-7f8a9b0c1d2e",
    "integration_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "platform_channel_id": "1234567890123456789",
    "channel_name": "engineering",
    "auto_sync_messages": true,
    "sync_direction": "both",
    "lvng_conversation_id": "e5f6a7b8-c9d0-1e2f-3a4b-5c6d7e8f9a0b",
    "updated_at": "2026-03-19T10:45:00.000Z"
  }
}
""",
    ),
    "POST /api/v2/platform-integrations/:id/api-key": (
        r"""curl -X POST https://api.lvng.ai/api/v2/platform-integrations/a1b2c3d4-e5f6-7890-abcd-ef1234567890/api-key \
  -H "Authorization: Bearer YOUR_API_KEY"
""",
        201,
        r"""{
  "api_key": "lvng_plat_a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4",
  "api_key_created_at": "2026-03-19T11:00:00.000Z",
  "message": "API key generated successfully. This key will only be shown once."
}
""",
    ),
    "DELETE /api/v2/platform-integrations/:id/api-key": (
        r"""curl -X DELETE https://api.lvng.ai/api/v2/platform-integrations/a1b2c3d4-e5f6-7890-abcd-ef1234567890/api-key \
  -H "Authorization: Bearer YOUR_API_KEY"
""",
        200,
        r"""{
  "success": true,
  "message": "API key revoked successfully"
}
""",
    ),
}
