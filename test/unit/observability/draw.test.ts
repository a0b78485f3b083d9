// The picture of the dashboard: values in their unit, axes, and lines where they belong.

import { expect, test } from '@jest/globals'
import { readPanels } from '../../observability/dashboard.ts'
import { draw, roundUp, told } from '../../observability/draw.ts'

test.each([
  [0, 's', '0 µs'],
  [0.0125, 's', '12.5 ms'],
  [61, 's', '61 s'],
  [0.00001, 's', '10 µs'],
  [1536, 'bytes', '1.5 KiB'],
  [3 * 2 ** 30, 'bytes', '3 GiB'],
  [2.5, 'reqps', '2.5 /s'],
  [12.3456, 'none', '12.3'],
  [7, 'another', '7'],
])('%p in %s is %s', (value, unit, words) => {
  expect(told(value, unit)).toBe(words)
})

test.each([
  [0, 1],
  [0.3, 0.5],
  [1, 1],
  [1.1, 2],
  [60, 100],
  [Number.NaN, 1],
])('an axis for %p ends at %p', (value, end) => {
  expect(roundUp(value)).toBe(end)
})

test('every panel is there, with its lines and their names', () => {
  const panels = readPanels()
  const line = { name: 'a <b> & c', points: [[0, 1], [60, 2]] as const } // prettier-ignore
  const drawn = panels.map((panel) => ({ panel, lines: panel.type === 'row' ? [] : [line] }))
  const svg = draw(drawn, { from: 0, to: 60 })
  for (const { title } of panels) expect(svg).toContain(title)
  expect(svg.split('a &lt;b&gt; &amp; c')).toHaveLength(
    panels.filter(({ type }) => type !== 'row').length + 1,
  )
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
})

test('of a line without points there is its name alone', () => {
  const [, panel] = readPanels()
  if (!panel) throw new Error('no panel')
  const svg = draw([{ panel, lines: [{ name: 'none yet', points: [] }] }], { from: 0, to: 60 })
  expect(svg).toContain('none yet')
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
})
