import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { WEBHOOK_ENVIRONMENT, WEBHOOK_NODE_FLAGS } from '../../../webhook/runtime.ts'

const dockerfile = readFileSync(new URL('../../../Dockerfile.webhook', import.meta.url), 'utf8')

describe('the webhook’s image runs Node as the bench does', () => {
  test('flags', () => {
    const entrypoint = /^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '[]'
    expect(JSON.parse(entrypoint)).toEqual(['node', ...WEBHOOK_NODE_FLAGS, '/app/webhook.mjs'])
  })

  test('environment', () => {
    const [, variables = ''] = /^ENV (.*)$/m.exec(dockerfile) ?? []
    const pairs = variables.split(' ').map((pair) => pair.split('='))
    expect(Object.fromEntries(pairs)).toEqual({ NODE_ENV: 'production', ...WEBHOOK_ENVIRONMENT })
  })
})
