// `outrigger images add` as a subcommand: flags, the index that there is, and where the new one goes; and `images list`,
// which says what Outrigger itself consists of, for whoever mirrors it.

import {
  EMPTY_INDEX,
  mergeIndexes,
  PLATFORM,
  readImageIndex,
  writeImageIndex,
  type ImageIndex,
} from '../../shared/image-index.ts'
import { WEBHOOK_IMAGE } from '../../shared/own-images.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { connectImageStore, type ImageStore } from '../../webhook/kube/client.ts'
import { clusterBy } from '../command/cluster.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { parseNamespace } from '../command/namespace.ts'
import { readConfig } from '../command/read-config.ts'
import { verbIn } from '../command/verb.ts'
import { addImages, type Added } from './add.ts'
import { writeIndexManifest } from './config-map.ts'
import { readIndexFile } from './index-file.ts'
import { readerFor } from './reader.ts'

const FLAGS = {
  file: {
    short: 'f',
    value: 'FILE',
    doc: 'the index to begin with: a ConfigMap that this printed; - reads standard input',
  },
  apply: { doc: 'write to the cluster that KUBECONFIG names, beginning with the index there' },
  config: {
    value: 'FILE',
    doc: 'the cluster configuration, whose `registries` may be asked (default: the public ones)',
  },
  namespace: {
    short: 'n',
    value: 'NAME',
    doc: "the webhook's namespace",
    default: 'outrigger-system',
  },
  platform: {
    value: 'PLATFORM',
    doc: 'of a multi-arch image only this one, linux/amd64; may be given several times',
  },
} as const satisfies FlagTable

interface Flags {
  readonly verb: 'add' | 'list'
  readonly images: readonly string[]
  readonly file: string | undefined
  readonly apply: boolean
  readonly config: string | undefined
  readonly namespace: string
  readonly platforms: readonly string[]
}

const VERBS = ['add', 'list'] as const
const FORM = 'images add IMAGE, images list'
/** What `list` has no use for. */
const OF_ADD = ['file', 'apply', 'platform', 'namespace'] as const

/** What is wrong with the words and flags of a verb; undefined: nothing. */
const misuse = (
  verb: Flags['verb'],
  images: readonly string[],
  { texts, has }: Pick<Given, 'texts' | 'has'>,
): string | undefined => {
  if (verb === 'add') {
    return images.length === 0 ? 'say which images to read: images add IMAGE' : undefined
  }
  const [image] = images
  if (image !== undefined) return `list takes no ${JSON.stringify(image)}: it says what there is`
  const other = OF_ADD.find((name) => has(name) || texts(name).length > 0)
  return other === undefined ? undefined : `--${other} is for images add`
}

const readFlags = (given: Given): Result<Flags, string> => {
  const { words, text, texts, has } = given
  const [verb, ...images] = words
  const [file, apply, config] = [text('file'), has('apply'), text('config')]
  const platforms = texts('platform')
  const namespace = parseNamespace(text('namespace') ?? '')
  const known = verbIn(verb, VERBS, FORM)
  if (!known.ok) return known
  const wrong = misuse(known.value, images, given)
  if (wrong !== undefined) return fail(wrong)
  if (apply && file !== undefined) {
    return fail('--apply begins with the index in the cluster: leave -f out')
  }
  if (!namespace.ok) return namespace
  const odd = platforms.find((platform) => !PLATFORM.test(platform))
  return odd === undefined
    ? ok({ verb: known.value, images, file, apply, config, namespace: namespace.value, platforms })
    : fail(`--platform ${odd}: use a platform of Linux such as linux/arm64`)
}

/** The cluster's index; the error says what is wrong with the kubeconfig. */
const connect = ({ apply, namespace }: Flags, io: Io): Result<ImageStore | undefined, string> =>
  apply ? clusterBy(() => connectImageStore(namespace), io) : ok(undefined)

const MAX_TRIES = 5

/** Writes the additions into the cluster's ConfigMap; whoever writes meanwhile loses nothing. */
const applyTo = async (store: ImageStore, { added }: Added): Promise<Result<string, string>> => {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { text, version } = await store.read()
    const before = text === undefined ? ok(EMPTY_INDEX) : readImageIndex(text)
    if (!before.ok) return fail(`the index in the cluster: ${before.error.join('; ')}`)
    const after = writeImageIndex(mergeIndexes(before.value, added))
    if (!after.ok) return after
    if ((await store.write(after.value, version)) === 'written') return ok('')
  }
  return fail('somebody else wrote to the index at the same time, again and again; try again')
}

const clusterIndex = async (store: ImageStore): Promise<ImageIndex> => {
  const { text } = await store.read()
  const index = text === undefined ? ok(EMPTY_INDEX) : readImageIndex(text)
  return index.ok ? index.value : EMPTY_INDEX
}

const add = async (flags: Flags, io: Io): Promise<Result<string, readonly string[]>> => {
  const config = await readConfig(flags.config)
  if (!config.ok) return config
  const connected = connect(flags, io)
  if (!connected.ok) return fail([connected.error])
  const store = connected.value
  const before = store ? ok(await clusterIndex(store)) : await readIndexFile(flags.file)
  if (!before.ok) return before
  const reader = await readerFor(config.value, io)
  if (!reader.ok) return fail([reader.error])
  const { platforms, images, namespace } = flags
  const result = await addImages(images, before.value, { reader: reader.value, platforms })
  reader.value.close()
  if (!result.ok) return result
  const out = store
    ? await applyTo(store, result.value)
    : writeIndexManifest(mergeIndexes(before.value, result.value.added), namespace)
  if (!out.ok) return fail([out.error])
  for (const note of result.value.notes) tell(io, 'images', note)
  return out
}

/** Every image that Outrigger's own manifests run, a line each: the sidecar's as the configuration names it. */
const list = async ({ config }: Flags): Promise<Result<string, readonly string[]>> => {
  const read = await readConfig(config)
  return read.ok ? ok(`${WEBHOOK_IMAGE}\n${read.value.sidecar.image}\n`) : read
}

export const images = defineCommand({
  name: 'images',
  synopsis: '{add IMAGE...|list} [flags]',
  about: `add asks each image's registry for its ENTRYPOINT, CMD and USER (a name is looked up in the image's own
/etc/passwd) and prints the image index with them, a ConfigMap, or writes it into the cluster.
An image that cannot be read prints why, and nothing else, and exits with 1. list prints every image that Outrigger itself
runs, a line each, for a registry of one's own: the sidecar's as --config names it.`,
  flags: FLAGS,
  after:
    'Credentials are those of `docker login` (DOCKER_CONFIG, helpers too); each goes to its own registry only.',
  takesWords: true,
  cleansUp: false,
  readFlags,
  run: async (flags, io) => {
    const result = await (flags.verb === 'list' ? list(flags) : add(flags, io))
    if (result.ok) io.stdout(result.value)
    else for (const error of result.error) tell(io, 'images', error)
    return result.ok ? 0 : 1
  },
})
