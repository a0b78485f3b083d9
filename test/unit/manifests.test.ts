import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { injectManifest } from '../../cli/manifest/inject.ts'
import { PREFIX } from '../../shared/annotations.ts'
import { INDEX_CONFIG_MAP, INDEX_KEY } from '../../shared/image-index.ts'
import {
  CONFIG_VARIABLE,
  ENFORCE_LABEL,
  INJECTION_LABEL,
  SIDECAR_CONTAINER,
} from '../../shared/names.ts'
import { readClusterConfig } from '../../webhook/cluster/config.ts'
import {
  arrayAt,
  at,
  objectAt,
  objectsAt,
  stringAt,
  stringsAt,
  type JsonObject,
} from '../../shared/json.ts'
import { parseOptions } from '../../webhook/options.ts'
import { kindOfResource } from '../../webhook/workload/kinds.ts'
import {
  base,
  kustomization,
  listed,
  nameOf,
  one,
  read,
  ROOT,
} from '../support/shipped-manifests.ts'

const options = (() => {
  const parsed = parseOptions(['webhook', '--config', 'x'])
  if (!parsed.ok) throw new Error(parsed.error.join())
  return parsed.value
})()

describe('manifests/base', () => {
  test('lists every file that it has', () => {
    const files = readdirSync(new URL('base/', ROOT)).sort()
    const chart = [
      '.helmignore',
      'Chart.yaml',
      'cert-manager',
      'companions',
      'own-accounts',
      'resolve-images',
      'templates',
      'values.schema.json',
      'values.yaml',
    ]
    expect([...listed, ...chart, 'config.yaml', 'kustomization.yaml'].sort()).toEqual(files)
  })

  test('is a chart of the version that the images are tagged with', () => {
    const [image] = objectsAt(kustomization('base'), 'images')
    const newTag = image?.['newTag']
    const { version } = JSON.parse(read('../package.json'))
    expect(parse(read('base/Chart.yaml'))).toMatchObject({ version, appVersion: newTag })
    expect(newTag).toBe(version)
  })

  test('has the names that the webhook goes by', () => {
    expect(nameOf(one('Service'))).toBe(options.service)
    expect(nameOf(one('Secret'))).toBe(options.caSecret)
    expect(nameOf(one('Namespace'))).toBe(options.namespace)
    expect(nameOf(one('MutatingWebhookConfiguration'))).toBe(options.configuration)
    expect(nameOf(one('ValidatingWebhookConfiguration'))).toBe(options.configuration)
    expect(kustomization('base')['namespace']).toBe(options.namespace)
  })

  test.each(['base', 'overlays/dev'])(
    '%s: the configuration’s name stays when it changes, so that the webhook reads the change and does not roll out',
    (path) => {
      const [config] = objectsAt(kustomization(path), 'configMapGenerator')
      expect(config).toMatchObject({ options: { disableNameSuffixHash: true } })
      const pod = objectAt(one('Deployment'), 'spec', 'template', 'spec')
      const volume = objectsAt(pod, 'volumes').find(({ name }) => name === 'config')
      expect(volume?.['configMap']).toEqual({ name: config?.['name'] })
      // A subPath would never change.
      const mounts = objectsAt(objectsAt(pod, 'containers')[0], 'volumeMounts')
      expect(mounts.find(({ name }) => name === 'config')).not.toHaveProperty('subPath')
    },
  )

  test('the Secret is empty, so that applying it again leaves what it holds', () => {
    expect(Object.keys(one('Secret'))).toEqual(['apiVersion', 'kind', 'metadata', 'type'])
  })

  test('the image index is empty too, of the name and in the place that the webhook reads', () => {
    const images = one('ConfigMap')
    expect(images).not.toHaveProperty('data')
    expect(nameOf(images)).toBe(INDEX_CONFIG_MAP)
    const pod = objectAt(one('Deployment'), 'spec', 'template', 'spec')
    const volume = objectsAt(pod, 'volumes').find(({ name }) => name === 'images')
    expect(volume?.['configMap']).toEqual({ name: INDEX_CONFIG_MAP, optional: true })
    const [container] = objectsAt(pod, 'containers')
    const mount = objectsAt(container, 'volumeMounts').find(({ name }) => name === 'images')
    const options = parseOptions((arrayAt(container, 'args') ?? []).map(String))
    expect(options.ok && options.value.imagesFile).toBe(
      `${stringAt(mount, 'mountPath')}/${INDEX_KEY}`,
    )
  })

  test('the rights are those that the webhook uses, on the objects that it uses', () => {
    const rules = base.flatMap((object) => objectsAt(object, 'rules'))
    expect(rules).toEqual([
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['services'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
      {
        apiGroups: ['authorization.k8s.io'],
        resources: ['subjectaccessreviews'],
        verbs: ['create'],
      },
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
        resourceNames: [options.configuration],
        verbs: ['get', 'patch'],
      },
      { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list'] },
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: [options.caSecret],
        verbs: ['get', 'patch'],
      },
    ])
  })

  test('its NetworkPolicy is about the webhook’s pods, lets in what they listen at, and lets out what they need', () => {
    const { spec = {} } = one('NetworkPolicy')
    const { podSelector, policyTypes, ingress, egress } = Object(spec)
    const labels = at(one('Deployment'), 'spec', 'template', 'metadata', 'labels')
    expect(podSelector).toEqual({ matchLabels: labels })
    expect(policyTypes).toEqual(['Ingress', 'Egress'])
    // An API server is no pod: a peer that is named by labels would leave it out.
    const tcp = (port: number) => ({ ports: [{ protocol: 'TCP', port }] })
    expect(ingress).toEqual([tcp(options.port), tcp(options.adminPort)])
    const out = [53, 5353].flatMap((port) => ['UDP', 'TCP'].map((protocol) => ({ protocol, port })))
    const servers = [443, 6443, 8443, 16_443].map((port) => ({ protocol: 'TCP', port }))
    expect(egress).toEqual([{ ports: out }, { ports: servers }])
  })

  test('a quota admits the class of the webhook’s pods, and as many as anybody will have', () => {
    const name = stringAt(one('Deployment'), 'spec', 'template', 'spec', 'priorityClassName')
    expect(one('ResourceQuota')['spec']).toEqual({
      hard: { pods: '100' },
      scopeSelector: {
        matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: [name] }],
      },
    })
  })

  test('the Deployment is restricted, listens where the Service points, and rolls by surge', () => {
    const deployment = one('Deployment')
    const [container] = objectsAt(deployment, 'spec', 'template', 'spec', 'containers')
    expect(deployment).toMatchObject({
      spec: {
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          spec: {
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          },
        },
      },
    })
    expect(container).toMatchObject({
      ports: [
        { name: 'admission', containerPort: options.port },
        { name: 'admin', containerPort: options.adminPort },
      ],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    })
    const args = (arrayAt(container, 'args') ?? []).map(String)
    expect(parseOptions(args).ok).toBe(true)
    expect(objectsAt(one('Service'), 'spec', 'ports')).toMatchObject([{ targetPort: 'admission' }])
  })
})

describe('the webhook configuration', () => {
  const webhooks = objectsAt(one('MutatingWebhookConfiguration'), 'webhooks')
  const entry = (name: string): JsonObject => {
    const found = webhooks.find((webhook) => webhook['name'] === `${name}.inject.outrigger.dev`)
    if (!found) throw new Error(`there is no entry ${name}`)
    return found
  }
  const expressionsOf = (name: string): readonly string[] =>
    objectsAt(entry(name), 'matchConditions').map((item) => stringAt(item, 'expression') ?? '')

  test.each(webhooks.map((webhook) => [stringAt(webhook, 'name'), webhook] as const))(
    '%s',
    (_name, webhook) => {
      expect(webhook).toMatchObject({
        clientConfig: {
          service: { name: options.service, namespace: options.namespace, path: '/mutate' },
        },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        matchPolicy: 'Equivalent',
      })
      expect(at(webhook, 'clientConfig', 'caBundle')).toBeUndefined()
      const excluded = objectsAt(webhook, 'namespaceSelector', 'matchExpressions').at(-1)
      const names = (arrayAt(excluded, 'values') ?? []).map(String)
      expect(excluded).toMatchObject({ key: 'kubernetes.io/metadata.name', operator: 'NotIn' })
      expect(names).toEqual(
        expect.arrayContaining([
          'kube-system',
          'kube-public',
          'kube-node-lease',
          options.namespace,
        ]),
      )
      const conditions = objectsAt(webhook, 'matchConditions')
      expect(JSON.stringify(conditions)).not.toContain('namespaceObject')
    },
  )

  test.each(['namespace', 'pod', 'workload'])('%s decides, so nothing passes it by', (name) => {
    expect(entry(name)).toMatchObject({
      failurePolicy: 'Fail',
      reinvocationPolicy: 'IfNeeded',
      timeoutSeconds: 5,
    })
  })

  test('warn only warns, so nothing waits for it', () => {
    expect(entry('warn')).toMatchObject({ failurePolicy: 'Ignore', timeoutSeconds: 2 })
  })

  test.each(['namespace', 'pod'])('%s is asked when a pod is created', (name) => {
    expect(entry(name)['rules']).toEqual([
      {
        apiGroups: [''],
        apiVersions: ['v1'],
        operations: ['CREATE'],
        resources: ['pods'],
        scope: 'Namespaced',
      },
    ])
  })

  test.each(['workload', 'warn'])('%s is asked for each kind with a template', (name) => {
    const rules = objectsAt(entry(name), 'rules')
    const resources = rules.flatMap((rule) => {
      expect(rule).toMatchObject({ operations: ['CREATE', 'UPDATE'], scope: 'Namespaced' })
      const groups = stringsAt(rule, 'apiGroups') ?? []
      const versions = stringsAt(rule, 'apiVersions') ?? []
      return (stringsAt(rule, 'resources') ?? []).map((resource) =>
        [...groups, ...versions, resource].filter((part) => part !== '').join('/'),
      )
    })
    expect(new Set(resources.map((resource) => kindOfResource(resource)?.kind))).toEqual(
      new Set([
        'CronJob',
        'DaemonSet',
        'Deployment',
        'Job',
        'PodTemplate',
        'ReplicaSet',
        'ReplicationController',
        'StatefulSet',
      ]),
    )
  })

  test('the two entries for pods never see the same namespace', () => {
    const selectors = ['namespace', 'pod'].map(
      (name) => objectsAt(entry(name), 'namespaceSelector', 'matchExpressions')[0],
    )
    expect(selectors).toEqual([
      { key: INJECTION_LABEL, operator: 'In', values: ['enabled'] },
      { key: INJECTION_LABEL, operator: 'NotIn', values: ['enabled'] },
    ])
  })

  test('the two entries for workloads never see the same workload', () => {
    const [first, second] = ['workload', 'warn'].map(expressionsOf)
    expect(first).toHaveLength(3)
    expect(second?.slice(0, 2)).toEqual(first?.slice(0, 2))
    expect(second?.[2]).toBe(`!${first?.[2]}`)
  })

  test('a namespace that opts in sends all its pods, another only those with a key of ours', () => {
    expect(expressionsOf('namespace')).toEqual([])
    expect(expressionsOf('pod')).toEqual([expect.stringContaining(`startsWith('${PREFIX}')`)])
  })
})

describe('the validating configuration', () => {
  const webhooks = objectsAt(one('ValidatingWebhookConfiguration'), 'webhooks')
  const entry = (name: string): JsonObject => {
    const found = webhooks.find((webhook) => webhook['name'] === `${name}.validate.outrigger.dev`)
    if (!found) throw new Error(`there is no entry ${name}`)
    return found
  }
  const selectorOf = (name: string) =>
    objectsAt(entry(name), 'namespaceSelector', 'matchExpressions')
  const asked = (name: string): readonly (readonly [string, string])[] =>
    objectsAt(entry(name), 'rules').flatMap((rule) =>
      (stringsAt(rule, 'operations') ?? []).flatMap((operation) =>
        (stringsAt(rule, 'resources') ?? []).map((resource) => [operation, resource] as const),
      ),
    )

  test.each(webhooks.map((webhook) => [stringAt(webhook, 'name'), webhook] as const))(
    '%s fails closed, and sees neither our namespace nor the system’s',
    (_name, webhook) => {
      expect(webhook).toMatchObject({
        clientConfig: {
          service: { name: options.service, namespace: options.namespace, path: '/validate' },
        },
        failurePolicy: 'Fail',
        sideEffects: 'None',
        timeoutSeconds: 5,
      })
      const excluded = objectsAt(webhook, 'namespaceSelector', 'matchExpressions').at(-1)
      expect(excluded).toEqual({
        key: 'kubernetes.io/metadata.name',
        operator: 'NotIn',
        values: [options.namespace, 'kube-system', 'kube-public', 'kube-node-lease'],
      })
      expect(JSON.stringify(webhook['matchConditions'] ?? [])).not.toContain('namespaceObject')
    },
  )

  test('pods are judged in every namespace where they are changed, by the same conditions', () => {
    const mutating = objectsAt(one('MutatingWebhookConfiguration'), 'webhooks')
    for (const name of ['namespace', 'pod']) {
      const changes = mutating.find((webhook) => webhook['name'] === `${name}.inject.outrigger.dev`)
      for (const field of ['rules', 'namespaceSelector', 'matchConditions']) {
        expect(entry(name)[field]).toEqual(changes?.[field])
      }
    }
  })

  test('changes are asked about wherever they come in', () => {
    expect(asked('change')).toEqual([
      ['UPDATE', 'pods'],
      ['UPDATE', 'pods/status'],
      ['UPDATE', 'pods/ephemeralcontainers'],
      ['UPDATE', 'pods/resize'],
    ])
    expect(selectorOf('change')).toHaveLength(1)
    // A pod may take long to be deleted, and runs on meanwhile under the keys that it bears.
    const conditions = objectsAt(entry('change'), 'matchConditions')
    expect(conditions.map(({ name }) => name)).toEqual(['bears-a-key-of-outrigger', 'differs'])
  })

  test('a namespace is asked about where it changes what is ours, and never when it is deleted', () => {
    expect(asked('guard')).toEqual([
      ['CREATE', 'namespaces'],
      ['UPDATE', 'namespaces'],
      ['UPDATE', 'namespaces/status'],
      ['UPDATE', 'namespaces/finalize'],
    ])
    const conditions = objectsAt(entry('guard'), 'matchConditions')
    expect(conditions.map(({ name }) => name)).toEqual(['changes-a-key-of-outrigger'])
  })

  test('connections are asked about in namespaces that opt in or say by which rules, each once', () => {
    expect(asked('connection').map(([operation]) => operation)).toEqual(Array(4).fill('CONNECT'))
    expect(asked('other-connection')).toEqual(asked('connection'))
    const optsIn = { key: INJECTION_LABEL, operator: 'In', values: ['enabled'] }
    expect(selectorOf('connection').slice(0, -1)).toEqual([optsIn])
    expect(selectorOf('other-connection').slice(0, -1)).toEqual([
      { ...optsIn, operator: 'NotIn' },
      { key: ENFORCE_LABEL, operator: 'Exists' },
    ])
  })

  test('policies of others are asked about where connections are, and those of the controller never', () => {
    expect(asked('policy')).toEqual([
      ['CREATE', 'networkpolicies'],
      ['UPDATE', 'networkpolicies'],
    ])
    expect(asked('other-policy')).toEqual(asked('policy'))
    for (const [one, other] of [
      ['policy', 'connection'],
      ['other-policy', 'other-connection'],
    ] as const) {
      expect(selectorOf(one)).toEqual(selectorOf(other))
      const [first] = objectsAt(entry(one), 'matchConditions')
      expect(stringAt(first, 'expression')).toContain(
        "'system:serviceaccount:outrigger-system:outrigger-controller'",
      )
    }
  })

  test('the component that sends every connection changes that entry’s selector, and nothing else', () => {
    const [patch] = objectsAt(kustomization('components/every-connection'), 'patches')
    const change: unknown = parse(stringAt(patch, 'patch') ?? '')
    const [optsIn, , own] = selectorOf('other-connection')
    expect(change).toMatchObject({
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: options.configuration },
      webhooks: [
        {
          name: 'other-connection.validate.outrigger.dev',
          namespaceSelector: { matchExpressions: [optsIn, own] },
        },
      ],
    })
  })
})

describe('the final-state policies', () => {
  const named = (kind: string, name: string): JsonObject => {
    const found = base.find((object) => object['kind'] === kind && nameOf(object) === name)
    if (!found) throw new Error(`there is no ${kind} ${name}`)
    return found
  }
  const NAMES = ['outrigger-asked', 'outrigger-opted-in', 'outrigger-secrets']
  const policies = NAMES.map((name) => named('ValidatingAdmissionPolicy', name))
  const bindings = NAMES.map((name) => named('ValidatingAdmissionPolicyBinding', name))

  test('are asked when a pod is created and never else, and fail closed', () => {
    for (const policy of policies) {
      expect(policy['spec']).toMatchObject({
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' }],
        },
      })
    }
  })

  test('want the sidecar by the names that injection gives, in the same words', () => {
    const [first, second] = policies.map((policy) => at(policy, 'spec', 'validations'))
    expect(second).toEqual(first)
    for (const name of [SIDECAR_CONTAINER, CONFIG_VARIABLE]) {
      expect(JSON.stringify(first)).toContain(`'${name}'`)
    }
  })

  test('keep the sidecar’s Secrets for the container that injection names', () => {
    const spec = JSON.stringify(policies[2])
    expect(spec).toContain(`container.name != '${SIDECAR_CONTAINER}'`)
    expect(spec).toContain(`'${INJECTION_LABEL}'`)
    // There the namespace is not known, and every request would fail.
    for (const policy of policies) {
      const conditions = JSON.stringify(at(policy, 'spec', 'matchConditions') ?? [])
      expect(conditions).not.toContain('namespaceObject')
    }
  })

  test('deny, in every namespace but ours and the system’s; the second where a namespace opts in', () => {
    const own = {
      key: 'kubernetes.io/metadata.name',
      operator: 'NotIn',
      values: [options.namespace, 'kube-system', 'kube-public', 'kube-node-lease'],
    }
    const optsIn = { key: INJECTION_LABEL, operator: 'In', values: ['enabled'] }
    const selectors = bindings.map((binding) => {
      expect(binding['spec']).toMatchObject({
        policyName: nameOf(binding),
        validationActions: ['Deny'],
      })
      return objectsAt(binding, 'spec', 'matchResources', 'namespaceSelector', 'matchExpressions')
    })
    expect(selectors).toEqual([[own], [optsIn, own], [own]])
  })
})

describe('configurations', () => {
  test.each([
    'base/config.yaml',
    'overlays/dev/config.yaml',
    '../test/cluster/overlays/service-accounts/config.yaml',
    '../test/cluster/overlays/tool-lock/config.yaml',
  ])('%s is right', (path) => {
    const config = readClusterConfig(read(path))
    expect(config.ok ? [] : config.error).toEqual([])
  })

  test('what is commented out in the base is right when it is switched on as the file says', () => {
    const text = read('base/config.yaml')
    const commented = /^( *)# (?= *(?:- \{|- url: |audiences: |[\w'*.-]+:(?: [[{\w'].*)?$))/gm
    expect(text.match(commented)?.length).toBeGreaterThan(15)
    const on = text
      .replaceAll(commented, '$1')
      .replaceAll(/: (?:\[\]|\{\})(?=\n {4})/g, ':')
      .replaceAll('sha256:…', `sha256:${'0'.repeat(64)}`)
    const config = readClusterConfig(on)
    expect(config.ok ? [] : config.error).toEqual([])
    const members = Object.keys(objectAt(parse(on), 'floor') ?? {})
    expect(members).toEqual(expect.arrayContaining(['issuers', 'most', 'exemptContainers']))
    expect(Object.keys(parse(on))).toEqual(
      expect.arrayContaining(['server', 'audit', 'traces', 'metrics', 'registries']),
    )
  })

  test('the base allows nothing but to administrators what they may do anyway', () => {
    const config: unknown = parse(read('base/config.yaml'))
    const administrators = '"allowLooserNamespaces":["system:masters","kubeadm:cluster-admins"]'
    const [before, after, ...more] = JSON.stringify(config).split(administrators)
    expect([before, after].join()).not.toContain('allow')
    expect([after, more]).toEqual([expect.any(String), []])
  })
})

describe("the README's first annotation", () => {
  const [, snippet = ''] =
    /^```yaml\n(metadata:\n.*?)```/ms.exec(readFileSync(new URL('../README.md', ROOT), 'utf8')) ??
    []
  const workload = `apiVersion: apps/v1
kind: Deployment
${snippet.replace('metadata:\n', 'metadata:\n  name: mine\n')}spec:
  template:
    spec:
      containers: [{ name: mine, image: mine, command: [mine] }]
`
  const injected = (path: string) => {
    const config = readClusterConfig(read(path))
    if (!config.ok) throw new Error(config.error.join())
    const common = { file: 'mine', isDefaultConfig: false, namespace: 'default', namespaces: [] }
    return injectManifest(workload, { ...common, config: config.value })
  }

  test('is enough under the configuration for trying out', () => {
    expect(snippet).toContain(`${PREFIX}inject: 'true'`)
    const { stdout, stderr, exitCode } = injected('overlays/dev/config.yaml')
    expect([stderr.replaceAll(/^.*: warning: .*\n/gm, ''), exitCode]).toEqual(['', 0])
    expect(stdout).toContain('outrigger-sidecar')
  })

  test('is denied by the strict base, with what to write instead', () => {
    const { stderr, exitCode } = injected('base/config.yaml')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('set outrigger.dev/auth: none')
  })
})
