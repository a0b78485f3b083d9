// Who calls cannot be known yet. Every program that would have to know says so in these words.

/** Why `auth: oidc` serves nobody. */
export const NO_IDENTITY =
  'auth: oidc is not built yet, and nothing is served to callers whom nobody can verify'
