// The panels of manifests/observability/dashboard.json, and what each asks Prometheus.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

export const FOLDER = fileURLToPath(new URL('../../manifests/observability/', import.meta.url))

const target = z.object({ expr: z.string(), legendFormat: z.string().default('') })
const panel = z.object({
  title: z.string(),
  type: z.enum(['row', 'timeseries', 'table']),
  gridPos: z.object({ h: z.number(), w: z.number(), x: z.number(), y: z.number() }),
  fieldConfig: z
    .object({
      defaults: z.object({
        unit: z.string().default('none'),
        custom: z.object({ stacking: z.object({ mode: z.string() }) }).optional(),
      }),
    })
    .optional(),
  targets: z.array(target).default([]),
})
const dashboard = z.object({ panels: z.array(panel) })

export type Panel = z.output<typeof panel>

export const readPanels = (): readonly Panel[] =>
  dashboard.parse(JSON.parse(readFileSync(`${FOLDER}dashboard.json`, 'utf8'))).panels

/** What Grafana would put in the place of its variables, where everything is chosen. */
export const asked = (expr: string, rateInterval: string): string =>
  expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('"$namespace"', '".*"')
    .replaceAll('"$server"', '".+"')
