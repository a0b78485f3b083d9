// What is tried on a pod that ours has seen: by another webhook before it is stored, by changes while it runs, by getting into it.

import { objectsAt, withAt, type JsonObject } from '../../../shared/json.ts'
import {
  adding,
  all,
  annotated,
  ASKING,
  denied,
  DIGEST,
  helper,
  server,
  set,
  sidecar,
  SIDECAR_UID,
  sidecarOf,
  type Becomes,
  type Change,
  type Place,
  type Way,
} from './way.ts'

const remade = (name: string, change: Change, by = 'sidecar'): Way => ({
  who: 'another webhook, after ours',
  name,
  remade: change,
  becomes: denied(by),
})

const labelled =
  (name: string, value: string | undefined): Change =>
  (pod) =>
    withAt(pod, ['metadata', 'labels', `outrigger.dev/${name}`], value)

const TOKEN: JsonObject = {
  name: 'token',
  projected: { sources: [{ serviceAccountToken: { path: 'token' } }] },
}

const withEnv =
  (entry: JsonObject): Change =>
  (pod) =>
    sidecar('env', [...objectsAt(sidecarOf(pod), 'env'), entry])(pod)

export const BY_WEBHOOKS: readonly Way[] = [
  remade('the sidecar is taken out', set('spec.initContainers', []), 'reserved-name'),
  remade(
    'the sidecar and every trace of it are taken out, but for its label',
    () => ({
      ...ASKING,
      metadata: {
        name: 'web',
        annotations: {},
        labels: { 'outrigger.dev/injected': 'true' },
      },
    }),
    'reserved-name',
  ),
  remade('the sidecar ends at once (restartPolicy)', sidecar('restartPolicy', undefined)),
  remade('another image for the sidecar', sidecar('image', 'evil.example.com/sidecar')),
  remade(
    'the sidecar’s image by a digest of another’s',
    sidecar('image', `evil.example.com/sidecar@${DIGEST}`),
  ),
  remade('another command for the sidecar', sidecar('command', ['sleep', '1d'])),
  remade(
    'a variable for the sidecar: NODE_OPTIONS',
    withEnv({ name: 'NODE_OPTIONS', value: '--require /x' }),
  ),
  remade(
    'the sidecar’s document, changed',
    sidecar('env', [{ name: 'OUTRIGGER_CONFIG', value: '{}' }]),
  ),
  remade(
    'a hook in the sidecar',
    sidecar('lifecycle', { postStart: { exec: { command: ['sh'] } } }),
  ),
  remade('the sidecar as root', sidecar('securityContext.runAsUser', 0)),
  remade('the sidecar without limits', sidecar('resources', {})),
  remade('a field that nobody knows yet, in the sidecar', sidecar('fromNextYear', {})),
  remade('the server’s command without the shim', server('command', ['server', '--stdio'])),
  remade(
    'the server’s command behind a shell',
    server('command', ['sh', '-c', '/outrigger/bin/shim serve -- server']),
  ),
  remade(
    'the sidecar’s socket in a helper',
    adding(
      'containers',
      helper({ volumeMounts: [{ name: 'outrigger-run', mountPath: '/outrigger/run' }] }),
    ),
  ),
  remade(
    'our volume as a directory of the node',
    (pod) =>
      withAt(
        pod,
        ['spec', 'volumes'],
        objectsAt(pod, 'spec', 'volumes').map((volume) => ({
          name: volume['name'] ?? '',
          hostPath: { path: '/tmp' },
        })),
      ),
    'volume-types',
  ),
  remade('our mark is taken off', labelled('injected', undefined)),
  remade('the label of another server', labelled('server', 'deployment-pay')),
  remade('hostNetwork', set('spec.hostNetwork', true), 'host-namespaces'),
  remade('shareProcessNamespace', set('spec.shareProcessNamespace', true), 'process-namespace'),
  remade(
    'a privileged container',
    adding('containers', helper({}, { privileged: true })),
    'privileged',
  ),
  remade(
    'the server’s security context is taken off',
    server('securityContext', undefined),
    'privilege-escalation',
  ),
  remade(
    'a token for the Kubernetes API',
    all(adding('volumes', TOKEN), server('volumeMounts', [{ name: 'token', mountPath: '/t' }])),
    'api-token',
  ),
]

const changed = (name: string, change: Change, by: string, more: Partial<Way> = {}): Way => ({
  who: 'whoever may change a pod',
  name,
  changed: change,
  becomes: denied(by),
  ...more,
})

const debugging = (fields: JsonObject, context: JsonObject = {}): Change =>
  adding('ephemeralContainers', { ...helper(fields, context), name: 'debug' })
const INTO = { subResource: 'ephemeralcontainers' }
const RESIZED = { subResource: 'resize' }
const STRICT: { readonly where: Place } = { where: 'strict' }

export const BY_CHANGES: readonly Way[] = [
  changed('our mark is taken off a running pod', labelled('injected', undefined), 'own-keys'),
  changed(
    'another server’s label on a running pod',
    labelled('server', 'deployment-pay'),
    'own-keys',
  ),
  changed('a label through the status', labelled('injected', undefined), 'own-keys', {
    subResource: 'status',
  }),
  changed('an annotation through the status', annotated('auth', 'none'), 'own-keys', {
    subResource: 'status',
  }),
  changed('a forged status of ours on a running pod', annotated('status', '{}'), 'own-keys'),
  changed(
    'our label on a pod that takes long to be deleted',
    all(
      set('metadata.deletionTimestamp', '2026-01-01T00:00:00Z'),
      labelled('server', 'deployment-pay'),
    ),
    'own-keys',
  ),
  changed(
    'another image for the sidecar of a running pod',
    sidecar('image', 'evil.example.com/sidecar'),
    'sidecar',
  ),
  changed(
    'an older digest of the sidecar’s image',
    sidecar('image', `example.com/sidecar:1@${DIGEST}`),
    'sidecar',
  ),
  changed(
    'a tag for the server’s image',
    server('image', 'example.com/server:2'),
    'image-digest',
    STRICT,
  ),
  changed(
    'a debug container among the sidecar’s processes',
    debugging({ targetContainerName: 'outrigger-sidecar' }),
    'sidecar-access',
    INTO,
  ),
  changed(
    'a debug container as the sidecar’s user',
    debugging({}, { runAsUser: SIDECAR_UID }),
    'sidecar-access',
    INTO,
  ),
  changed(
    'a debug container as whomever its image says',
    debugging({ image: 'busybox:1' }, { runAsUser: null }),
    'sidecar-access',
    INTO,
  ),
  changed(
    'a debug container in the sidecar’s group',
    debugging({}, { runAsGroup: SIDECAR_UID }),
    'sidecar-access',
    INTO,
  ),
  changed(
    'a debug container with the sidecar’s socket',
    debugging({ volumeMounts: [{ name: 'outrigger-run', mountPath: '/x' }] }),
    'sidecar-access',
    INTO,
  ),
  changed('a privileged debug container', debugging({}, { privileged: true }), 'privileged', INTO),
  changed(
    'a debug container as kubectl makes it',
    debugging({ securityContext: {} }),
    'capabilities',
    INTO,
  ),
  changed('any debug container', debugging({}), 'debug-containers', { ...INTO, ...STRICT }),
  changed(
    'memory taken from under the sidecar',
    sidecar('resources.limits.memory', '16Mi'),
    'sidecar',
    RESIZED,
  ),
  changed(
    'a sidecar as large as a node',
    sidecar('resources.limits.memory', '64Gi'),
    'sidecar',
    RESIZED,
  ),
  changed(
    'no limit for the sidecar’s CPU',
    sidecar('resources.limits', { memory: '256Mi' }),
    'sidecar',
    RESIZED,
  ),
  changed('no limit for the server’s memory', server('resources.limits', { cpu: '1' }), 'limits', {
    ...RESIZED,
    ...STRICT,
  }),
]

const entering = (how: string, where: Place, becomes: Becomes): Way => ({
  who: 'whoever may enter a pod',
  name: `${how}, ${where === 'strict' ? 'where strict holds' : 'at baseline'}`,
  where,
  connects: true,
  subResource: how,
  becomes,
})

const RECORDED = { cluster: 'At `baseline` all of them pass, on record' }

export const BY_ENTERING: readonly Way[] = [
  ...['exec', 'attach', 'portforward', 'proxy'].map((how) =>
    entering(how, 'strict', denied('connections')),
  ),
  entering('exec', 'opted-in', RECORDED),
  entering('portforward', 'opted-in', RECORDED),
]

/** The same bodies by a caller who writes JSON as nobody does. */
export const BY_BYTES: readonly Way[] = [
  {
    who: 'the author of a pod',
    name: 'a key that stands twice, the second time with another value',
    body: (review) => review.replace('"runAsUser":1000', '"privileged":false,"privileged":true'),
    becomes: denied('privileged'),
  },
  {
    who: 'the author of a pod',
    name: 'a key in another spelling of the same text',
    body: (review) => review.replace('"runAsUser":1000', '"priv\\u0069leged":true'),
    becomes: denied('privileged'),
  },
  {
    who: 'the author of a pod',
    name: 'a pod deeper than any stack',
    body: (review) =>
      review.replace('"runAsUser":1000', `"deep":${'['.repeat(50_000)}${']'.repeat(50_000)}`),
    becomes: denied('413'),
  },
  {
    who: 'the author of a pod',
    name: 'a pod of a million values',
    body: (review) => review.replace('"runAsUser":1000', `"many":[${'1,'.repeat(1_000_000)}1]`),
    becomes: denied('413'),
  },
]
