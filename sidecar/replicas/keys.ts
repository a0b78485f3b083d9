// The keys that the replicas of one workload share, from the folder of their Secret: a certificate that each of them shows the
// others, and what signs session ids and vouchers. Read again and again; another set is taken from the others at once, and
// shown itself only when they have had time to read it, too. The former one stays good for a while.

import { createHmac } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { isMissingFile } from '../../shared/missing-file.ts'
import { readKeyPair, type KeyPair } from '../../shared/key-pair.ts'
import { pemFiles, pemTexts } from '../../shared/pem-file.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { TextSource } from '../../shared/text-source.ts'

/** kubelet brings a Secret's change to every pod within a minute and a half. */
const SETTLED_MS = 180_000
const FORMER_MS = 600_000
/** Sets that are good at once; whoever makes more of them makes the oldest useless. */
const MAX_SETS = 4
const KEY_BYTES = 32

export interface Keys {
  readonly pair: KeyPair
  /** Signs session ids. */
  readonly ids: Buffer
  /** Signs vouchers. */
  readonly vouchers: Buffer
}

const derived = (secret: Buffer, use: string): Buffer =>
  createHmac('sha256', secret).update(`outrigger replicas: ${use}`).digest()

/** The three texts to keys, or everything that is wrong with them. */
export const readKeys =
  (folder: string, wallMs: () => number) =>
  (text = ''): Result<Keys, readonly string[]> => {
    const [cert = '', key = '', secretText = ''] = pemTexts(text)
    const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
    const pair = readKeyPair({ cert, key }, files, wallMs())
    const secret = Buffer.from(secretText.trim(), 'base64url')
    const isShort = secret.length < KEY_BYTES
    if (pair.ok && !isShort) {
      const [ids, vouchers] = [derived(secret, 'ids'), derived(secret, 'vouchers')]
      return ok({ pair: pair.value, ids, vouchers })
    }
    return fail([
      ...(pair.ok ? [] : pair.error),
      ...(isShort
        ? [`the key ${join(folder, 'id.key')} has fewer than ${KEY_BYTES} bytes in base64url`]
        : []),
    ])
  }

const isMissing = (path: string): Promise<boolean> => access(path).then(() => false, isMissingFile)

/** As long as there is no certificate there is nothing to read, which is no fault. */
export const keyFiles = (folder: string): TextSource => {
  const path = join(folder, 'tls.crt')
  const all = pemFiles([path, join(folder, 'tls.key'), join(folder, 'id.key')])
  return { ...all, read: async () => ((await isMissing(path)) ? ok(undefined) : all.read()) }
}

interface Kept {
  readonly keys: Keys
  /** From when on it is shown, and until when it is good (monotonic milliseconds). */
  readonly fromMs: number
  untilMs: number
}

export class Keyring {
  private readonly now: () => number
  /** The newest last. */
  private kept: readonly Kept[] = []

  constructor(now: () => number) {
    this.now = now
  }

  take(keys: Keys): void {
    const nowMs = this.now()
    const former = this.good()
    for (const one of former) one.untilMs = Math.min(one.untilMs, nowMs + FORMER_MS)
    const fromMs = former.length === 0 ? nowMs : nowMs + SETTLED_MS
    this.kept = [...former, { keys, fromMs, untilMs: Infinity }].slice(-MAX_SETS)
  }

  /** What is shown, and minted with; undefined before there is any. */
  get current(): Keys | undefined {
    const good = this.good()
    const nowMs = this.now()
    return (good.findLast(({ fromMs }) => fromMs <= nowMs) ?? good[0])?.keys
  }

  /** All that are good. */
  get all(): readonly Keys[] {
    return this.good().map(({ keys }) => keys)
  }

  /** The certificates that are good, in PEM. */
  get authorities(): string {
    return this.all.map(({ pair }) => pair.cert).join('\n')
  }

  /** Whether who has shaken hands holds one of these very certificates. */
  isKnown(socket: TLSSocket): boolean {
    const shown = socket.getPeerX509Certificate()?.raw
    return (
      socket.getProtocol() === 'TLSv1.3' &&
      shown !== undefined &&
      this.all.some(({ pair }) => pair.certificate.raw.equals(shown))
    )
  }

  private good(): readonly Kept[] {
    const nowMs = this.now()
    return this.kept.filter(({ untilMs }) => nowMs < untilMs)
  }
}
