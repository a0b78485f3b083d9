// What whoever changes a namespace should know of its running pods, as warnings of kubectl's: commands are whole and can be
// copied, so that none is cut at the API server's 256 characters. Pure.

import { isKey, PREFIX } from '../../shared/annotations.ts'
import { AUDIT_LABEL, ENFORCE_LABEL, INJECTION_LABEL, WARN_LABEL } from '../../shared/names.ts'
import { nearest } from '../../shared/nearest.ts'
import { quoted } from '../rules/finding.ts'
import { isOurs } from '../settings/scopes.ts'
import type { Fate, Outlook, Outlooks } from './outlook.ts'

const MAX_LINE = 256
/** Of single reasons so many are told; the rest by name. */
const MAX_DENIED = 8
const MAX_LINES = 6

/** Words after a head, as many a line as fit; what fits in none, or in no line, is counted at the end. */
const packed = (head: string, words: readonly string[], separator: string): readonly string[] => {
  const lines: string[] = []
  let left = 0
  let line = ''
  for (const word of words) {
    const longer = line === '' ? `${head}${word}` : `${line}${separator}${word}`
    if (longer.length <= MAX_LINE) line = longer
    else if (lines.length === MAX_LINES || head.length + word.length > MAX_LINE) left += 1
    else {
      lines.push(line)
      line = `${head}${word}`
    }
  }
  const full = line === '' ? lines : [...lines, line]
  return left === 0 ? full : [...full, `and ${left} more, which this has no room for`]
}

const RESTARTED: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet'])
/** Their pods come anew when they are deleted, and nothing else brings that about. */
const REFILLED: ReadonlySet<string> = new Set(['ReplicaSet', 'ReplicationController'])
const RUNS_ONCE: ReadonlySet<string> = new Set(['Job', 'CronJob'])
const BARE: ReadonlySet<string> = new Set(['pod'])
const KNOWN: ReadonlySet<string> = new Set([...RESTARTED, ...REFILLED, ...RUNS_ONCE, ...BARE])

/** As the API server has names. What a pod says of its owner nobody has checked, and commands are copied into shells. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

const isPlain = ({ workload: { kind, name } }: Outlook): boolean =>
  KNOWN.has(kind) && NAME.test(name)

const referred = (outlook: Outlook): string => {
  const { kind, name } = outlook.workload
  return isPlain(outlook) ? `${kind.toLowerCase()}/${name}` : quoted(`${kind}/${name}`)
}

const podsIn = (outlooks: readonly Outlook[]): number =>
  outlooks.reduce((sum, { count }) => sum + count, 0)

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

const unique = (words: readonly string[]): readonly string[] => [...new Set(words)]

/** By which commands the pods come anew, and which of them no command brings back. */
const howToRenew = (namespace: string, outlooks: readonly Outlook[]): readonly string[] => {
  const plain = outlooks.filter(isPlain)
  const of = (kinds: ReadonlySet<string>) =>
    plain.filter(({ workload }) => kinds.has(workload.kind))
  const restarted = unique(of(RESTARTED).map(referred))
  const refilled = of(REFILLED).flatMap(({ pods }) => pods)
  const once = unique(of(RUNS_ONCE).map(referred))
  const bare = of(BARE).flatMap(({ pods }) => pods)
  const others = unique(outlooks.filter((outlook) => !isPlain(outlook)).map(referred))
  return [
    ...packed(`kubectl -n ${namespace} rollout restart `, restarted, ' '),
    ...packed(`kubectl -n ${namespace} delete pod `, refilled, ' '),
    ...packed('pods of no workload, which nobody makes anew but who made them: ', bare, ', '),
    ...packed('they run to their end as they are: ', once, ', '),
    ...packed(
      'pods of controllers that Kubernetes does not know, theirs to restart: ',
      others,
      ', ',
    ),
  ]
}

const isFate =
  (kind: Fate['kind']) =>
  ({ fate }: Outlook): boolean =>
    fate.kind === kind

const renewed = (namespace: string, outlooks: readonly Outlook[]): readonly string[] => {
  const found = outlooks.filter(isFate('sidecar'))
  if (found.length === 0) return []
  const pods = podsIn(found)
  const head = `namespace ${namespace}: ${counted(pods, 'running pod')} ${pods === 1 ? 'stays as it is until it is' : 'stay as they are until they are'} made anew:`
  return [head, ...howToRenew(namespace, found)]
}

const denied = (outlooks: readonly Outlook[]): readonly string[] => {
  const found = outlooks.filter(isFate('denied'))
  const told = found.slice(0, MAX_DENIED).flatMap((outlook) => {
    const { fate } = outlook
    return fate.kind === 'denied'
      ? [`${referred(outlook)}: its pods will be denied when they are made anew: ${fate.why}`]
      : []
  })
  const rest = unique(found.slice(MAX_DENIED).map(referred))
  return [...told, ...packed('will be denied as well: ', rest, ', ')]
}

const cutWarnings = (namespace: string, cut: string | undefined): readonly string[] =>
  cut === undefined
    ? []
    : [`namespace ${namespace}: not all of its running pods were looked at: ${cut}`]

const COUNTED = [
  ['sidecar', 'stay as they are until they are made anew'],
  ['denied', 'will be denied when they are made anew'],
  ['bare', 'come without a sidecar when they are made anew'],
  ['no-server', 'are left alone, since no MCP server can be found in them'],
  ['unknown', 'were not looked at, for want of time'],
] as const

/** What is to be said of running pods to somebody who may not know which they are. */
export const countWarnings = (
  namespace: string,
  { workloads, cut }: Outlooks,
): readonly string[] => {
  const counts = COUNTED.flatMap(([kind, what]) => {
    const count = podsIn(workloads.filter(isFate(kind)))
    return count === 0 ? [] : [`namespace ${namespace}: running pods that ${what}: ${count}`]
  })
  const which = `which pods these are is told to whoever may list them: kubectl -n ${namespace} auth can-i list pods`
  return [...counts, ...(counts.length === 0 ? [] : [which]), ...cutWarnings(namespace, cut)]
}

/** What is to be said of running pods. */
export const outlookWarnings = (
  namespace: string,
  { workloads, cut }: Outlooks,
): readonly string[] => {
  const of = (kind: Fate['kind']) => unique(workloads.filter(isFate(kind)).map(referred))
  return [
    ...renewed(namespace, workloads),
    ...denied(workloads),
    ...packed('come without a sidecar when they are made anew: ', of('bare'), ', '),
    ...packed('left alone, since no MCP server can be found in them: ', of('no-server'), ', '),
    ...packed('not looked at, for want of time: ', of('unknown'), ', '),
    ...cutWarnings(namespace, cut),
  ]
}

/** A label that opts nothing in. */
export const injectionWarnings = (
  namespace: string,
  label: string | undefined,
): readonly string[] =>
  label === undefined || label === 'enabled'
    ? []
    : [
        `namespace ${namespace}: label ${INJECTION_LABEL}: ${JSON.stringify(label)} opts nothing in; the value that does is "enabled"`,
      ]

/** All that a namespace's labels can say. */
const LABELS = [INJECTION_LABEL, ENFORCE_LABEL, WARN_LABEL, AUDIT_LABEL]
const LABEL_WORDS = LABELS.map((label) => label.slice(PREFIX.length))
const MAX_STRANGERS = 5

const strangerWords = (label: string): string => {
  const word = label.slice(PREFIX.length)
  if (word === 'inject') {
    return `label ${label} opts nothing in; the label that does is ${INJECTION_LABEL}=enabled`
  }
  if (isKey(word)) return `${label} is an annotation, not a label`
  const match = nearest(word, LABEL_WORDS)
  const hint = match === undefined ? '' : `; did you mean ${PREFIX}${match}?`
  return `${label} is not a label of Outrigger${hint}`
}

/** Labels under our prefix that mean nothing: whoever has put one there wanted something, and gets nothing. */
export const strangerWarnings = (
  namespace: string,
  labels: Readonly<Record<string, string>>,
): readonly string[] => {
  const strangers = Object.keys(labels).filter((name) => isOurs(name) && !LABELS.includes(name))
  const told = strangers.slice(0, MAX_STRANGERS).map(strangerWords)
  const more = strangers.length - told.length
  const rest = more === 0 ? [] : [`${more} more labels under ${PREFIX} mean nothing on a namespace`]
  return [...told, ...rest].map((words) => `namespace ${namespace}: ${words}`)
}
