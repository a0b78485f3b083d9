import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { breachesOf } from '../../../../webhook/rules/judge.ts'
import { judgedPod } from '../../../../webhook/rules/judged.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const config = clusterConfig({ sidecar: { image: 'x' } })

const bringing = (...names: readonly string[]): JsonObject => ({
  projected: { sources: names.map((name) => ({ secret: { name } })) },
})

/** A server that speaks TLS by the certificate that its sidecar shows, too. */
const found = (volume: JsonObject, ownCertificate: string): readonly string[] => {
  const pod: JsonObject = {
    spec: {
      initContainers: [{ name: 'outrigger-sidecar' }],
      containers: [{ name: 'server', volumeMounts: [{ name: 'own', mountPath: '/own' }] }],
      volumes: [
        { name: 'outrigger-tls', secret: { secretName: ownCertificate } },
        { name: 'outrigger-introspection', secret: { secretName: 'search-idp' } },
        { name: 'own', ...volume },
      ],
    },
  }
  return breachesOf(judgedPod(pod, config, { server: 'server', ownCertificate }))
    .filter(({ rule }) => rule === 'sidecar-secrets')
    .map(({ found: words }) => words)
}

describe('of the sidecar’s Secrets a server that speaks TLS has', () => {
  test.each<readonly [string, JsonObject, string, readonly string[]]>([
    ['its own certificate', bringing('search-tls'), 'search-tls', []],
    ['it beside a Secret of its own', bringing('search-tls', 'search-db'), 'search-tls', []],
    [
      'none in the same volume',
      bringing('search-tls', 'search-idp'),
      'search-tls',
      ['mounts own: Secret "search-idp"'],
    ],
    [
      'none in the same volume, the other way round',
      bringing('search-idp', 'search-tls'),
      'search-tls',
      ['mounts own: Secret "search-idp"'],
    ],
    [
      'no certificate of a name that the API server keeps from it',
      { secret: { secretName: 'outrigger-search-tls' } },
      'outrigger-search-tls',
      ['mounts own: Secret "outrigger-search-tls"'],
    ],
  ])('%s', (_name, volume, ownCertificate, expected) => {
    expect(found(volume, ownCertificate)).toEqual(expected)
  })
})
