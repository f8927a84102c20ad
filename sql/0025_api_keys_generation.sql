-- Generations: that of API keys and of what they are resolved with.
INSERT IGNORE INTO generations (name, value) VALUES ('api_keys', 0);
