// The WWW-Authenticate header of a registry (RFC 9110, section 11.6.1), as far as registries use
// it: Basic, or Bearer with a realm to fetch a token from. Pure.

export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined }

const MAX_LENGTH = 8192

/** `name="value", other=token` at the start of the text, and what follows it. */
const PARAMETER = /^\s*,?\s*([A-Za-z0-9_-]{1,64})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/
const SCHEME = /^[\s,]*([A-Za-z][A-Za-z0-9-]{0,30})(?:\s+|,|$)/

interface Part {
  readonly scheme: string
  readonly parameters: ReadonlyMap<string, string>
}

const parametersOf = (text: string): readonly [ReadonlyMap<string, string>, string] => {
  const parameters = new Map<string, string>()
  let rest = text
  for (let match = PARAMETER.exec(rest); match; match = PARAMETER.exec(rest)) {
    const [whole, name = '', quoted, token = ''] = match
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? token
    // Of two parameters of one name the first counts.
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value)
    rest = rest.slice(whole.length)
  }
  return [parameters, rest]
}

const partsOf = (header: string): readonly Part[] => {
  const parts: Part[] = []
  let rest = header
  for (let match = SCHEME.exec(rest); match; match = SCHEME.exec(rest)) {
    const [whole, scheme = ''] = match
    const [parameters, after] = parametersOf(rest.slice(whole.length))
    parts.push({ scheme: scheme.toLowerCase(), parameters })
    rest = after
  }
  return parts
}

/** The way in that the header names: Bearer before Basic; undefined where it names neither. */
export const parseChallenge = (header: string): Challenge | undefined => {
  if (header.length > MAX_LENGTH) return undefined
  const parts = partsOf(header)
  const bearer = parts.find(({ scheme }) => scheme === 'bearer')?.parameters
  const realm = bearer?.get('realm')
  if (realm !== undefined) return { scheme: 'bearer', realm, service: bearer?.get('service') }
  return parts.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}
