// What certificates there are, who trusts which, and what is wrong with that, each fault with what to do. Pure.

import { X509Certificate } from 'node:crypto'
import { checkAuthority, lifeOf, shortDigest } from '../../certs/authorities.ts'
import { authoritiesIn, type SecretTexts } from '../../certs/stored-authority.ts'
import { certificatesIn } from '../../shared/key-pair.ts'

/** Where a caBundle stands, and its text. */
export interface Bundle {
  readonly where: string
  readonly pem: string
}

/** A certificate that serves: by its text, or by what its replica says of it. */
export interface Serving {
  readonly where: string
  readonly pem?: string | undefined
  readonly end?: Date | undefined
  /** The digest of who has signed it. */
  readonly authority?: string | undefined
}

export interface Material {
  readonly now: Date
  /** Of the Secret with our own authority; undefined: there is none, as with cert-manager. */
  readonly stored: { readonly where: string; readonly texts: SecretTexts } | undefined
  readonly bundles: readonly Bundle[]
  readonly serving: readonly Serving[]
  /** `kubectl -n outrigger-system`, or the like. */
  readonly kubectl: string
}

export interface Fault {
  readonly what: string
  readonly advice: string
}

export interface Row {
  readonly where: string
  readonly role: string
  readonly subject: string
  readonly digest: string
  readonly from: string
  readonly until: string
}

export interface Trust {
  readonly where: string
  readonly end: string
  readonly signedBy: string
  readonly isTrusted: boolean
}

export interface Inspection {
  readonly authorities: readonly Row[]
  readonly bundles: readonly { readonly where: string; readonly digests: readonly string[] }[]
  readonly serving: readonly Trust[]
  readonly faults: readonly Fault[]
}

const DAY_MS = 86_400_000
const SELECTOR = '-l app.kubernetes.io/name=outrigger-webhook'
const logs = ({ kubectl }: Material): string => `${kubectl} logs ${SELECTOR} --tail=50`
const text = (date: Date): string => date.toISOString().slice(0, 19) + 'Z'

const rowOf = (where: string, role: string, pem: string): Row => {
  const { from, until } = lifeOf(pem)
  const { subject } = new X509Certificate(pem)
  const name = subject.replaceAll('\n', ', ')
  return {
    where,
    role,
    subject: name,
    digest: shortDigest(pem),
    from: text(from),
    until: text(until),
  }
}

const isReadable = (pem: string): boolean => certificatesIn(pem).ok

const pemsIn = (bundle: string): readonly string[] => {
  const read = certificatesIn(bundle)
  return read.ok ? read.value.map((certificate) => certificate.toString()) : []
}

const storedRows = ({ stored }: Material): readonly Row[] => {
  if (!stored) return []
  const { current, next, old } = authoritiesIn(stored.texts)
  const all = [
    ['signing', current?.certificatePem] as const,
    ['next', next?.certificatePem] as const,
    ...old.map((pem) => ['old', pem] as const),
  ]
  return all.flatMap(([role, pem]) =>
    pem !== undefined && isReadable(pem) ? [rowOf(stored.where, role, pem)] : [],
  )
}

/** Of an authority that can sign: whether somebody should have replaced it by now. */
const lateFault = (
  material: Material,
  where: string,
  pem: string,
  hasNext: boolean,
): readonly Fault[] => {
  const { from, until, isOurs } = lifeOf(pem)
  const leftMs = until.getTime() - material.now.getTime()
  const end = `the authority in ${where} ends at ${text(until)}`
  if (!isOurs && leftMs < 30 * DAY_MS) {
    return [
      {
        what: end,
        advice:
          'put another one into ca.crt and ca.key: it is trusted first, and signs within ten minutes',
      },
    ]
  }
  // At two thirds it is replaced, within minutes.
  const isLate = leftMs < (until.getTime() - from.getTime()) / 4
  return isOurs && isLate && !hasNext
    ? [
        {
          what: `${end}, and is not being replaced`,
          advice: `see why no replica does it: ${logs(material)}`,
        },
      ]
    : []
}

const storedFaults = (material: Material): readonly Fault[] => {
  const { stored, now, kubectl } = material
  if (!stored) return []
  const { current, next } = authoritiesIn(stored.texts)
  if (!current) {
    const advice = `see why no replica has made one: ${kubectl} get pods ${SELECTOR}`
    return [{ what: `${stored.where} holds no authority yet`, advice }]
  }
  const checked = checkAuthority(current, now)
  if (checked.ok)
    return lateFault(material, stored.where, current.certificatePem, next !== undefined)
  const [, name = 'outrigger-ca'] = stored.where.split('/')
  return [
    {
      what: `the authority in ${stored.where} cannot sign: ${checked.error}`,
      advice: `empty it, and a new one is made: ${kubectl} patch secret ${name} --type=merge -p '{"data":null}'`,
    },
  ]
}

const bundleFaults = (material: Material, rows: readonly Row[]): readonly Fault[] => {
  const advice = material.stored
    ? `a replica writes it within a minute; see why none does: ${logs(material)}`
    : "whoever keeps the certificate writes it: see that cert-manager's cainjector runs"
  return material.bundles.flatMap(({ where, pem }): readonly Fault[] => {
    if (pem.trim() === '') return [{ what: `${where} has no caBundle: calls by it fail`, advice }]
    if (!isReadable(pem))
      return [{ what: `the caBundle of ${where} cannot be read: calls by it fail`, advice }]
    const digests = pemsIn(pem).map(shortDigest)
    const missing = rows.filter(({ digest }) => !digests.includes(digest))
    return missing.length === 0
      ? []
      : [
          {
            what: `the caBundle of ${where} lacks ${missing.map(({ role, digest }) => `${digest} (${role})`).join(', ')}`,
            advice,
          },
        ]
  })
}

const isSignedBy = (leaf: X509Certificate, authorityPem: string): boolean => {
  const authority = new X509Certificate(authorityPem)
  return leaf.checkIssued(authority) && leaf.verify(authority.publicKey)
}

/** Who of a bundle vouches for what serves. */
const signerIn = ({ pem, authority }: Serving, bundle: string): string | undefined => {
  const pems = pemsIn(bundle)
  if (pem === undefined) return pems.map(shortDigest).find((digest) => digest === authority)
  const [leafPem] = pemsIn(pem)
  const leaf = leafPem === undefined ? undefined : new X509Certificate(leafPem)
  const signer = leaf && pems.find((each) => isSignedBy(leaf, each))
  return signer && shortDigest(signer)
}

const endOf = ({ pem, end }: Serving): Date | undefined => {
  const [leaf] = pem === undefined ? [] : pemsIn(pem)
  return leaf === undefined ? end : lifeOf(leaf).until
}

const trustOf = (serving: Serving, { bundles }: Material): Trust => {
  const signers = bundles.map(({ pem }) => signerIn(serving, pem))
  const end = endOf(serving)
  return {
    where: serving.where,
    end: end ? text(end) : 'unknown',
    signedBy: serving.authority ?? signers.find((signer) => signer !== undefined) ?? 'unknown',
    isTrusted: signers.length > 0 && signers.every((signer) => signer !== undefined),
  }
}

const endFault = (material: Material, serving: Serving): readonly Fault[] => {
  const end = endOf(serving)
  if (!end)
    return [
      {
        what: `${serving.where} shows no certificate that can be read`,
        advice: `see why: ${logs(material)}`,
      },
    ]
  const leftMs = end.getTime() - material.now.getTime()
  if (leftMs >= DAY_MS) return []
  const when = leftMs < 0 ? 'has ended' : 'ends'
  const advice = `it should have been renewed by now: ${logs(material)}`
  return [{ what: `the certificate of ${serving.where} ${when} at ${text(end)}`, advice }]
}

const servingFaults = (material: Material): readonly Fault[] =>
  material.serving.flatMap((serving) => {
    const untrusted = material.bundles.filter(({ pem }) => signerIn(serving, pem) === undefined)
    const ended = endFault(material, serving)
    if (untrusted.length === 0 || endOf(serving) === undefined) return ended
    const where = untrusted.map((bundle) => bundle.where).join(', ')
    return [
      ...ended,
      {
        what: `nobody in the caBundle of ${where} vouches for ${serving.where}: calls to it fail`,
        advice: `it changes over by itself in ten minutes at most, else: ${logs(material)}`,
      },
    ]
  })

export const inspect = (material: Material): Inspection => {
  const authorities = storedRows(material)
  return {
    authorities,
    bundles: material.bundles.map(({ where, pem }) => ({
      where,
      digests: pemsIn(pem).map(shortDigest),
    })),
    serving: material.serving.map((serving) => trustOf(serving, material)),
    faults: [
      ...storedFaults(material),
      ...bundleFaults(material, authorities),
      ...servingFaults(material),
    ],
  }
}
