import { expect, test } from '@jest/globals'
import { listBy, requestsBy } from '../../../../webhook/kube/requests.ts'
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
  const { items, metadata } = await listBy(send, '/api/v1/pods', 'a=b')({ limit: 20 })
  expect(asked).toEqual([20, 10, 5])
  expect(items).toHaveLength(5)
  expect(metadata).toEqual({ _continue: 'on', resourceVersion: '7' })
})

test('a list is asked for by its label, from where it was left', async () => {
  let path = ''
  const send: Send = async (request) => {
    path = request.path
    return { status: 200, body: bodyOf('{}') }
  }
  await listBy(send, '/api/v1/pods', 'a/b=c')({ limit: 20, _continue: 'x y' })
  expect(path).toBe('/api/v1/pods?labelSelector=a%2Fb%3Dc&continue=x+y&limit=20')
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

test('a write is not torn off when who asked is told to stop, and he goes on at once', async () => {
  const abort = new AbortController()
  let isTornOff = false
  const requests = requestsBy(async (_request, signal) => {
    signal?.addEventListener('abort', () => {
      isTornOff = true
    })
    return new Promise(() => undefined)
  })
  const writing = requests.write({ method: 'POST', path: '/', body: '{}' }, abort.signal)
  abort.abort()
  await expect(writing).rejects.toThrow('it was told to stop')
  expect(isTornOff).toBe(false)
  await expect(requests.write({ method: 'POST', path: '/' }, abort.signal)).rejects.toThrow()
})
