// Reviews as nobody sends them: members gone, of another type, twice, nested, huge; bytes flipped, cut, doubled.

import { isList, isObject, type Json, type JsonObject } from '../../shared/json.ts'
import { chanceOf } from './chance.ts'

const EVERY = 2 ** 32

/** Numbers of 0 to below 1, the same ones for the same seed. */
export const randomBy = (seed: number): (() => number) => {
  const chance = chanceOf(seed)
  return () => chance(EVERY) / EVERY
}

const WORDS = [
  '',
  'true',
  'outrigger-sidecar',
  '__proto__',
  'constructor',
  'outrigger.dev/inject',
  'istio-proxy',
  'strict',
  '\u0000',
  '𝒳',
  '../..',
  '9'.repeat(30),
]

const pick = <T>(items: readonly T[], random: () => number): T | undefined =>
  items[Math.floor(random() * items.length)]

const strange = (random: () => number): Json =>
  pick<Json>(
    [null, true, 0, -1, 1e308, 2 ** 53 + 2, [], {}, [[]], { a: null }, 'x'.repeat(5000), ...WORDS],
    random,
  ) ?? null

const changedMember = (value: Json, random: () => number): Json => {
  const roll = random()
  if (roll < 0.4) return strange(random)
  if (roll < 0.5) return [value, value]
  if (roll < 0.6) return { value }
  return value
}

const damagedList = (list: readonly Json[], random: () => number, depth: number): Json => {
  const place = Math.floor(random() * list.length)
  const roll = random()
  if (list.length === 0 || roll < 0.05) return [...list, strange(random)]
  if (roll < 0.1) return list.filter((_, index) => index !== place)
  if (roll < 0.15) return [...list, list[place] ?? null]
  return list.map((item, index) => (index === place ? damaged(item, random, depth + 1) : item))
}

const damagedObject = (object: JsonObject, random: () => number, depth: number): Json => {
  const entries = Object.entries(object)
  const place = Math.floor(random() * entries.length)
  const roll = random()
  if (roll < 0.05) return { ...object, [pick(WORDS, random) ?? '']: strange(random) }
  if (roll < 0.1) return Object.fromEntries(entries.filter((_, index) => index !== place))
  const [name = '', item = null] = entries[place] ?? []
  const stops = roll < 0.1 + 0.05 * depth
  const changed = stops ? changedMember(item, random) : damaged(item, random, depth + 1)
  const renamed = roll > 0.97 ? (pick(WORDS, random) ?? '') : name
  return Object.fromEntries(
    entries.map((entry, index) => (index === place ? [renamed, changed] : entry)),
  )
}

/** The value with something in it changed: about one place, anywhere. */
const damaged = (value: Json, random: () => number, depth = 0): Json => {
  if (isList(value)) return damagedList(value, random, depth)
  if (isObject(value)) return damagedObject(value, random, depth)
  return random() < 0.9 ? strange(random) : value
}

const damagedBytes = (text: string, random: () => number): Buffer => {
  const bytes = Buffer.from(text)
  const place = Math.floor(random() * bytes.length)
  const roll = random()
  if (roll < 0.3) return bytes.subarray(0, place)
  if (roll < 0.6) {
    bytes[place] = Math.floor(random() * 256)
    return bytes
  }
  const end = Math.min(bytes.length, place + Math.floor(random() * 200))
  return Buffer.concat([bytes.subarray(0, end), bytes.subarray(place)])
}

/** One of the reviews, damaged. */
export const damagedReview = (reviews: readonly JsonObject[], random: () => number): Buffer => {
  let review: Json = pick(reviews, random) ?? {}
  const changes = 1 + Math.floor(random() * 4)
  for (let change = 0; change < changes; change += 1) review = damaged(review, random)
  const text = JSON.stringify(review)
  return random() < 0.2 ? damagedBytes(text, random) : Buffer.from(text)
}
