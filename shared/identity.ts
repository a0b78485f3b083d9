// What every program says of a configuration by which nobody could be verified, or everybody would be let in although it asks
// for more.

/** Why `auth: oidc` serves nobody. */
export const NO_IDENTITY =
  'auth: oidc needs an issuer that is trusted, and nothing is served to callers whom nobody can verify'

/** In the place of issuers: none is believed, whoever is listed. */
export const NO_ISSUERS = 'none'

/** The settings that say how callers are verified. */
interface Identifying {
  readonly auth: 'oidc' | 'none'
  readonly 'oidc-issuers'?: readonly string[]
  readonly 'oidc-audience'?: readonly string[]
  readonly 'introspection-secret'?: string
  readonly 'required-scopes'?: readonly string[]
  readonly 'spiffe-ids'?: readonly string[]
  readonly 'caller-environment'?: readonly string[]
  readonly 'token-exchange'?: readonly string[]
  readonly 'token-exchange-secret'?: string
}

const SCOPE = /^[!#-[\]-~]+$/

/** What callers' verification needs and `auth: none` would drop in silence, and what no token can say. */
export const identityConflicts = (settings: Identifying): readonly string[] => {
  const keys = [
    'oidc-issuers',
    'oidc-audience',
    'introspection-secret',
    'required-scopes',
    'spiffe-ids',
    'caller-environment',
    'token-exchange',
    'token-exchange-secret',
  ] as const
  const inVain = settings.auth === 'none' ? keys.filter((key) => settings[key] !== undefined) : []
  const scopes = settings['required-scopes'] ?? []
  const issuers = settings['oidc-issuers'] ?? []
  return [
    ...(issuers.length > 1 && issuers.includes(NO_ISSUERS)
      ? [
          `oidc-issuers: ${NO_ISSUERS} means that no issuer is believed: let it stand alone, or take it out`,
        ]
      : []),
    ...inVain.map(
      (key) =>
        `${key}: auth: none lets everybody call, whatever stands here; leave one of them out`,
    ),
    ...scopes
      .filter((scope) => !SCOPE.test(scope))
      .map((scope) => `required-scopes: ${scope} is no scope (RFC 6749, section 3.3)`),
  ]
}
