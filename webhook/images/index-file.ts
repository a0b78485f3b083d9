// The image index as a file that a ConfigMap mounts, read again and again: its directory is swapped
// by a link, which no watch sees dependably. What cannot be read changes nothing, and is logged
// once: the last good index goes on. A file that is not there is an index without images.

import { EMPTY_INDEX, readImageIndex, type ImageIndex } from '../../shared/image-index.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'

export interface IndexFileOptions {
  readonly file: string
  /** The file's text; undefined where there is no such file. */
  readonly read: (file: string) => Promise<string | undefined>
  readonly log: Log
}

export class IndexFile {
  private readonly options: IndexFileOptions
  private index = EMPTY_INDEX
  /** The text, or the fault, that was seen last. */
  private seen: string | undefined

  constructor(options: IndexFileOptions) {
    this.options = options
  }

  current(): ImageIndex {
    return this.index
  }

  /** Reads the file; never throws. */
  async refresh(): Promise<void> {
    const { file, read, log } = this.options
    let text: string | undefined
    try {
      text = await read(file)
    } catch (error) {
      this.fault(`it cannot be read: ${messageOf(error)}`)
      return
    }
    if (text === this.seen) return
    const index = text === undefined ? undefined : readImageIndex(text)
    if (index?.ok === false) {
      this.fault(index.error.join('; '), text)
      return
    }
    this.seen = text
    this.index = index?.value ?? EMPTY_INDEX
    const { images, tags } = this.index
    const [imageCount, tagCount] = [Object.keys(images).length, Object.keys(tags).length]
    log.info('image index read', { file, images: imageCount, tags: tagCount })
  }

  private fault(error: string, text: string = error): void {
    if (text === this.seen) return
    this.seen = text
    const { file, log } = this.options
    log.error('the image index is not taken; the last good one goes on', { file, error })
  }
}
