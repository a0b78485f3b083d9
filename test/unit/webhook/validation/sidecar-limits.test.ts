import { expect, test } from '@jest/globals'
import { limitFault } from '../../../../webhook/validation/sidecar-limits.ts'

const FLOOR = { maxSidecarCpu: '2', maxSidecarMemory: '1Gi' }

test.each([
  ['within the floor', '256Mi', undefined],
  ['as much as the floor lets', '1Gi', undefined],
  ['more than that', '1025Mi', 'resources.limits.memory is more than floor.maxSidecarMemory'],
  ['none', undefined, 'resources.limits.memory is missing'],
  ['0, which the kubelet takes for none', '0', 'resources.limits.memory is missing'],
  ['no quantity', 'much', 'resources.limits.memory is missing'],
])('a limit of the sidecar’s: %s', (_name, memory, fault) => {
  const sidecar = { resources: { limits: memory === undefined ? {} : { memory } } }
  expect(limitFault(sidecar, 'memory', FLOOR)).toBe(fault)
})

test('each resource has its own bound', () => {
  expect(limitFault({ resources: { limits: { cpu: '3' } } }, 'cpu', FLOOR)).toBe(
    'resources.limits.cpu is more than floor.maxSidecarCpu',
  )
})
