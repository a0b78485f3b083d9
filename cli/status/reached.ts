// Whether a workload may reach a backend, by what its sidecars were told; in doubt it may. Pure.

import { destinationOf } from '../../shared/destination.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { leadingTo, type Backend } from './backend.ts'
import type { Row, Sidecar } from './status.ts'

/** `free`: nothing keeps it from that. `declared`: it names the backend. `perhaps`: that depends on what nobody here knows. */
export const CERTAINTIES = ['free', 'declared', 'perhaps'] as const

export interface Reached {
  readonly how: (typeof CERTAINTIES)[number]
  readonly by: string
}

/** Why nothing keeps a server to what it declares; undefined where something does. */
export const whyFree = ({ egress, settings, runDir }: SidecarConfig): string | undefined => {
  if (egress === undefined || settings['egress-mode'] !== 'enforce') return 'egress-mode: observe'
  return runDir === undefined ? 'its command is not known, so nothing confines it' : undefined
}

const perhaps = (by: string): Reached => ({ how: 'perhaps', by })

const declaredBy = (
  backend: Backend,
  { settings }: SidecarConfig,
  namespace: string,
): readonly Reached[] => {
  const declared = (settings.egress ?? []).flatMap((text) => destinationOf(text) ?? [])
  return leadingTo(backend, declared, namespace).map(({ text, where }) =>
    where === undefined ? { how: 'declared', by: text } : perhaps(`${text}, ${where}`),
  )
}

const bySidecar = (
  backend: Backend,
  { config }: Sidecar,
  namespace: string,
): readonly Reached[] => {
  if (!config) return [perhaps('what its sidecar was told cannot be read by this version')]
  const free = whyFree(config)
  if (free !== undefined) return [{ how: 'free', by: free }]
  const isAdvisory = config.egress?.confinement === 'advisory'
  return [
    ...declaredBy(backend, config, namespace),
    ...(isAdvisory ? [perhaps('anything, where its node cannot confine it')] : []),
  ]
}

/** All the ways by which it may, the surest first; none where it may not. */
export const reachedBy = (backend: Backend, row: Row): readonly Reached[] => {
  const all: readonly Reached[] = [
    ...(row.bare > 0 ? [{ how: 'free' as const, by: 'a pod of it runs without the sidecar' }] : []),
    ...row.sidecars.flatMap((one) => bySidecar(backend, one, row.namespace)),
    ...(row.state === 'absent'
      ? [perhaps('no pod of it is there, so what its sidecar is told is not known')]
      : []),
  ]
  const sorted = all.toSorted((a, b) => CERTAINTIES.indexOf(a.how) - CERTAINTIES.indexOf(b.how))
  return sorted.filter(({ by }, index) => sorted.findIndex((one) => one.by === by) === index)
}
