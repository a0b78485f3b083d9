import { describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { CONFIG_VARIABLE } from '../../../shared/names.ts'
import { readClusterConfig } from '../../../webhook/cluster/config.ts'
import { MAX_DOCUMENT_BYTES } from '../../../webhook/inject/document-size.ts'
import { render } from '../../../webhook/inject/render.ts'
import { objectsAt, stringAt } from '../../../shared/json.ts'

const config = readClusterConfig(
  `sidecar: { image: i }
floor:
  issuers: [{ url: 'https://idp' }]
  publicUrls: { team-a: ['https://m.example/s'] }
  egress: { team-a: ['*.${'b'.repeat(60)}:65000'] }
`,
)
if (!config.ok) throw new Error('the configuration is wrong')
const CONFIG = config.value

/** A list of scopes that is so long as text. */
const scopesOf = (length: number, character = 'a'): string => {
  const items: string[] = []
  for (let left = length; left > 0; left -= 2049) {
    const name = String(items.length).padStart(3, '0')
    items.push(name.padEnd(Math.min(2048, Math.max(left, 4)), character))
  }
  return items.join(',').slice(0, length)
}

/** Destinations that are together about so long. */
const destinationsOf = (length: number): string =>
  Array.from({ length: Math.floor(length / 256) }, (_none, index) =>
    `h${String(index).padStart(3, '0')}.`
      .padEnd(63, 'a')
      .concat(`.${'b'.repeat(60)}`.repeat(3), ':65000'),
  ).join(',')

const LIMITS = Array.from({ length: 256 }, (_none, index) => `${'t'.repeat(120)}${index}=5/m`).join(
  ',',
)

const renderWith = (annotations: Readonly<Record<string, string>>, namespaceScopes?: string) =>
  render(
    {
      metadata: {
        annotations: {
          'outrigger.dev/inject': 'true',
          'outrigger.dev/public-url': 'https://m.example/s',
          ...Object.fromEntries(
            Object.entries(annotations).map(([key, text]) => [`outrigger.dev/${key}`, text]),
          ),
        },
      },
      spec: { containers: [{ name: 's', command: ['a'] }] },
    },
    {
      name: 'team-a',
      labels: {},
      annotations:
        namespaceScopes === undefined ? {} : { 'outrigger.dev/required-scopes': namespaceScopes },
    },
    CONFIG,
  )

const documentIn = (outcome: ReturnType<typeof render>): string => {
  const sidecars = outcome.kind === 'inject' ? objectsAt(outcome.pod, 'spec', 'initContainers') : []
  const [variable] = sidecars.flatMap((sidecar) => objectsAt(sidecar, 'env'))
  return (stringAt(variable, 'value') ?? '').replaceAll('$$', '$')
}

/** Whether Linux starts a program that is told a document of so many bytes. */
const starts = (bytes: number): boolean =>
  spawnSync('/bin/true', [], { env: { [CONFIG_VARIABLE]: 'x'.repeat(bytes) } }).status === 0

test('the bound is what Linux takes, to the byte', () => {
  expect(starts(MAX_DOCUMENT_BYTES)).toBe(true)
  expect(starts(MAX_DOCUMENT_BYTES + 1)).toBe(false)
})

describe('several settings, each within its own bound', () => {
  test('fit as long as the whole does, signs that the kubelet reads twice counted once', () => {
    const scopes = scopesOf(60_000, '$')
    const outcome = renderWith({ 'required-scopes': scopes, egress: destinationsOf(40_000) })
    expect(outcome.kind).toBe('inject')
    const document = documentIn(outcome)
    expect(document).toContain(scopes)
    expect(Buffer.byteLength(document)).toBeLessThanOrEqual(MAX_DOCUMENT_BYTES)
    expect(starts(Buffer.byteLength(document))).toBe(true)
  })

  test('are denied beyond, by name, with where each stands and how much is too much', () => {
    const outcome = renderWith(
      { egress: destinationsOf(65_000), 'tool-limits': LIMITS },
      scopesOf(60_000),
    )
    expect(outcome).toMatchObject({ kind: 'deny', violations: [{ code: 'too-large' }] })
    const [message = ''] =
      outcome.kind === 'deny' ? outcome.violations.map((one) => one.message) : []
    const [, bytes, more] = /takes (\d+) bytes, (\d+) more than/.exec(message) ?? []
    expect(Number(bytes) - Number(more)).toBe(MAX_DOCUMENT_BYTES)
    expect(message).toMatch(
      /largest: outrigger\.dev\/egress \(pod\), \d+ bytes; outrigger\.dev\/required-scopes \(namespace team-a\), \d+ bytes; outrigger\.dev\/tool-limits \(pod\), \d+ bytes/,
    )
  })

  test('are told beside everything else that is wrong', () => {
    const outcome = renderWith(
      { egress: destinationsOf(65_000), 'tool-limits': LIMITS, 'idle-timeout': 'banana' },
      scopesOf(60_000),
    )
    const codes = outcome.kind === 'deny' ? outcome.violations.map(({ code }) => code) : []
    expect(codes.toSorted()).toEqual(['bad-value', 'too-large'])
  })
})
