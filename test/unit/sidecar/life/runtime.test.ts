import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { SIDECAR_ENVIRONMENT, SIDECAR_NODE_FLAGS } from '../../../../sidecar/life/runtime.ts'

const dockerfile = readFileSync(new URL('../../../../Dockerfile.sidecar', import.meta.url), 'utf8')

describe('the image runs Node as the bench does', () => {
  test('flags', () => {
    const entrypoint = /^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '[]'
    expect(JSON.parse(entrypoint)).toEqual(['node', ...SIDECAR_NODE_FLAGS, '/app/sidecar.mjs'])
  })

  test('environment', () => {
    const [, variables = ''] = /^ENV (.*)$/m.exec(dockerfile) ?? []
    const pairs = variables.split(' ').map((pair) => pair.split('='))
    expect(Object.fromEntries(pairs)).toEqual({ NODE_ENV: 'production', ...SIDECAR_ENVIRONMENT })
  })
})
