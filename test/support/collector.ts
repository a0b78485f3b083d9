// An OpenTelemetry collector in memory: takes OTLP over HTTP as JSON, and gives the spans as they came.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { until } from './waiting.ts'

const value = z
  .union([
    z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
    z.object({ intValue: z.coerce.number() }).transform(({ intValue }) => intValue),
  ])
  .catch('?')
const attributes = z
  .array(z.object({ key: z.string(), value }))
  .default([])
  .transform((pairs) => Object.fromEntries(pairs.map((one) => [one.key, one.value])))

const KINDS: Readonly<Record<number, string>> = { 2: 'SERVER', 3: 'CLIENT' }

const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  traceState: z.string().optional(),
  name: z.string(),
  kind: z.number().transform((kind) => KINDS[kind]),
  startTimeUnixNano: z.coerce.bigint(),
  endTimeUnixNano: z.coerce.bigint(),
  attributes,
  status: z.object({ code: z.number().default(0), message: z.string().optional() }),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
})

const request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(span) })),
    }),
  ),
})

export type CollectedSpan = z.output<typeof span>
export type Collected = CollectedSpan & { readonly resource: Record<string, string | number> }

export type Collector = {
  readonly url: string
  readonly spans: readonly Collected[]
  /** Paths that were asked for. */
  readonly paths: ReadonlySet<string>
  /** Waits for the span of this kind in a trace, or with this attribute. */
  readonly find: (isWanted: (span: Collected) => boolean, what: string) => Promise<Collected>
  readonly close: () => Promise<void>
}

/** `status`: what it answers; 0 for nothing, ever. */
export const startCollector = async (status = 200): Promise<Collector> => {
  const spans: Collected[] = []
  const paths = new Set<string>()
  const take = (body: string): void => {
    for (const { resource, scopeSpans } of request.parse(JSON.parse(body)).resourceSpans) {
      for (const scope of scopeSpans) {
        for (const one of scope.spans) spans.push({ ...one, resource: resource.attributes })
      }
    }
  }
  const server: Server = createServer((sent, response) => {
    const chunks: Buffer[] = []
    paths.add(sent.url ?? '')
    sent.on('data', (chunk: Buffer) => chunks.push(chunk))
    sent.on('end', () => {
      if (status === 0) return
      if (status === 200) take(Buffer.concat(chunks).toString())
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address: AddressInfo | string | null = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    paths,
    find: (isWanted, what) => until(() => spans.find(isWanted), `the span of ${what} has come`),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
