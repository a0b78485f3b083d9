// Prometheus itself (Debian's package) on loopback: it scrapes what it is told, evaluates the rules, and answers queries.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { freePort } from '../support/free-port.ts'
import { startProgram } from '../support/running.ts'
import { FOLDER } from './dashboard.ts'

/** What one scrapes, with the labels that discovery in a cluster would give. */
export interface Target {
  readonly adminPort: number
  readonly labels: Readonly<Record<string, string>>
}

const labels = z.record(z.string(), z.string())
/** Prometheus writes numbers as texts, NaN and +Inf among them. */
const figure = z.string().transform((text) => Number(text.replace('Inf', 'Infinity')))
const point = z.tuple([z.number(), figure])
const series = z.object({
  metric: labels,
  value: point.optional(),
  values: z.array(point).default([]),
})
const answer = z.object({
  status: z.literal('success'),
  data: z.object({ result: z.array(series) }),
})
const ruleList = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() }),
        ),
      }),
    ),
  }),
})

export type Series = z.output<typeof series>
export type Rule = z.output<typeof ruleList>['data']['groups'][number]['rules'][number]

export interface Window {
  /** Seconds since 1970. */
  readonly from: number
  readonly to: number
  readonly step: number
}

export interface Prometheus {
  readonly url: string
  /** What a query gives now, or over a window; rejects where it is none. */
  readonly query: (expr: string, window?: Window) => Promise<readonly Series[]>
  readonly rules: () => Promise<readonly Rule[]>
  readonly stop: () => Promise<void>
}

const configuration = (targets: readonly Target[]): string =>
  JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [`${FOLDER}rules.yaml`],
    scrape_configs: [
      {
        job_name: 'outrigger',
        static_configs: targets.map(({ adminPort, labels }) => ({
          targets: [`127.0.0.1:${adminPort}`],
          labels,
        })),
      },
    ],
  })

const isAnswering = (url: string): Promise<boolean> =>
  fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

/** `folder` is where it keeps what it has scraped. */
export const startPrometheus = async (
  folder: string,
  targets: readonly Target[],
): Promise<Prometheus> => {
  const config = join(folder, 'prometheus.yml')
  writeFileSync(config, configuration(targets))
  const url = `http://127.0.0.1:${await freePort()}`
  const running = await startProgram({
    command: 'prometheus',
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
      '--log.level=warn',
    ],
    ready: () => isAnswering(url),
  })
  const get = async (path: string, more: Readonly<Record<string, string>>): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(more).toString()}`)
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} ${JSON.stringify(more)}: ${text}`)
    return JSON.parse(text)
  }
  const query: Prometheus['query'] = async (expr, window) => {
    const asked = window
      ? get('query_range', {
          query: expr,
          start: `${window.from}`,
          end: `${window.to}`,
          step: `${window.step}`,
        })
      : get('query', { query: expr })
    return answer.parse(await asked).data.result
  }
  const rules = async (): Promise<readonly Rule[]> =>
    ruleList.parse(await get('rules', {})).data.groups.flatMap((group) => group.rules)
  return { url, query, rules, stop: running.stop }
}

/** Runs promtool; throws with what it says where that is not well. */
export const promtool = (args: readonly string[], input = ''): string =>
  execFileSync('promtool', args, { encoding: 'utf8', input, stdio: 'pipe' })
