// What a doctor asks of a cluster, and what it makes of one that refuses.

import { describe, expect, test } from '@jest/globals'
import { diagnose } from '../../../../cli/doctor/diagnosis.ts'
import { examine } from '../../../../cli/doctor/in-cluster.ts'
import { isWell } from '../../../../cli/doctor/text.ts'
import { fail, ok } from '../../../../shared/result.ts'
import type { Objects } from '../../../../webhook/kube/objects.ts'

const MISSING = fail({ isMissing: true, why: 'the API server answered 404' })
const FORBIDDEN = fail({ isMissing: false, why: 'the API server answered 403: no' })

const answering = (why: string): Objects => ({
  namespace: 'default',
  list: () => Promise.resolve(fail({ isMissing: false, why })),
  get: () => Promise.resolve(fail({ isMissing: false, why })),
  tryCreate: () => Promise.resolve(fail({ isMissing: false, why })),
  text: () => Promise.resolve(fail({ isMissing: false, why })),
})

describe('a look at a cluster', () => {
  test('that refuses everything: nothing is said to be well', async () => {
    const why = 'the API server answered 403: u cannot create resource, nor get one'
    const seen = await examine(answering(why), 'default', new Date(0))
    if (!seen.ok) throw new Error(seen.error)
    const findings = diagnose(seen.value, { namespace: 'default', own: 'outrigger-system' })
    const well = findings.filter(({ verdict }) => verdict === 'ok')
    expect(well).toEqual([])
    expect(isWell(findings)).toBe(false)
    expect(findings.filter(({ verdict }) => verdict === 'unread').length).toBeGreaterThan(10)
  })

  test.each(['kube-system', 'outrigger-system', 'ours'])(
    'by a pod in %s, where nothing is injected, is refused and nothing is tried',
    async (namespace) => {
      const text =
        'sidecar: { image: x }\nsystemNamespaces: [kube-system, outrigger-system, ours]\n'
      const tried: string[] = []
      const cluster: Objects = {
        ...answering('the API server answered 403: no'),
        get: (path) =>
          Promise.resolve(
            path.endsWith('/configmaps/outrigger-config')
              ? ok({ data: { 'config.yaml': text } })
              : FORBIDDEN,
          ),
        tryCreate: (path) => {
          tried.push(path)
          return Promise.resolve(FORBIDDEN)
        },
      }
      expect(await examine(cluster, namespace, new Date(0))).toEqual(
        fail(
          `nothing is injected in namespace ${namespace}, by systemNamespaces of the configuration: name another by -n`,
        ),
      )
      expect(tried).toEqual([])
      expect(await examine(cluster, 'tools', new Date(0))).toMatchObject({ ok: true })
      expect(tried).toEqual(['/api/v1/namespaces/tools/pods'])
    },
  )

  test("names Outrigger's own namespace by no flag: there is none", async () => {
    const cluster: Objects = {
      ...answering('the API server answered 403: no'),
      get: () => Promise.resolve(MISSING),
    }
    const seen = await examine(cluster, 'default', new Date(0))
    expect(seen).toMatchObject({
      ok: true,
      value: {
        certificates: {
          inspection: fail(
            "there is neither a Secret outrigger-system/outrigger-ca nor outrigger-system/outrigger-webhook-tls: apply Outrigger's manifests",
          ),
        },
      },
    })
  })

  test('asks for each object and each collection once', async () => {
    const asked: string[] = []
    const note = <T>(path: string, answer: T): Promise<T> => {
      asked.push(path)
      return Promise.resolve(answer)
    }
    const cluster: Objects = {
      ...answering('the API server answered 403: no'),
      list: (path) => note(path, ok([])),
      get: (path) => note(path, ok({})),
    }
    expect(await examine(cluster, 'default', new Date(0))).toMatchObject({ ok: true })
    expect(asked.toSorted()).toEqual([...new Set(asked)].toSorted())
    expect(asked).toContain('/api/v1/namespaces')
  })

  test('that does not answer at all is told once', async () => {
    const why = 'the API server cannot be reached: connection refused'
    expect(await examine(answering(why), 'default', new Date(0))).toEqual(fail(why))
  })
})
