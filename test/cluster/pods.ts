// Builders of the objects that tests create. Each is as small as the API takes it.

import type { Json } from './api.ts'

export interface PodParts {
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** Merged over the only container. */
  readonly container?: Json
  /** Merged over the spec. */
  readonly spec?: Json
}

export const INJECT = { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' }

/** A container of a stdio server. */
export const serverContainer = (more: Json = {}): Json => ({
  name: 'server',
  image: 'example/server',
  command: ['node', 'server.js'],
  ...more,
})

/** A pod with one server, opted in by annotation unless told otherwise. */
export const serverPod = (name: string, parts: PodParts = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, annotations: parts.annotations ?? INJECT, labels: parts.labels ?? {} },
  spec: { containers: [serverContainer(parts.container)], ...parts.spec },
})

/** A Deployment whose template is that of a pod. */
export const deploymentOf = (pod: Json, name: string, replicas = 1): Json => {
  const { metadata, spec } = pod
  const template = typeof metadata === 'object' && metadata !== null ? { ...metadata } : {}
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { ...template, name: undefined, labels: { app: name } }, spec },
    },
  }
}
