import { describe, expect, test } from '@jest/globals'
import {
  findEndpoint,
  type Endpoint,
  type HttpAnswer,
  type HttpTransport,
} from '../../../../sidecar/server/http-path.ts'

const JSON_TYPE = 'application/json'
const EVENTS = 'text/event-stream'

const answer = (status: number, contentType = JSON_TYPE, location?: string): HttpAnswer => ({
  status,
  contentType,
  location,
})

/** How a server answers by method and path; elsewhere there is nothing. */
type Paths = Readonly<Record<string, HttpAnswer>>

interface Named {
  readonly path?: string
  readonly transports?: readonly HttpTransport[]
}

const METHODS = { http: 'POST', sse: 'GET' } as const

const search = (paths: Paths, { path, transports = ['http', 'sse'] }: Named = {}) => {
  const asked: string[] = []
  const ask = (at: string, transport: HttpTransport): Promise<HttpAnswer> => {
    const line = `${METHODS[transport]} ${at}`
    asked.push(line)
    return Promise.resolve(paths[line] ?? answer(404))
  }
  return { asked, found: findEndpoint({ ask, port: 8000, path, transports }) }
}

const http = (path: string, from?: string): Endpoint => ({
  transport: 'http',
  path,
  ...(from === undefined ? {} : { from }),
})
const sse = (path: string, from?: string): Endpoint => ({ ...http(path, from), transport: 'sse' })
const guess = (endpoint: Endpoint): Endpoint => ({ ...endpoint, isGuess: true })

describe('the endpoint of a server', () => {
  test.each<[string, Paths, Endpoint | undefined]>([
    ['without sessions', { 'POST /mcp': answer(200) }, http('/mcp')],
    ['that asks for a session', { 'POST /mcp': answer(400) }, http('/mcp')],
    ['that answers with events', { 'POST /mcp': answer(200, EVENTS) }, http('/mcp')],
    ['that asks for a token', { 'POST /mcp': answer(401, '') }, http('/mcp')],
    ['at its root', { 'POST /': answer(400) }, http('/')],
    ['at /http', { 'POST /http': answer(200) }, http('/http')],
    ['beside a web page', { 'POST /': answer(200, 'text/html; charset=utf-8') }, undefined],
    ['beside a page that takes no POST', { 'POST /': answer(405) }, undefined],
    [
      'behind a slash',
      { 'POST /mcp': answer(307, '', '/mcp/'), 'POST /mcp/': answer(400) },
      http('/mcp/', '/mcp'),
    ],
    [
      'behind a redirect to itself by name',
      {
        'POST /mcp': answer(308, '', 'http://localhost:8000/v1/mcp'),
        'POST /v1/mcp': answer(400),
      },
      http('/v1/mcp', '/mcp'),
    ],
    [
      'behind a redirect to another host',
      { 'POST /mcp': answer(307, '', 'http://other/mcp') },
      undefined,
    ],
    ['behind another port', { 'POST /mcp': answer(307, '', 'http://localhost:9/mcp') }, undefined],
    ['behind a redirect to nowhere', { 'POST /mcp': answer(307, '') }, undefined],
    ['behind redirects without end', { 'POST /mcp': answer(307, '', '/mcp') }, undefined],
    ['that is not there', {}, undefined],
    ['that fails, perhaps for now', { 'POST /': answer(503) }, guess(http('/'))],
    [
      'that fails, beside one that does not',
      { 'POST /mcp': answer(500), 'POST /': answer(400) },
      http('/'),
    ],
    [
      'that fails wherever it is asked by POST',
      { 'POST /mcp': answer(500), 'POST /': answer(500), 'GET /sse': answer(200, EVENTS) },
      sse('/sse'),
    ],
    ['that knows no POST', { 'POST /mcp': answer(501) }, undefined],
    ['of HTTP+SSE', { 'GET /sse': answer(200, EVENTS) }, sse('/sse')],
    ['of HTTP+SSE in other letters', { 'GET /sse': answer(200, 'Text/Event-Stream') }, sse('/sse')],
    ['of HTTP+SSE that asks for a token', { 'GET /sse': answer(401, '') }, sse('/sse')],
    [
      'of HTTP+SSE behind a slash',
      { 'GET /sse': answer(307, '', '/sse/'), 'GET /sse/': answer(200, EVENTS) },
      sse('/sse/', '/sse'),
    ],
    ['of both', { 'GET /sse': answer(200, EVENTS), 'POST /mcp': answer(400) }, http('/mcp')],
    ['beside a page at /sse', { 'GET /sse': answer(200, 'text/html') }, undefined],
  ])('%s', async (_name, paths, expected) => {
    expect(await search(paths).found).toEqual(expected)
  })

  test.each<[string, Named, Paths, Endpoint | undefined]>([
    ['is asked there alone', { path: '/x' }, { 'POST /mcp': answer(200) }, guess(http('/x'))],
    [
      'is followed',
      { path: '/x' },
      { 'POST /x': answer(307, '', '/x/'), 'POST /x/': answer(400) },
      http('/x/', '/x'),
    ],
    [
      'is left as it is where it leads elsewhere',
      { path: '/x' },
      { 'POST /x': answer(307, '', 'http://other/') },
      guess(http('/x')),
    ],
    [
      'may be the other transport',
      { path: '/x' },
      { 'POST /x': answer(405), 'GET /x': answer(200, EVENTS) },
      sse('/x'),
    ],
    [
      'may answer 404 to who has no session',
      { path: '/x' },
      { 'POST /x': answer(404), 'GET /x': answer(404) },
      guess(http('/x')),
    ],
    [
      'of HTTP+SSE is not asked for the other',
      { path: '/x', transports: ['sse'] },
      { 'POST /x': answer(200) },
      guess(sse('/x')),
    ],
    [
      'of HTTP+SSE may be left out',
      { transports: ['sse'] },
      { 'POST /mcp': answer(200) },
      undefined,
    ],
  ])('a named one %s', async (_name, named, paths, expected) => {
    const { asked, found } = search(paths, named)
    expect(await found).toEqual(expected)
    if (named.transports) expect(asked).toEqual([`GET ${named.path ?? '/sse'}`])
  })

  test('asks no more than is needed, and a bounded number of times', async () => {
    const first = search({ 'POST /mcp': answer(400) })
    await first.found
    expect(first.asked).toEqual(['POST /mcp'])
    const round = search({
      'POST /mcp': answer(307, '', '/mcp'),
      'POST /': answer(307, '', '/'),
      'POST /http': answer(307, '', '/http'),
      'GET /sse': answer(307, '', '/sse'),
    })
    await round.found
    expect(round.asked).toHaveLength(16)
  })
})
