// The authorities that all replicas share, in a Secret that the manifests create empty. Every write names the version that
// was read, so that of two replicas at once the API server refuses one, which reads again and finds what the other wrote.

import { NO_AUTHORITIES, type Authorities } from './authorities.ts'
import type { Authority } from './x509.ts'

export interface StoredAuthorities {
  readonly authorities: Authorities
  readonly version: string
  /** What time it is by the API server. */
  readonly date: Date | undefined
}

export interface AuthorityStore {
  read(): Promise<StoredAuthorities>
  /** Writes on the condition that nobody has written since that version was read. */
  write(authorities: Authorities, version: string): Promise<'written' | 'conflict'>
}

/** The Secret's members as texts; one that is null is taken out. */
export type SecretTexts = Readonly<Record<string, string | undefined>>
export type SecretChange = Readonly<Record<string, string | null>>

const CURRENT = 'ca'
const NEXT = 'next'
const OLD = 'old.crt'
const OLD_UNTIL = 'old.until'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
/** More than that were never written here. */
const MAX_CHARS = 65_536

/** Each in one spelling, by which one is known again wherever it stands, whoever has written it. */
const certificatesIn = (text = ''): readonly string[] =>
  (text.slice(0, MAX_CHARS).match(CERTIFICATE) ?? []).map(
    (pem) => `${pem.replaceAll(/[ \t\r]+$/gm, '')}\n`,
  )

/** Of several certificates the first is the one that signs, and what does not parse is left as it is. */
const authorityIn = (texts: SecretTexts, name: string): Authority | undefined => {
  const [text = '', privateKeyPem = ''] = [texts[`${name}.crt`], texts[`${name}.key`]]
  const [certificatePem = text] = certificatesIn(text)
  return text === '' && privateKeyPem === '' ? undefined : { certificatePem, privateKeyPem }
}

const dateIn = (text = ''): Date | undefined => {
  const date = new Date(text)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** What a Secret holds; the rest of it is not looked at. */
export const authoritiesIn = (texts: SecretTexts): Authorities => {
  return {
    ...NO_AUTHORITIES,
    current: authorityIn(texts, CURRENT),
    next: authorityIn(texts, NEXT),
    old: certificatesIn(texts[OLD]),
    oldUntil: dateIn(texts[OLD_UNTIL]),
  }
}

const authorityTexts = (name: string, authority: Authority | undefined): SecretChange => ({
  [`${name}.crt`]: authority?.certificatePem ?? null,
  [`${name}.key`]: authority?.privateKeyPem ?? null,
})

/** What makes a Secret hold them, as a merge patch of its members. */
export const secretChange = ({ current, next, old, oldUntil }: Authorities): SecretChange => ({
  ...authorityTexts(CURRENT, current),
  ...authorityTexts(NEXT, next),
  [OLD]: old.length > 0 ? old.join('') : null,
  [OLD_UNTIL]: oldUntil?.toISOString() ?? null,
})
