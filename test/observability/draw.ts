// The dashboard's panels as one SVG, laid out as the dashboard has them: lines, or areas upon each other, with their legend.

import type { Panel } from './dashboard.ts'

export interface Line {
  readonly name: string
  /** Seconds since 1970, and what was then. */
  readonly points: readonly (readonly [time: number, value: number])[]
}

export interface Drawn {
  readonly panel: Panel
  readonly lines: readonly Line[]
}

export interface Span {
  readonly from: number
  readonly to: number
}

const COLUMN = 60
const ROW = 28
const COLORS = [
  '#3274d9',
  '#e0752d',
  '#56a64b',
  '#8f3bb8',
  '#e02f44',
  '#00a3a3',
  '#b8860b',
  '#705da0',
]
/** Of a panel: its title, the place left of and below the lines. */
const [TITLE, LEFT, BELOW, LEGEND] = [30, 62, 18, 34]
const MAX_LEGEND = 6

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const SCALES: Readonly<Record<string, readonly (readonly [least: number, unit: string])[]>> = {
  bytes: [
    [2 ** 30, ' GiB'],
    [2 ** 20, ' MiB'],
    [2 ** 10, ' KiB'],
    [1, ' B'],
  ],
  Bps: [
    [2 ** 20, ' MiB/s'],
    [2 ** 10, ' KiB/s'],
    [1, ' B/s'],
  ],
  s: [
    [1, ' s'],
    [1e-3, ' ms'],
    [1e-6, ' µs'],
  ],
  reqps: [[1, ' /s']],
  cps: [[1, ' /s']],
}

/** A value in its unit, with three digits. */
export const told = (value: number, unit: string): string => {
  const scale = SCALES[unit] ?? [[1, '']]
  const [least = 1, name = ''] = scale.find(([at]) => Math.abs(value) >= at) ?? scale.at(-1) ?? []
  return value === 0 ? `0${name}` : `${Number((value / least).toPrecision(3))}${name}`
}

/** The least round number that is not below a value. */
export const roundUp = (value: number): number => {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power
}

/** Each line upon those before it. */
const upon = (lines: readonly Line[]): readonly Line[] => {
  const below = new Map<number, number>()
  return lines.map(({ name, points }) => ({
    name,
    points: points.map(([time, value]) => {
      const sum = (below.get(time) ?? 0) + value
      below.set(time, sum)
      return [time, sum] as const
    }),
  }))
}

const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${x}" y="${y}" ${more}>${escaped(words)}</text>`

interface Box {
  readonly width: number
  readonly height: number
}

const curves = ({ panel, lines }: Drawn, span: Span, { width, height }: Box): string => {
  const defaults = panel.fieldConfig?.defaults
  const isStacked = defaults?.custom?.stacking.mode === 'normal'
  const drawn = isStacked ? upon(lines) : lines
  const most = roundUp(
    Math.max(0, ...drawn.flatMap(({ points }) => points.map(([, value]) => value))),
  )
  const [wide, high] = [width - LEFT - 12, height - TITLE - BELOW - LEGEND]
  const x = (time: number): number => LEFT + ((time - span.from) / (span.to - span.from)) * wide
  const y = (value: number): number => TITLE + high - (value / most) * high
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * most).toFixed(1)
    const label = told(part * most, defaults?.unit ?? 'none')
    return `<path d="M${LEFT} ${at}h${wide}" class="grid"/>${text(LEFT - 6, Number(at) + 3, label, 'class="axis" text-anchor="end"')}`
  })
  const minutes = Array.from({ length: Math.floor((span.to - span.from) / 60) + 1 }, (_, minute) =>
    text(
      x(span.from + minute * 60),
      TITLE + high + 13,
      `${minute} min`,
      'class="axis" text-anchor="middle"',
    ),
  )
  // What stands upon others is drawn first, so that these stand before it.
  const paths = drawn
    .map(({ points }, index) => {
      const [first] = points
      const last = points.at(-1)
      if (!first || !last) return ''
      const way = points
        .map(([time, value]) => `${x(time).toFixed()} ${y(value).toFixed(1)}`)
        .join('L')
      const color = COLORS[index % COLORS.length] ?? ''
      const area = isStacked
        ? `<path d="M${way}L${x(last[0]).toFixed()} ${y(0)}H${x(first[0]).toFixed()}z" fill="${color}"/>`
        : ''
      return `${area}<path d="M${way}" fill="none" stroke="${color}" stroke-width="1.4"/>`
    })
    .toReversed()
  return [...grid, ...minutes, ...paths].join('')
}

const legend = (lines: readonly Line[], { width, height }: Box): string => {
  const shown = lines.slice(0, MAX_LEGEND)
  const column = (width - 24) / 3
  const more = lines.length > MAX_LEGEND ? ` (+${lines.length - MAX_LEGEND})` : ''
  return shown
    .map(({ name }, index) => {
      const [x, y] = [12 + (index % 3) * column, height - LEGEND + 14 + Math.floor(index / 3) * 14]
      const words = index === MAX_LEGEND - 1 ? `${name}${more}` : name
      const cut = words.length > column / 6 ? `${words.slice(0, column / 6 - 1)}…` : words
      return `<rect x="${x}" y="${y - 7}" width="8" height="8" fill="${COLORS[index % COLORS.length]}"/>${text(x + 12, y, cut, 'class="legend"')}`
    })
    .join('')
}

const tableOf = (lines: readonly Line[]): string =>
  lines.map(({ name }, index) => text(14, TITLE + 22 + index * 20, name, 'class="cell"')).join('')

const drawPanel = (drawn: Drawn, span: Span): string => {
  const { title, type, gridPos } = drawn.panel
  const [x, y] = [gridPos.x * COLUMN, gridPos.y * ROW]
  if (type === 'row') return text(x + 8, y + 20, title, 'class="row"')
  const box = { width: gridPos.w * COLUMN - 8, height: gridPos.h * ROW - 8 }
  const frame = `<rect width="${box.width}" height="${box.height}" rx="3" class="panel"/>`
  const heading = text(12, 20, title, 'class="title"')
  const inner =
    type === 'table' ? tableOf(drawn.lines) : curves(drawn, span, box) + legend(drawn.lines, box)
  return `<g transform="translate(${x + 4} ${y + 4})">${frame}${heading}${inner}</g>`
}

const STYLE =
  'text{font-family:system-ui,sans-serif;fill:#24292e}.title{font-size:13px;font-weight:600}.row{font-size:15px;font-weight:600}.axis{font-size:9px;fill:#6b7280}.legend{font-size:10px}.cell{font-size:12px}.panel{fill:#fff;stroke:#d8dde3}.grid{stroke:#eceff2}'

export const draw = (drawn: readonly Drawn[], span: Span): string => {
  const height = Math.max(...drawn.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h)) * ROW + 8
  const width = 24 * COLUMN
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><style>${STYLE}</style><rect width="${width}" height="${height}" fill="#f4f5f5"/>\n${drawn.map((one) => drawPanel(one, span)).join('\n')}\n</svg>\n`
}
