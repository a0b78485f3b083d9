// By the words that kubelets and containerd write into a pod's status.

import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { ailmentsOf } from '../../../../webhook/companions/ailment.ts'

const podWith = (
  containerStatuses: readonly JsonObject[],
  initContainerStatuses: readonly JsonObject[] = [],
): JsonObject => ({ status: { containerStatuses, initContainerStatuses } })

const waiting = (reason: string, message = '', more: JsonObject = {}): JsonObject => ({
  name: 'server',
  state: { waiting: { reason, message } },
  ...more,
})
const ended = (exitCode: number, message = ''): JsonObject => ({
  terminated: { exitCode, reason: 'Error', message },
})
const crashed = (exitCode: number, message = ''): JsonObject =>
  waiting('CrashLoopBackOff', 'back-off 10s restarting failed container=server', {
    lastState: ended(exitCode, message),
  })

const ROOT = waiting(
  'CreateContainerConfigError',
  'container has runAsNonRoot and image will run as root (pod: "a_team(u)", container: server)',
)
const READ_ONLY = "Error: EROFS: read-only file system, mkdir '/app/data'\n    at Object.mkdirSync"

describe('a container that does not run', () => {
  test.each<[string, JsonObject, string, RegExp]>([
    ['whose image runs as root', ROOT, 'ImageRunsAsRoot', /outrigger\.dev\/run-as-user$/],
    [
      'whose image names its user',
      waiting(
        'CreateContainerConfigError',
        'container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root (pod: "a_team(u)", container: server)',
      ),
      'ImageUserUnknown',
      /outrigger\.dev\/run-as-user, as a number$/,
    ],
    [
      'that writes where it cannot',
      crashed(1, READ_ONLY),
      'WriteDenied',
      /^container server: it could not write \/app\/data: .*outrigger\.dev\/writable-paths$/,
    ],
    [
      'that has just done so',
      { name: 'server', state: ended(1, READ_ONLY) },
      'WriteDenied',
      /writable-paths$/,
    ],
    [
      'whose image has no command',
      waiting('CreateContainerError', 'failed to generate container spec: no command specified'),
      'CommandMissing',
      /outrigger\.dev\/command$/,
    ],
    [
      'whose command is not in the image',
      waiting('RunContainerError', '', {
        lastState: {
          terminated: {
            exitCode: 128,
            reason: 'StartError',
            message:
              'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "serve": executable file not found in $PATH: unknown',
          },
        },
      }),
      'CommandMissing',
      /does not have the command/,
    ],
    [
      'whose command is no file of the image',
      waiting(
        'RunContainerError',
        'unable to start container process: exec: "/srv": stat /srv: no such file or directory: unknown',
      ),
      'CommandMissing',
      /does not have the command/,
    ],
    [
      'that the shim did not find',
      crashed(127),
      'CommandMissing',
      /it ended with 127.*outrigger\.dev\/command$/,
    ],
  ])('%s', (_name, status, reason, message) => {
    const found = ailmentsOf(podWith([status]))
    expect(found).toEqual([{ reason, message: expect.stringMatching(message) }])
    expect(ailmentsOf(podWith([], [status]))).toEqual(found)
    expect(found[0]?.message).toMatch(/^container server: /)
  })

  test.each<[string, JsonObject]>([
    ['waits for its image', waiting('ImagePullBackOff', 'Back-off pulling image "x"')],
    ['has ended as it was to', { name: 'server', state: ended(0, READ_ONLY) }],
    ['has crashed of something else', crashed(1, 'TypeError: x is not a function')],
    ['runs by now', { name: 'server', state: { running: {} }, lastState: ended(1, READ_ONLY) }],
    ['is ours', { ...ROOT, name: 'outrigger-sidecar' }],
    ['says nothing', { name: 'server' }],
  ])('that %s has nothing that an annotation puts right', (_name, status) => {
    expect(ailmentsOf(podWith([status]))).toEqual([])
  })

  test.each<[string, string, RegExp]>([
    [
      'a path that is none',
      "EROFS: read-only file system, open '/x, token=s3cret'",
      /could not write a file: /,
    ],
    ['a folder that is none', "ENOENT: , mkdir '/x s3cret'", /could not make a directory: /],
    ['what comes after a path', 'open /x?s3cret: permission denied', /was denied a file: /],
  ])('has nothing told of what it wrote but a plain path: %s', (_name, words, message) => {
    const [found] = ailmentsOf(podWith([crashed(1, words)]))
    expect(found?.message).toMatch(message)
    expect(found?.message).not.toContain('s3cret')
  })

  test('has no words of the kubelet’s passed on, and neither long names nor many', () => {
    const secret = waiting('CreateContainerError', 'no command specified: token=s3cret')
    const many = Array.from({ length: 1000 }, () => ({ ...secret, name: 'n'.repeat(100_000) }))
    const found = ailmentsOf(podWith(many, many))
    expect(found).toHaveLength(10)
    expect(JSON.stringify(found)).not.toContain('s3cret')
    for (const { message } of found) expect(message.length).toBeLessThan(400)
  })

  test('is read in no time, whatever it leaves behind', () => {
    const log = '‘/'.repeat(700_000)
    const lines = `EROFS ${log}\n${log}`
    expect(ailmentsOf(podWith([crashed(1, lines)]))).toMatchObject([{ reason: 'WriteDenied' }])
  })
})

test('a pod without a status has none', () => {
  expect(ailmentsOf({})).toEqual([])
})
