import { describe, expect, test } from '@jest/globals'
import { TERMS } from '../../../../webhook/controller/lease.ts'
import { collectionBy, requestsBy } from '../../../../webhook/kube/requests.ts'
import { Refusal, type Send } from '../../../../webhook/kube/reply.ts'

async function* bodyOf(text: string): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += 65_536) yield Buffer.from(text.slice(at, at + 65_536))
}

const signal = new AbortController().signal

test('a page of objects that are too large together is asked for in smaller ones', async () => {
  const asked: number[] = []
  const send: Send = async ({ path }) => {
    const limit = Number(new URLSearchParams(path.split('?')[1]).get('limit'))
    asked.push(limit)
    const items = Array.from({ length: limit }, () => ({ text: 'x'.repeat(1_400_000) }))
    const metadata = { continue: 'on', resourceVersion: '7' }
    return { status: 200, body: bodyOf(JSON.stringify({ metadata, items })) }
  }
  const { list } = collectionBy(send, '/api/v1/pods', { labelSelector: 'a=b' })
  const { items, metadata } = await list({ limit: 20 })
  expect(asked).toEqual([20, 10, 5])
  expect(items).toHaveLength(5)
  expect(metadata).toEqual({ _continue: 'on', resourceVersion: '7' })
})

test('a list is asked for by its label as a watch is, from where it was left', async () => {
  let path = ''
  const send: Send = async (request) => {
    path = request.path
    return { status: 200, body: bodyOf('{}') }
  }
  const labelSelector = 'a/b=c'
  const { list, ...watched } = collectionBy(send, '/api/v1/pods', { labelSelector })
  await list({ limit: 20, _continue: 'x y' })
  expect(path).toBe('/api/v1/pods?labelSelector=a%2Fb%3Dc&continue=x+y&limit=20')
  expect(watched).toEqual({ path: '/api/v1/pods', labelSelector })
})

test.each([
  ['there is none', 404, undefined],
  ['it is refused', 403, Refusal],
  ['it fails', 500, Refusal],
])('where %s', async (_name, status, failure) => {
  const requests = requestsBy(async () => ({ status, body: bodyOf('{}') }))
  if (failure) await expect(requests.get('/x', signal)).rejects.toThrow(failure)
  else expect(await requests.get('/x', signal)).toBeUndefined()
  const request = { method: 'PATCH', path: '/x', body: '{}' } as const
  await expect(requests.write(request, signal)).rejects.toThrow(Refusal)
  expect((await requests.write(request, signal, [status])).status).toBe(status)
})

describe('a write whose asker is told to stop', () => {
  const timers: { readonly ms: number; readonly abort: () => void }[] = []
  const timeout = (ms: number): AbortSignal => {
    const timer = new AbortController()
    timers.push({ ms, abort: () => timer.abort() })
    return timer.signal
  }
  const begin = () => {
    timers.length = 0
    const abort = new AbortController()
    const { promise, resolve } = Promise.withResolvers<{ status: number; body: typeof EMPTY }>()
    let isTornOff = false
    const requests = requestsBy((_request, signal) => {
      signal?.addEventListener('abort', () => {
        isTornOff = true
        resolve({ status: 500, body: EMPTY })
      })
      return promise
    }, timeout)
    const request = { method: 'POST', path: '/', body: '{}' } as const
    const writing = requests.write(request, abort.signal)
    abort.abort()
    let isSettled = false
    const settled = requests.settled().then(() => {
      isSettled = true
    })
    const state = () => ({ isTornOff, isSettled })
    const again = () => requests.write(request, abort.signal)
    return { writing, state, settled, again, end: () => resolve({ status: 200, body: EMPTY }) }
  }
  const EMPTY: AsyncIterable<Uint8Array> = bodyOf('')
  const turns = () => new Promise((resolve) => setImmediate(resolve))

  test('is left to its end, and he goes on at once', async () => {
    const { writing, state, settled, again, end } = begin()
    await expect(writing).rejects.toThrow('it was told to stop')
    await expect(again()).rejects.toThrow()
    await turns()
    expect(state()).toEqual({ isTornOff: false, isSettled: false })
    end()
    await settled
    expect(state()).toEqual({ isTornOff: false, isSettled: true })
  })

  test('is over before anybody leads who has not led', async () => {
    const { writing, state, settled } = begin()
    await expect(writing).rejects.toThrow('it was told to stop')
    const left = timers.filter(({ ms }) => ms < TERMS.leaseMs - TERMS.deadlineMs)
    expect(left).toHaveLength(1)
    for (const { abort } of left) abort()
    await settled
    expect(state()).toEqual({ isTornOff: true, isSettled: true })
  })
})
