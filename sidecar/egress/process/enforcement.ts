// What holds a server to what it may reach, in a word that readiness, metrics and records share. Fails closed: until a shim has
// shown that it can confine, and has been told to, nothing is enforced. Pure.

import type { Confining } from '../../server/outfit.ts'

export type Mode = 'observe' | 'enforce'
export const ENFORCEMENTS = ['enforced', 'observed', 'advisory'] as const
export type Enforcement = (typeof ENFORCEMENTS)[number]

export interface State {
  readonly enforcement: Enforcement
  /** Where it is advisory. */
  readonly why: string | undefined
}

const REMEDY =
  'let its nodes have Linux 5.9 or newer and a runtime that lets a process look into its children, or allow egress that is only advisory (floor.allowAdvisoryEgress in the cluster configuration)'

const UNKNOWN: State = {
  enforcement: 'advisory',
  why: "no shim is known to confine the server's processes",
}

/** Without a shim nothing is confined. */
export const stateOf = (mode: Mode, confining: Confining | undefined): State => {
  if (!confining) return UNKNOWN
  const { why } = confining
  if (why !== undefined) return { enforcement: 'advisory', why }
  return { enforcement: mode === 'enforce' ? 'enforced' : 'observed', why: undefined }
}

/** Why a server is not started; undefined where it may. */
export const refusalOf = (
  { why }: Confining,
  mode: Mode,
  confinement: 'require' | 'advisory',
): string | undefined =>
  why === undefined || mode === 'observe' || confinement === 'advisory'
    ? undefined
    : `its processes cannot be held to what they may reach (${why}); ${REMEDY}`
