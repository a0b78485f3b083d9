// The layers that the images of existing Deployments are made of, packed once and kept in the cache.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOfFile, packLayer } from './archive.ts'
import { once } from './once.ts'
import { RECIPES, type LayerSources, type Recipe } from './recipes.ts'

export interface Layer {
  readonly file: string
  readonly digest: string
}

export type LayerName = keyof typeof RECIPES

/** A layer's archive; made unless it is in the cache. */
export const layerOf = async (name: LayerName, sources: LayerSources): Promise<Layer> => {
  const recipe: Recipe = RECIPES[name]
  const key = createHash('sha256').update(recipe.from(sources).join('\n')).digest('hex')
  const place = join(sources.cache, 'layers', `${name}-${key.slice(0, 12)}`)
  const made = await once(place, async (aside) => {
    const root = join(aside, 'root')
    mkdirSync(root)
    await recipe.fill(root, sources)
    const file = join(aside, 'layer.tar')
    await packLayer(root, file)
    rmSync(root, { recursive: true })
    writeFileSync(join(aside, 'digest'), await digestOfFile(file))
  })
  return { file: join(made, 'layer.tar'), digest: readFileSync(join(made, 'digest'), 'utf8') }
}
