// The names by which clients call, held against those that the certificate bears: a client that checks it refuses any other,
// and says so to nobody here. Told once each; who calls by made-up names fills no log.

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Log } from '../../shared/log.ts'
import { hostOf } from '../../shared/origin.ts'
import type { KeyPair } from '../../shared/key-pair.ts'

const MAX_TOLD = 16
const MAX_SHOWN = 200

/** Whether clients find the name in it; a subject's common name counts for none of them (RFC 9110, section 4.3.4). */
const bears = (certificate: X509Certificate, name: string): boolean =>
  isIP(name)
    ? certificate.checkIP(name) !== undefined
    : certificate.checkHost(name, { subject: 'never' }) !== undefined

const namesIn = ({ subjectAltName = '' }: X509Certificate): string => {
  const names = subjectAltName.replaceAll(/(?:DNS|IP Address):/g, '')
  if (names === '') return 'no name'
  return names.length > MAX_SHOWN ? `${names.slice(0, MAX_SHOWN)}…` : names
}

export interface NamesOptions {
  readonly certFile: string
  readonly publicUrl: string | undefined
  readonly log: Log
}

export class Names {
  private readonly options: NamesOptions
  private pair: KeyPair
  private readonly told = new Set<string>()

  constructor(options: NamesOptions, pair: KeyPair) {
    this.options = options
    this.pair = pair
    this.show(pair)
  }

  /** Another certificate: what was told was told of the one before. */
  show(pair: KeyPair): void {
    this.pair = pair
    this.told.clear()
    const { publicUrl } = this.options
    if (publicUrl === undefined) return
    const name = new URL(publicUrl).hostname.replaceAll(/[[\]]/g, '')
    this.tell(
      name,
      'the host of public-url',
      'have it made for that name too, unless a proxy shows clients another',
    )
  }

  /** A client has called by a name (RFC 6066, section 3). */
  called(name: string): void {
    if (hostOf(name) === undefined) return
    this.tell(
      name.toLowerCase(),
      'by which a client has called',
      'have it made for that name too, or call by another',
    )
  }

  private tell(name: string, which: string, todo: string): void {
    const { told, options, pair } = this
    if (told.has(name) || told.size >= MAX_TOLD || bears(pair.certificate, name)) return
    told.add(name)
    const { certFile, log } = options
    log.warn(
      `the certificate ${certFile} (${pair.subject}) bears ${namesIn(pair.certificate)}, and not ${name}, ${which}: clients that check it refuse it; ${todo}`,
    )
  }
}
