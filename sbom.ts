// What a program's bundles are made of, as CycloneDX: the packages of which they really hold something, by the lock file.
// npm's own list is of no use here: `npm sbom --omit dev` leaves out what something of development needs as well (jose,
// express, zod). No time and no random number stands in it, so that the same sources give the same bytes.

import { readFileSync, writeFileSync } from 'node:fs'
import type { Metafile } from 'esbuild'
import { objectAt, stringAt, type JsonObject } from './shared/json.ts'
import { VERSION } from './shared/names.ts'

// The modules may lie elsewhere and be linked to; packages may hold further ones.
const PACKAGE = /(?:^|\/)(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)/

/** Where the packages lie whose code came through, as the lock file names the places. */
const placesIn = (made: readonly Metafile[]): readonly string[] => {
  const inputs = made
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap((output) => Object.entries(output.inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return [...new Set(inputs.flatMap(([file]) => PACKAGE.exec(file)?.[1] ?? []))].sort()
}

const licencesOf = (text: string | undefined): readonly JsonObject[] => {
  if (text === undefined) return []
  return /[ ()]/.test(text) ? [{ expression: text }] : [{ license: { id: text } }]
}

/** One package of the lock file; what is not in there was not installed by it, and nothing is built of it. */
const componentOf = (lock: JsonObject, place: string): JsonObject => {
  const entry = objectAt(lock, 'packages', place)
  const version = stringAt(entry, 'version')
  const [algorithm, digest] = stringAt(entry, 'integrity')?.split('-', 2) ?? []
  if (version === undefined || algorithm !== 'sha512' || digest === undefined) {
    throw new Error(`package-lock.json does not say what ${place} is`)
  }
  const name = stringAt(entry, 'name') ?? place.replace(/^.*node_modules\//, '')
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }],
    licenses: licencesOf(stringAt(entry, 'license')),
    purl,
  }
}

/** Each version once, wherever and however often it lies. */
const componentsOf = (lock: JsonObject, made: readonly Metafile[]): readonly JsonObject[] => [
  ...new Map(
    placesIn(made)
      .map((place) => componentOf(lock, place))
      .map((one) => [stringAt(one, 'purl'), one]),
  ).values(),
]

/** Writes dist/PROGRAM.cdx.json, which image.ts completes by what the image has of its base. */
export const writeBill = (program: string, made: readonly Metafile[]): void => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  const name = `outrigger-${program}`
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: {
        type: 'container',
        'bom-ref': name,
        name,
        version: VERSION,
        licenses: licencesOf('Apache-2.0'),
      },
    },
    components: componentsOf(lock, made),
  }
  writeFileSync(`dist/${program}.cdx.json`, `${JSON.stringify(bill, null, 2)}\n`)
}
