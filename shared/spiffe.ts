// SPIFFE IDs (SPIFFE-ID, section 2): who a workload is, as a text; and patterns of them, as configurations list them. Pure.

const MAX_CHARACTERS = 2048
const TRUST_DOMAIN = /^spiffe:\/\/([a-z0-9._-]{1,255})$/
const ID = /^spiffe:\/\/([a-z0-9._-]{1,255})(?:\/[\w.-]+)+$/
const BELOW = '/*'

/** The trust domain of a workload's ID; undefined for whatever is none. */
export const trustDomainOf = (id: string): string | undefined => {
  if (id.length > MAX_CHARACTERS || /\/\.{1,2}(?:\/|$)/.test(id)) return undefined
  return ID.exec(id)?.[1]
}

export const isTrustDomain = (name: string): boolean => TRUST_DOMAIN.test(`spiffe://${name}`)

/** The trust domain of a pattern: an ID, or with a star in the place of its last part all that stand below. */
export const trustDomainOfPattern = (pattern: string): string | undefined => {
  if (!pattern.endsWith(BELOW)) return trustDomainOf(pattern)
  const above = pattern.slice(0, -BELOW.length)
  return trustDomainOf(above) ?? TRUST_DOMAIN.exec(above)?.[1]
}

/** Whether all that one means, an ID or a pattern, is meant by a pattern. */
export const covers = (pattern: string, one: string): boolean =>
  pattern === one || (pattern.endsWith(BELOW) && one.startsWith(pattern.slice(0, -1)))
