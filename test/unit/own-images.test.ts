// Our own images stand in one place; whatever else names them is held to it.

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { objectAt, objectsAt, stringAt } from '../../shared/json.ts'
import { VERSION } from '../../shared/names.ts'
import { SIDECAR_IMAGE, WEBHOOK_IMAGE } from '../../shared/own-images.ts'
import { kustomization, objects, one, read, ROOT } from '../support/shipped-manifests.ts'

const nameOf = (image: string): string => image.split(':')[0] ?? ''

test('kustomize gives the webhook the image of the list', () => {
  const pod = objectAt(one('Deployment'), 'spec', 'template', 'spec')
  const names = objectsAt(pod, 'containers').map((container) => stringAt(container, 'image'))
  const images = objectsAt(kustomization('base'), 'images')
  expect(names).toEqual([nameOf(WEBHOOK_IMAGE)])
  const [name, newTag] = WEBHOOK_IMAGE.split(':')
  expect(images).toEqual([{ name, newTag }])
})

test('so does the chart', () => {
  const [chart] = objects('base/Chart.yaml')
  const [values] = objects('base/values.yaml')
  expect(objectAt(values, 'image')).toMatchObject({ repository: nameOf(WEBHOOK_IMAGE), tag: '' })
  expect(stringAt(chart, 'appVersion')).toBe(VERSION)
})

test.each(['base/config.yaml', 'overlays/dev/config.yaml'])(
  '%s names the sidecar of the list',
  (path) => {
    const config: unknown = parse(read(path))
    expect(config).toMatchObject({ sidecar: { image: SIDECAR_IMAGE } })
  },
)

test('no other image stands in the manifests, but those of the examples', () => {
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  const found = files
    .filter((file) => file.endsWith('.yaml') && !file.startsWith('examples/'))
    .flatMap((file) =>
      [...read(file).matchAll(/^ *(?:- )?image: *(\S+)$/gm)].map(([, name]) => name),
    )
  expect(new Set(found)).toEqual(new Set([nameOf(WEBHOOK_IMAGE), SIDECAR_IMAGE]))
})

test.each([
  ['webhook', WEBHOOK_IMAGE],
  ['sidecar', SIDECAR_IMAGE],
])('the README builds the image of the %s by that name', (program, image) => {
  const readme = readFileSync(new URL('../README.md', ROOT), 'utf8')
  expect(readme).toContain(`docker build -f Dockerfile.${program} -t ${image} .`)
})
