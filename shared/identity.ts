// Nobody can be verified whose issuer nobody has listed. Every program that would have to says so in these words.

/** Why `auth: oidc` serves nobody. */
export const NO_IDENTITY =
  'auth: oidc needs an issuer that is trusted, and nothing is served to callers whom nobody can verify'
