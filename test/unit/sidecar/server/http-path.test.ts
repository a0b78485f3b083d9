import { describe, expect, test } from '@jest/globals'
import { findPath, type HttpAnswer } from '../../../../sidecar/server/http-path.ts'

const JSON_TYPE = 'application/json'

const answer = (status: number, contentType = JSON_TYPE, location?: string): HttpAnswer => ({
  status,
  contentType,
  location,
})

/** A server by its paths; elsewhere there is nothing. */
const search = (paths: Readonly<Record<string, HttpAnswer>>) => {
  const asked: string[] = []
  const ask = (path: string): Promise<HttpAnswer> => {
    asked.push(path)
    return Promise.resolve(paths[path] ?? answer(404))
  }
  return { asked, found: findPath({ ask, port: 8000 }) }
}

describe('the endpoint of a server', () => {
  test.each<[string, Readonly<Record<string, HttpAnswer>>, string | undefined]>([
    ['without sessions', { '/mcp': answer(200) }, '/mcp'],
    ['that asks for a session', { '/mcp': answer(400) }, '/mcp'],
    ['that answers with events', { '/mcp': answer(200, 'text/event-stream') }, '/mcp'],
    ['that asks for a token', { '/mcp': answer(401, '') }, '/mcp'],
    ['at its root', { '/': answer(400) }, '/'],
    ['at /http', { '/http': answer(200) }, '/http'],
    ['beside a web page', { '/': answer(200, 'text/html; charset=utf-8') }, undefined],
    ['beside a page that takes no POST', { '/': answer(405) }, undefined],
    ['behind a slash', { '/mcp': answer(307, '', '/mcp/'), '/mcp/': answer(400) }, '/mcp/'],
    [
      'behind a redirect to itself by name',
      { '/mcp': answer(308, '', 'http://localhost:8000/v1/mcp'), '/v1/mcp': answer(400) },
      '/v1/mcp',
    ],
    [
      'behind a redirect to another host',
      { '/mcp': answer(307, '', 'http://other/mcp') },
      undefined,
    ],
    ['behind another port', { '/mcp': answer(307, '', 'http://localhost:9/mcp') }, undefined],
    ['behind a redirect to nowhere', { '/mcp': answer(307, '') }, undefined],
    ['behind redirects without end', { '/mcp': answer(307, '', '/mcp') }, undefined],
    ['that is not there', {}, undefined],
  ])('%s', async (_name, paths, expected) => {
    expect(await search(paths).found).toBe(expected)
  })

  test('asks no more than is needed, and a bounded number of times', async () => {
    const first = search({ '/mcp': answer(400) })
    await first.found
    expect(first.asked).toEqual(['/mcp'])
    const round = search({
      '/mcp': answer(307, '', '/mcp'),
      '/': answer(307, '', '/'),
      '/http': answer(307, '', '/http'),
    })
    await round.found
    expect(round.asked).toHaveLength(12)
  })
})
