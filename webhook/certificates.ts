// Whose certificate the webhook serves by: an authority of our own that all replicas share, or a mounted Secret that
// somebody else keeps. Either way what changes is served without a restart.

import { randomBytes } from 'node:crypto'
import { authorityEnds } from '../certs/authorities.ts'
import { Keeper, termsOf } from '../certs/keeper.ts'
import { KeptFile } from '../shared/kept-file.ts'
import { readKeyPair, type KeyPair } from '../shared/key-pair.ts'
import type { Log } from '../shared/log.ts'
import { TLS_CERT_KEY, TLS_PRIVATE_KEY } from '../shared/names.ts'
import { pemFiles, pemTexts } from '../shared/pem-file.ts'
import { fail, ok, type Result } from '../shared/result.ts'
import { schedule } from '../shared/timers.ts'
import { clusterWords } from './kube/words.ts'
import type { Kube } from './kube/client.ts'
import type { Certificate } from './listener.ts'
import type { Options } from './options.ts'

export interface Certificates {
  /** What serves now. */
  current(): Certificate
  /** Whether the API server takes it now, as far as its time goes. */
  isValid(): boolean
  /** Begins to keep them, and tells of each change, until closed. */
  follow(hears: Hears): void
  close(): void
}

interface Hears {
  readonly renew: (certificate: Certificate) => void
  /** When each authority ends, by what it is for. */
  readonly authorities: (ends: readonly (readonly [role: string, end: Date])[]) => void
}

type Needs = Pick<
  Options,
  'namespace' | 'service' | 'caSecret' | 'configuration' | 'authorityMs' | 'leafMs'
>

/** The authority that all replicas share; the error says what keeps it from being used. */
export const shareAuthority = async (
  kube: Pick<Kube, 'authorityStore' | 'setCaBundle'>,
  options: Needs,
  log: Log,
): Promise<Result<Certificates, string>> => {
  const { namespace, service, caSecret, configuration, authorityMs, leafMs } = options
  let hears: Hears | undefined
  let ends: ReturnType<typeof authorityEnds> = []
  const keeper = new Keeper({
    store: kube.authorityStore(namespace, caSecret),
    trust: (bundle) => kube.setCaBundle(configuration, bundle),
    names: [`${service}.${namespace}.svc`, `${service}.${namespace}`, service],
    terms: termsOf(authorityMs, leafMs),
    clocks: { wallMs: Date.now, steadyMs: () => performance.now() },
    random: Math.random,
    randomBytes,
    schedule,
    on: {
      leaf: (leaf, why) => {
        hears?.renew(leaf)
        log.info('certificate signed', { until: leaf.notAfter.toISOString(), why })
      },
      looked: (authorities) => {
        ends = authorityEnds(authorities)
        hears?.authorities(ends)
      },
      stepped: (step) => log.info('the CA Secret was written', { step }),
      trusted: () => log.info('caBundle written', { configuration }),
      failed: (error) =>
        log.error('certificates cannot be looked after', { error: clusterWords(error) }),
    },
  })
  const first = await keeper.look()
  if (!first.ok) return fail(`Secret ${namespace}/${caSecret}: ${first.error}`)
  return ok({
    current: () => keeper.leaf ?? first.value,
    isValid: () => keeper.isValid(),
    follow: (by) => {
      hears = by
      by.authorities(ends)
      keeper.follow()
    },
    close: () => keeper.close(),
  })
}

const LOOK_MS = 2000

const certificateOf = ({ cert, key }: KeyPair): Certificate => ({
  certificatePem: cert,
  privateKeyPem: key,
})

/** The certificate of a mounted Secret; what is wrong with it later changes nothing, and the last good one goes on. */
export const mountedCertificate = async (
  directory: string,
  log: Log,
): Promise<Result<Certificates, string>> => {
  const [certFile, keyFile] = [`${directory}/${TLS_CERT_KEY}`, `${directory}/${TLS_PRIVATE_KEY}`]
  const opened = await KeptFile.open<KeyPair>({
    what: 'the certificate',
    source: pemFiles([certFile, keyFile]),
    parse: (text = '') => {
      const [cert = '', key = ''] = pemTexts(text)
      return readKeyPair({ cert, key }, { certFile, keyFile }, Date.now())
    },
    log,
    fields: ({ subject, notAfterMs }) => ({ subject, until: new Date(notAfterMs).toISOString() }),
  })
  if (!opened.ok) return fail(`no certificate can be shown: ${opened.error.join('; ')}`)
  const kept = opened.value
  return ok({
    current: () => certificateOf(kept.current()),
    isValid: () => Date.now() < kept.current().notAfterMs,
    follow: ({ renew }) => {
      kept.follow(LOOK_MS, (outcome) => {
        if (outcome === 'taken') renew(certificateOf(kept.current()))
      })
    },
    close: () => kept.close(),
  })
}
