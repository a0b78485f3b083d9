import { expect, test } from '@jest/globals'
import { createControllerTelemetry } from '../../../../webhook/controller/telemetry.ts'

test('a watch that is dead, not listed or partial shows, by what is followed', async () => {
  let ageMs = 0
  let bare: number | undefined
  const { registry } = createControllerTelemetry({
    isLeading: () => true,
    waiting: () => 1,
    refused: () => 2,
    foreign: () => 3,
    opened: () => 6,
    bare: () => bare,
    other: () => 4,
    held: () => 8,
    denied: () => undefined,
    followers: () => [
      { resource: 'pods', ageMs: () => ageMs, current: () => ({ leftOut: 7 }) },
      { resource: 'services of ours', ageMs: () => 0, current: () => undefined },
    ],
  })
  expect(await registry.metrics()).toContain('outrigger_watch_age_seconds{resource="pods"} 0\n')
  // What nobody has looked for is not told as nothing.
  expect(await registry.metrics()).not.toMatch(/^outrigger_controller_bare_pods /m)
  ageMs = 7_200_000
  bare = 5
  const text = await registry.metrics()
  expect(text).not.toMatch(/^outrigger_controller_denied_deployments /m)
  expect(text.match(/^outrigger_.*$/gm)).toEqual(
    expect.arrayContaining([
      'outrigger_controller_leading 1',
      'outrigger_controller_waiting 1',
      'outrigger_controller_refused 2',
      'outrigger_controller_foreign 3',
      'outrigger_controller_open_policies 6',
      'outrigger_controller_bare_pods 5',
      'outrigger_controller_other_sidecars 4',
      'outrigger_controller_held_pods 8',
      'outrigger_watch_age_seconds{resource="pods"} 7200',
      'outrigger_watch_age_seconds{resource="services of ours"} 0',
      'outrigger_watch_listed{resource="pods"} 1',
      'outrigger_watch_listed{resource="services of ours"} 0',
      'outrigger_watch_left_out{resource="pods"} 7',
      'outrigger_watch_left_out{resource="services of ours"} 0',
    ]),
  )
})
