// What a certificate's extensions say of its use (RFC 5280, section 4.2), read from its bytes: texts made of them can be read
// in several ways. Pure. Undefined where they are no DER, come twice, or demand what nobody here knows.

import { elementsIn, elementsOf, type Element } from './der.ts'

const SEQUENCE = 0x30
const OBJECT_ID = 0x06
const BOOLEAN = 0x01
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
/** Of a certificate's body, where it has any. */
const EXTENSIONS = 0xa3
/** Of a subject's other names. */
const URI = 0x86

/** Under id-ce (2.5.29). */
const KEY_USAGE = '551d0f'
const OTHER_NAMES = '551d11'
const BASIC_CONSTRAINTS = '551d13'
/** What may be critical: what is read here, policies, which decide nothing, and the extended usage, which OpenSSL looks at. */
const KNOWN = new Set([KEY_USAGE, OTHER_NAMES, BASIC_CONSTRAINTS, '551d20', '551d25'])

export interface Uses {
  readonly isAuthority: boolean
  /** How many authorities may stand between it and a leaf. */
  readonly maxBelow: number
  /** Absent: its key may be used for everything. */
  readonly keyUsage: { readonly signs: boolean; readonly issues: boolean } | undefined
  readonly uris: readonly string[]
}

interface Extension {
  readonly id: string
  readonly isCritical: boolean
  readonly value: Buffer
}

const extensionIn = ({ tag, value }: Element): Extension | undefined => {
  const parts = (tag === SEQUENCE ? elementsOf(value) : undefined) ?? []
  const [id] = parts
  const content = parts.at(-1)
  if (parts.length > 3 || id?.tag !== OBJECT_ID || content?.tag !== OCTET_STRING) return undefined
  // What stands between is that it is critical: that it is not, DER leaves out.
  return { id: id.value.toString('hex'), isCritical: parts.length === 3, value: content.value }
}

/** The elements of a certificate's list of extensions; none where it has no list. */
const listedIn = (certificate: Buffer): readonly Element[] | undefined => {
  const [body] = elementsIn(certificate, SEQUENCE) ?? []
  const parts = body?.tag === SEQUENCE ? elementsOf(body.value) : undefined
  const list = parts?.find(({ tag }) => tag === EXTENSIONS)
  if (!parts) return undefined
  return list ? elementsIn(list.value, SEQUENCE) : []
}

/** By what each is; undefined where one is wrong. */
const extensionsOf = (certificate: Buffer): ReadonlyMap<string, Extension> | undefined => {
  const found = new Map<string, Extension>()
  const elements = listedIn(certificate)
  for (const element of elements ?? []) {
    const extension = extensionIn(element)
    if (!extension || found.has(extension.id)) return undefined
    if (extension.isCritical && !KNOWN.has(extension.id)) return undefined
    found.set(extension.id, extension)
  }
  return elements && found
}

const NOT_AUTHORITY = { isAuthority: false, maxBelow: 0 } as const

const authorityIn = (
  value: Buffer | undefined,
): Pick<Uses, 'isAuthority' | 'maxBelow'> | undefined => {
  if (value === undefined) return NOT_AUTHORITY
  const parts = elementsIn(value, SEQUENCE)
  if (!parts) return undefined
  const [first, second] = parts
  if (first?.tag !== BOOLEAN || first.value[0] === 0) return NOT_AUTHORITY
  if (second === undefined) return { isAuthority: true, maxBelow: Infinity }
  const [most] = second.value
  // More than 127 of them are as good as no bound.
  if (second.tag !== INTEGER || most === undefined) return undefined
  return { isAuthority: true, maxBelow: second.value.length === 1 ? most : Infinity }
}

/** The bits of RFC 5280, section 4.2.1.3. */
const SIGNS = 0x80
const ISSUES = 0x04 | 0x02

const usageIn = (value: Buffer | undefined): Uses['keyUsage'] | 'wrong' => {
  if (value === undefined) return undefined
  const all = elementsOf(value)
  const [only] = all ?? []
  const bits = only?.value[1]
  if (all?.length !== 1 || only?.tag !== BIT_STRING || bits === undefined) return 'wrong'
  return { signs: (bits & SIGNS) !== 0, issues: (bits & ISSUES) !== 0 }
}

const urisIn = (value: Buffer | undefined): readonly string[] | undefined =>
  value === undefined
    ? []
    : elementsIn(value, SEQUENCE)?.flatMap((name) =>
        name.tag === URI ? [name.value.toString('latin1')] : [],
      )

/** Of a certificate in DER. */
export const usesOf = (certificate: Buffer): Uses | undefined => {
  const extensions = extensionsOf(certificate)
  if (!extensions) return undefined
  const authority = authorityIn(extensions.get(BASIC_CONSTRAINTS)?.value)
  const keyUsage = usageIn(extensions.get(KEY_USAGE)?.value)
  const uris = urisIn(extensions.get(OTHER_NAMES)?.value)
  return authority && uris && keyUsage !== 'wrong' ? { ...authority, keyUsage, uris } : undefined
}
