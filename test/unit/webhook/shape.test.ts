// Fields of a type that Kubernetes does not give them: read as nothing they would pass unjudged.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { isList, isObject, objectAt, type Json, type JsonObject } from '../../../shared/json.ts'
import { render } from '../../../webhook/inject/render.ts'
import { specFaults } from '../../../webhook/inject/shape.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const config = clusterConfig({ sidecar: { image: 'x' }, floor: { allowAnonymous: true } })

const POD: JsonObject = {
  metadata: {
    name: 'echo',
    ownerReferences: [{}],
    annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' },
  },
  spec: {
    securityContext: {},
    volumes: [{ name: 'v' }],
    initContainers: [{ name: 'prepare' }],
    containers: [
      {
        name: 'server',
        command: ['echo'],
        env: [{ name: 'A' }],
        ports: [{ name: 'http' }],
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
        volumeDevices: [{ name: 'v', devicePath: '/dev/v' }],
      },
    ],
  },
}

/** A copy with a value at a path like `spec.containers[0].ports[0].containerPort`. */
const withValue = (value: Json, path: string): JsonObject => {
  const set = (current: Json | undefined, [part, ...rest]: readonly string[]): Json => {
    if (part === undefined) return value
    if (!isList(current)) {
      const object = isObject(current) ? current : {}
      return { ...object, [part]: set(object[part], rest) }
    }
    const [before, after] = [current.slice(0, Number(part)), current.slice(Number(part) + 1)]
    return [...before, set(current[Number(part)], rest), ...after]
  }
  return objectAt(set(POD, path.split(/[.[\]]+/).filter(Boolean)))
}

const C = 'spec.containers[0]'
const I = 'spec.initContainers[0]'
const TRUTH = 'must be true or false, without quotes'
const TEXT = 'must be a string: put it in quotes'
const ID = 'must be a whole number from 0 to 2147483647, without quotes'

const HEADERS = 'must be a list of mappings with a name and a value, both strings'

const ROWS: readonly (readonly [path: string, value: Json, says: string])[] = [
  ['metadata.name', 1, TEXT],
  ['metadata.generateName', true, TEXT],
  ['metadata.ownerReferences', {}, 'must be a list of mappings'],
  ['metadata.ownerReferences[0].kind', 1, TEXT],
  ['metadata.ownerReferences[0].name', 1, TEXT],
  ['metadata.ownerReferences[0].controller', 'true', TRUTH],
  ['spec.hostNetwork', 'true', TRUTH],
  ['spec.hostPID', 1, TRUTH],
  ['spec.hostIPC', 'yes', TRUTH],
  ['spec.shareProcessNamespace', 'true', TRUTH],
  ['spec.automountServiceAccountToken', 'true', TRUTH],
  ['spec.serviceAccountName', 7, TEXT],
  ['spec.restartPolicy', true, TEXT],
  ['spec.terminationGracePeriodSeconds', '30', 'must be a whole number, without quotes'],
  ['spec.os', 'windows', 'must be a mapping'],
  ['spec.os.name', ['windows'], TEXT],
  ['spec.nodeSelector', { a: 1 }, 'must be a mapping of strings: put each in quotes'],
  ['spec.resources.limits', ['1'], 'must be a mapping of quantities'],
  ['spec.resources.requests', { cpu: true }, 'must be a mapping of quantities'],
  ['spec.securityContext.runAsNonRoot', 'false', TRUTH],
  ['spec.securityContext.runAsUser', '0', ID],
  ['spec.securityContext.runAsGroup', -1, ID],
  ['spec.securityContext.fsGroup', '21520', ID],
  ['spec.securityContext.supplementalGroups', ['21520'], 'must be a list of whole numbers'],
  ['spec.securityContext.sysctls', 'kernel.x', 'must be a list of mappings'],
  ['spec.securityContext.seccompProfile', 'Unconfined', 'must be a mapping'],
  ['spec.securityContext.seccompProfile.type', ['Unconfined'], TEXT],
  ['spec.securityContext.appArmorProfile', 'Unconfined', 'must be a mapping'],
  ['spec.securityContext.appArmorProfile.type', {}, TEXT],
  ['spec.securityContext.seLinuxOptions', { type: 1 }, 'must be a mapping of strings'],
  ['spec.securityContext.windowsOptions', true, 'must be a mapping'],
  ['spec.securityContext.windowsOptions.hostProcess', 'true', TRUTH],
  ['spec.volumes[0].emptyDir', 'x', 'must be a mapping'],
  ['spec.volumes[0].projected', [], 'must be a mapping'],
  ['spec.volumes[0].projected.sources', {}, 'must be a list of mappings'],
  [`${C}.image`, 1.2, TEXT],
  [`${C}.restartPolicy`, true, TEXT],
  [`${C}.command`, 'echo', 'must be a list of strings'],
  [`${C}.args`, 8000, 'must be a list of strings'],
  [`${C}.stdin`, 'true', TRUTH],
  [`${C}.stdinOnce`, 'true', TRUTH],
  [`${C}.tty`, 'true', TRUTH],
  [`${C}.env[0].name`, 1, TEXT],
  [`${C}.env[0].value`, 8000, TEXT],
  [`${C}.env[0].value`, true, TEXT],
  [`${C}.ports[0].name`, 80, TEXT],
  [`${C}.ports[0].protocol`, 6, TEXT],
  [`${C}.ports[0].containerPort`, '15200', 'must be a port from 1 to 65535, without quotes'],
  [`${C}.ports[0].containerPort`, 0, 'must be a port from 1 to 65535, without quotes'],
  [`${C}.ports[0].containerPort`, 80.5, 'must be a port from 1 to 65535, without quotes'],
  [`${C}.ports[0].hostPort`, '80', 'must be a port from 0 to 65535, without quotes'],
  [`${C}.volumeMounts[0].mountPath`, 1, TEXT],
  [`${C}.volumeMounts[0].name`, 1, TEXT],
  [`${C}.volumeMounts[0].readOnly`, 'true', TRUTH],
  [`${C}.volumeMounts[0].subPath`, 1, TEXT],
  [`${C}.volumeMounts[0].subPathExpr`, 1, TEXT],
  [`${C}.volumeDevices[0].devicePath`, 1, TEXT],
  [`${C}.volumeDevices[0].name`, 1, TEXT],
  [`${C}.resources.limits`, { memory: [1] }, 'must be a mapping of quantities'],
  [`${C}.resources.requests`, 'all', 'must be a mapping of quantities'],
  [`${C}.securityContext.privileged`, 'true', TRUTH],
  [`${C}.securityContext.allowPrivilegeEscalation`, 'true', TRUTH],
  [`${C}.securityContext.readOnlyRootFilesystem`, 'false', TRUTH],
  [`${C}.securityContext.runAsNonRoot`, 0, TRUTH],
  [`${C}.securityContext.runAsUser`, '0', ID],
  [`${C}.securityContext.runAsGroup`, '0', ID],
  [`${C}.securityContext.procMount`, true, TEXT],
  [`${C}.securityContext.capabilities`, ['NET_ADMIN'], 'must be a mapping'],
  [`${C}.securityContext.capabilities.add`, 'NET_ADMIN', 'must be a list of strings'],
  [`${C}.securityContext.capabilities.drop`, 'ALL', 'must be a list of strings'],
  [`${C}.securityContext.seccompProfile.type`, 1, TEXT],
  [`${C}.securityContext.seLinuxOptions`, 'spc_t', 'must be a mapping of strings'],
  [`${C}.readinessProbe`, true, 'must be a mapping'],
  [`${C}.livenessProbe.httpGet`, '/', 'must be a mapping'],
  [`${C}.startupProbe.httpGet.port`, 0, 'must be a port or its name'],
  [`${C}.livenessProbe.tcpSocket.port`, [8000], 'must be a port or its name'],
  [`${C}.livenessProbe.tcpSocket.host`, 1, TEXT],
  [`${C}.readinessProbe.httpGet.path`, 200, TEXT],
  [`${C}.readinessProbe.httpGet.host`, 10.5, TEXT],
  [`${C}.readinessProbe.httpGet.scheme`, true, TEXT],
  [`${C}.readinessProbe.httpGet.httpHeaders`, { Host: 'a' }, HEADERS],
  [`${C}.readinessProbe.httpGet.httpHeaders`, [{ name: 'A', value: 1 }], HEADERS],
  [`${C}.readinessProbe.timeoutSeconds`, '20', 'must be a whole number, without quotes'],
  [`${C}.startupProbe.grpc`, 9000, 'must be a mapping'],
  [`${C}.startupProbe.grpc.port`, '9000', 'must be a port from 1 to 65535, without quotes'],
  [`${C}.lifecycle.postStart`, 'x', 'must be a mapping'],
  [`${C}.lifecycle.preStop.httpGet.port`, true, 'must be a port or its name'],
  [`${I}.securityContext.privileged`, 'true', TRUTH],
  [`${I}.securityContext.runAsUser`, '0', ID],
  [`${I}.restartPolicy`, 1, TEXT],
]

/** As a message has it. */
const shown = (value: Json): string => {
  if (isList(value)) return 'a list'
  return isObject(value) ? 'a mapping' : JSON.stringify(value)
}

describe('a field of another type is named', () => {
  test.each<[place: string, path: string, value: Json, shown: string]>([
    [`${C}.args[1]`, `${C}.args`, ['--port', 8000, true], '8000'],
    [`${C}.command[0]`, `${C}.command`, [true], 'true'],
    [`${C}.args[0]`, `${C}.args`, [['--port']], 'a list'],
    [
      `${C}.securityContext.capabilities.add[1]`,
      `${C}.securityContext.capabilities.add`,
      ['A', null],
      'null',
    ],
  ])('the item %s of a list of strings', (place, path, value, item) => {
    const messages = specFaults(withValue(value, path)).map(({ message }) => message)
    expect(messages).toContain(`${place}: ${item} ${TEXT}`)
  })

  test.each(ROWS)('%s: %j', (path, value, says) => {
    const outcome = render(
      withValue(value, path),
      { name: 'a', labels: {}, annotations: {} },
      config,
    )
    if (outcome.kind !== 'deny') throw new Error(outcome.kind)
    const messages = outcome.violations.map(({ code, message }) => `${code} ${message}`)
    expect(messages).toContainEqual(
      expect.stringContaining(`malformed ${path}: ${shown(value)} ${says}`),
    )
  })

  test('and null is no value at all', () => {
    const faults = ROWS.filter(([path]) => !path.includes('[0].name')).flatMap(([path]) =>
      specFaults(withValue(null, path)),
    )
    expect(faults).toEqual([])
  })

  test('a long one is not written out', () => {
    const [fault] = specFaults(withValue('x'.repeat(5000), 'spec.hostNetwork'))
    expect(fault?.message.length).toBeLessThan(200)
  })
})

test.each(readdirSync(new URL('../../fixtures/admission', import.meta.url)))(
  'what a real API server sent has the right types: %s',
  (name) => {
    const url = new URL(`../../fixtures/admission/${name}`, import.meta.url)
    const review: unknown = JSON.parse(readFileSync(url, 'utf8'))
    const object = isObject(review) ? objectAt(review, 'request', 'object') : {}
    expect(Object.keys(object)).not.toEqual([])
    expect(specFaults(object)).toEqual([])
  },
)
