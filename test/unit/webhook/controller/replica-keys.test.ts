// The Secret by which the replicas of a workload know each other, against an API server that lets it be made and nothing else.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createKeyPair, type KeyPair } from '../../../../certs/keys.ts'
import { isObject, stringAt, type JsonObject } from '../../../../shared/json.ts'
import { createLog } from '../../../../shared/log.ts'
import {
  MAX_SEEN,
  ReplicaKeys,
  type Replicated,
} from '../../../../webhook/controller/replica-keys.ts'
import { Refusal } from '../../../../webhook/kube/reply.ts'
import type { Requests } from '../../../../webhook/kube/requests.ts'

const signal = new AbortController().signal
const LOOK_MS = 5 * 60_000
const WORKLOAD: Replicated = {
  namespace: 'team',
  server: 'deployment-a',
  owner: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a', uid: 'u' },
}
const PLACE = 'team/outrigger-replicas-deployment-a'

let pair: KeyPair
beforeAll(async () => {
  pair = await createKeyPair()
}, 60_000)

describe('the keys of a workload', () => {
  /** What stands, by namespace and name. */
  let secrets: Map<string, JsonObject>
  /** Of each request its method, path and query, as they came. */
  let asked: string[]
  /** Statuses that are answered first. */
  let refusals: number[]
  let made: number
  let nowMs: number
  let counted: string[]
  let told: string[]
  let lines: string
  let random: number
  let keys: ReplicaKeys

  const requests: Requests = {
    get: () => Promise.reject(new Error('it may read none')),
    write: async ({ method, path, body = '' }) => {
      asked.push(`${method} ${path}`)
      const refusal = refusals.shift()
      if (refusal !== undefined && refusal !== 201) throw new Refusal(refusal, body)
      const sent: unknown = JSON.parse(body)
      if (!isObject(sent)) throw new Error('no object')
      const [namespace, name] = ['namespace', 'name'].map((one) => stringAt(sent, 'metadata', one))
      const place = `${namespace}/${name}`
      if (secrets.has(place)) throw new Refusal(409, body)
      if (!path.includes('dryRun=All')) secrets.set(place, sent)
      return { status: 201, object: sent }
    },
  }

  beforeEach(() => {
    secrets = new Map()
    asked = []
    refusals = []
    made = 0
    nowMs = 1_000_000
    counted = []
    told = []
    lines = ''
    random = 0
    keys = new ReplicaKeys({
      requests,
      events: {
        tell: async (namespace, { name }, [one]) => {
          told.push(`${namespace} ${name} ${one?.reason} ${one?.message}`)
        },
      },
      log: createLog({ level: 'debug', write: (line) => (lines += line), now: () => 0 }),
      now: () => nowMs,
      wallMs: () => Date.parse('2026-11-30T00:00:00Z'),
      keyPair: async () => {
        made += 1
        return pair
      },
      randomBytes: (size) => new Uint8Array(size).fill((random += 1)),
      counted: (result) => counted.push(result),
    })
  })

  const keep = (more: Partial<Replicated> = {}) => keys.keep({ ...WORKLOAD, ...more }, signal)
  const part = (name: string): string => stringAt(secrets.get(PLACE), 'stringData', name) ?? 'none'

  test('are a certificate of its own and a key for ids, in a Secret that goes with it', async () => {
    await keep()
    expect(secrets.get(PLACE)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {
        name: 'outrigger-replicas-deployment-a',
        namespace: 'team',
        labels: {
          'app.kubernetes.io/managed-by': 'outrigger',
          'app.kubernetes.io/part-of': 'outrigger',
          'outrigger.dev/server': 'deployment-a',
        },
        ownerReferences: [WORKLOAD.owner],
      },
      stringData: {
        'tls.crt': expect.any(String),
        'tls.key': pair.privateKeyPem,
        'id.key': Buffer.alloc(32, 2).toString('base64url'),
      },
    })
    const certificate = new X509Certificate(part('tls.crt'))
    expect(certificate.checkPrivateKey(createPrivateKey(part('tls.key')))).toBe(true)
    expect(certificate.subjectAltName).toBe('DNS:replicas.deployment-a.team.outrigger')
    expect(certificate.serialNumber).toBe(`01${'01'.repeat(16)}`)
    expect(counted).toEqual(['made'])
  })

  test('are asked for by creating alone, first in vain', async () => {
    await keep()
    const path = '/api/v1/namespaces/team/secrets?fieldManager=outrigger-controller'
    expect(asked).toEqual([`POST ${path}&dryRun=All`, `POST ${path}`])
  })

  test('that stand are left, and none are made to find that out', async () => {
    secrets.set(PLACE, { kind: 'Secret', of: 'somebody' })
    await keep()
    expect([made, counted]).toEqual([0, ['standing']])
    expect(secrets.get(PLACE)).toEqual({ kind: 'Secret', of: 'somebody' })
  })

  test('that another replica made meanwhile are left', async () => {
    refusals = [201, 409]
    await keep()
    expect([made, counted, told]).toEqual([1, ['standing'], []])
  })

  test('are asked for once from look to look, and made anew where they were deleted', async () => {
    await keep()
    const before = asked.length
    await keep()
    expect(asked).toHaveLength(before)
    const first = part('id.key')
    secrets.clear()
    nowMs += LOOK_MS
    await keep()
    expect(part('id.key')).not.toBe(first)
    expect(counted).toEqual(['made', 'made'])
  })

  test('are asked for at once for another workload of the same name', async () => {
    await keep()
    secrets.clear()
    await keep({ owner: { ...WORKLOAD.owner, uid: 'another' } })
    expect(stringAt(secrets.get(PLACE), 'metadata', 'name')).toBe(PLACE.split('/')[1])
  })

  test('are asked for at once by whoever begins to lead', async () => {
    await keep()
    secrets.clear()
    keys.begin()
    await keep()
    expect(secrets.has(PLACE)).toBe(true)
  })

  test('are made where a trial is refused, and the Secret is not', async () => {
    refusals = [400]
    await keep()
    expect([secrets.has(PLACE), counted]).toEqual([true, ['made']])
  })

  test('that are refused are told, counted, and tried again', async () => {
    refusals = [403, 403]
    await expect(keep()).rejects.toThrow(`Secret ${PLACE}: answered 403`)
    expect(counted).toEqual(['refused'])
    expect(told).toEqual([
      expect.stringMatching(
        /^team a ReplicasApart the API server refuses to have Secret outrigger-replicas-deployment-a made \(403\): /,
      ),
    ])
    await keep()
    expect(secrets.has(PLACE)).toBe(true)
  })

  test('are logged nowhere, nor told, whatever the API server says of them', async () => {
    refusals = [500, 422]
    const error: unknown = await keep().catch((reason: unknown) => reason)
    await keep()
    const said = `${lines}${told.join('')}${String(error)}`
    expect(lines).toContain(`"secret":"${PLACE}"`)
    const secret = [
      part('id.key'),
      ...part('tls.key')
        .split('\n')
        .filter((line) => !line.startsWith('--') && line !== ''),
    ]
    expect(secret.length).toBeGreaterThan(10)
    expect(secret.filter((line) => said.includes(line))).toEqual([])
    expect(said).not.toContain('stringData')
  })

  test('fail where the API server does not answer', async () => {
    const silent = new ReplicaKeys({
      ...unheard(),
      requests: { ...requests, write: () => Promise.reject(new Error('no answer')) },
    })
    await expect(silent.keep(WORKLOAD, signal)).rejects.toThrow('no answer')
    expect([counted, told]).toEqual([[], []])
  })
  const unheard = () => ({
    requests,
    events: { tell: () => Promise.reject(new Error('nothing is to be told')) },
    log: createLog({ level: 'error', write: () => undefined, now: () => 0 }),
    now: () => nowMs,
    wallMs: () => 0,
    keyPair: async () => pair,
    randomBytes: (size: number) => new Uint8Array(size),
    counted: () => undefined,
  })

  test('are remembered of so many workloads, and of those beyond asked for again', async () => {
    const standing = new ReplicaKeys({
      ...unheard(),
      requests: {
        ...requests,
        write: async () => {
          asked.push('')
          throw new Refusal(409, '')
        },
      },
    })
    for (let index = 0; index <= MAX_SEEN; index++) {
      await standing.keep({ ...WORKLOAD, server: `s${index}` }, signal)
    }
    const before = asked.length
    await standing.keep({ ...WORKLOAD, server: 's1' }, signal)
    expect(asked).toHaveLength(before)
    await standing.keep({ ...WORKLOAD, server: 's0' }, signal)
    expect(asked).toHaveLength(before + 1)
  })
})
