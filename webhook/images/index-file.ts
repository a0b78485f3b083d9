// The image index as a file that a ConfigMap mounts. A file that is not there is an index without images.

import { EMPTY_INDEX, readImageIndex, type ImageIndex } from '../../shared/image-index.ts'
import { KeptFile, type KeptFileOptions } from '../../shared/kept-file.ts'
import { ok } from '../../shared/result.ts'

export const keepIndex = (
  from: Pick<KeptFileOptions<ImageIndex>, 'source' | 'log'>,
): KeptFile<ImageIndex> =>
  new KeptFile(
    {
      ...from,
      what: 'the image index',
      parse: (text) => (text === undefined ? ok(EMPTY_INDEX) : readImageIndex(text)),
      fields: ({ images, tags }) => ({
        images: Object.keys(images).length,
        tags: Object.keys(tags).length,
      }),
    },
    EMPTY_INDEX,
  )
