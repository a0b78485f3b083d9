// Which of a server's own paths pass the sidecar: those that its author has named, and the metrics that Prometheus is
// told of, where the floor allows them. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { stringAt } from '../../shared/json.ts'
import { parseValue, pathConflicts } from '../../shared/settings.ts'
import type { Subject } from './subject.ts'

export interface OpenPaths {
  readonly paths: readonly string[]
  readonly warnings: readonly string[]
}

/** Where Prometheus looks for metrics where nobody says. */
const METRICS = '/metrics'
// What a warning has room for.
const MAX_SHOWN = 80

/** The path on this port that Prometheus is told of. */
const scraped = ({ pod }: Subject, port: number): string | undefined => {
  const said = (name: string): string | undefined =>
    stringAt(pod, 'metadata', 'annotations', `prometheus.io/${name}`)
  const isHere = said('scrape') === 'true' && (said('port') ?? `${port}`) === `${port}`
  return isHere ? (said('path')?.trim() ?? METRICS) : undefined
}

/** Whether the annotation could name the path beside the others: the sidecar reads them all as its value. */
const isNameable = (
  path: string,
  named: readonly string[],
  { resolution: { settings } }: Subject,
): boolean => {
  const open = parseValue('open-paths', [...named, path].join())
  return (
    !path.includes(',') &&
    open.ok &&
    pathConflicts({ ...settings, 'open-paths': [path] }).length === 0
  )
}

/** What of a server on this port passes besides MCP. */
export const openPaths = (port: number, subject: Subject): OpenPaths => {
  const { config, resolution } = subject
  const named = resolution.settings['open-paths'] ?? []
  const metrics = scraped(subject, port)
  if (metrics === undefined || named.includes(metrics)) return { paths: named, warnings: [] }
  if (!isNameable(metrics, named, subject)) {
    const wrong = `pod: prometheus.io/path: the metrics do not pass the sidecar: ${PREFIX}open-paths could not name it: it is no plain path, one where MCP is spoken, or one too many`
    return { paths: named, warnings: [wrong] }
  }
  const shown = metrics.length > MAX_SHOWN ? `${metrics.slice(0, MAX_SHOWN)}…` : metrics
  const what = `pod: the metrics that prometheus.io/ annotations name at ${shown} on port ${port}`
  return config.floor.allowOpenPaths
    ? { paths: [...named, metrics], warnings: [`${what} pass the sidecar, as ${PREFIX}open-paths`] }
    : {
        paths: named,
        warnings: [
          `${what} do not pass the sidecar: the cluster configuration forbids it (floor.allowOpenPaths)`,
        ],
      }
}
