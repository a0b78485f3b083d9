import { describe, expect, test } from '@jest/globals'
import { objectsBy } from '../../../../webhook/kube/objects.ts'
import type { Ask } from '../../../../webhook/kube/reply.ts'

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

const objectsWith = (ask: (path: string) => { status: number; body: string }) => {
  const asked: string[] = []
  const by: Ask = async (path, _signal, json) => {
    asked.push(json === undefined ? path : `${path} ${json}`)
    const { status, body } = ask(path)
    return { status, body: bytesOf(body) }
  }
  return { asked, objects: objectsBy(by, 'default', new AbortController().signal) }
}

/** Takes every request, and answers none. */
const silent: Ask = (_path, signal) =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
  })

describe('a collection', () => {
  test('is read page by page, its items with the kind that the list has', async () => {
    const { asked, objects } = objectsWith((path) => ({
      status: 200,
      body: JSON.stringify({
        kind: 'DeploymentList',
        apiVersion: 'apps/v1',
        metadata: path.includes('continue') ? {} : { continue: 'a/b' },
        items: [{ metadata: { name: path.includes('continue') ? 'two' : 'one' } }],
      }),
    }))
    const listed = await objects.list('/apis/apps/v1/deployments')
    expect(listed).toEqual({
      ok: true,
      value: ['one', 'two'].map((name) => ({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name },
      })),
    })
    expect(asked).toEqual([
      '/apis/apps/v1/deployments?limit=250',
      '/apis/apps/v1/deployments?limit=250&continue=a%2Fb',
    ])
  })

  test.each([
    ['that the cluster does not have', 404, true, '404'],
    ['that may not be listed', 403, false, 'the API server answered 403: pods is forbidden'],
  ])('%s fails', async (_, status, isMissing, message) => {
    const { objects } = objectsWith(() => ({
      status,
      body: JSON.stringify({ kind: 'Status', message: 'pods is forbidden' }),
    }))
    expect(await objects.list('/x')).toEqual({
      ok: false,
      error: { isMissing, why: expect.stringContaining(message) },
    })
  })

  test.each([['<html>'], ['[]'], ['null'], ['']])(
    'that is %j fails, in our words',
    async (body) => {
      const { objects } = objectsWith(() => ({ status: 200, body }))
      expect(await objects.list('/x')).toEqual({
        ok: false,
        error: { isMissing: false, why: 'what answers is no API server: it sent no JSON object' },
      })
    },
  )

  test('that never comes is waited for no longer than that', async () => {
    const objects = objectsBy(silent, 'default', new AbortController().signal, {
      serverMs: 20,
      podMs: 10_000,
    })
    const late = { isMissing: false, why: 'the API server did not answer within 0.02 s' }
    expect(await objects.list('/x')).toEqual({ ok: false, error: late })
    expect(await objects.get('/x')).toEqual({ ok: false, error: late })
    expect(await objects.tryCreate('/x', {})).toEqual({ ok: false, error: late })
  })
})

describe('an object that is tried', () => {
  test('is created in a dry run alone', async () => {
    const { asked, objects } = objectsWith(() => ({ status: 201, body: '{"kind":"Pod"}' }))
    expect(await objects.tryCreate('/pods', { kind: 'Pod' })).toEqual({
      ok: true,
      value: { kind: 'Pod' },
    })
    expect(asked).toEqual(['/pods?dryRun=All {"kind":"Pod"}'])
  })

  test('that is refused fails', async () => {
    const { objects } = objectsWith(() => ({
      status: 403,
      body: '{"message":"pods is forbidden"}',
    }))
    expect(await objects.tryCreate('/pods', {})).toMatchObject({
      ok: false,
      error: { isMissing: false, why: 'the API server answered 403: pods is forbidden' },
    })
  })
})

describe('a pod that is asked', () => {
  test('and never answers is waited for no longer than that', async () => {
    const objects = objectsBy(silent, 'default', new AbortController().signal, {
      serverMs: 10_000,
      podMs: 20,
    })
    expect(await objects.text('/pods/a/proxy/readyz')).toEqual({
      ok: false,
      error: { isMissing: false, why: 'it did not answer within 0.02 s' },
    })
  })

  test('is left when whoever asks has gone', async () => {
    const gone = new AbortController()
    const asked = objectsBy(silent, 'default', gone.signal).text('/pods/a/proxy/readyz')
    gone.abort()
    expect(await asked).toMatchObject({ ok: false, error: { why: 'aborted' } })
  })
})
