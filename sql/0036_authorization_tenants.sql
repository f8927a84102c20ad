-- Sign-ins that are under way: the tenant that somebody signs in at, where it is another one than the set-up names. The
-- set-up gets it once the sign-in has succeeded.
ALTER TABLE authorization_flows ADD COLUMN IF NOT EXISTS tenant VARCHAR(200) NULL AFTER return_to;
