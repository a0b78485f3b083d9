// Images made of static programs and nothing else: busybox (every pod's first container, and a
// shell for client pods), agnhost (HTTP, TCP and UDP clients and servers), CoreDNS.

import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../machine/run.ts'
import { packImage, type ImageConfig } from './archive.ts'

/** Packs an image whose root is filled by `fill`. */
export const packRoot = async (
  archive: string,
  name: string,
  config: ImageConfig,
  fill: (root: string) => Promise<void>,
): Promise<void> => {
  const root = mkdtempSync(join(tmpdir(), 'outrigger-image-'))
  try {
    chmodSync(root, 0o755)
    await fill(root)
    await packImage(archive, name, root, config)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** An image of one static program at /NAME, with the few files that programs look for. */
export const packBinary = (
  archive: string,
  name: string,
  program: { readonly file: string; readonly as: string },
  config: Omit<ImageConfig, 'entrypoint'> = {},
): Promise<void> =>
  packRoot(archive, name, { ...config, entrypoint: [`/${program.as}`] }, async (root) => {
    copyFileSync(program.file, join(root, program.as))
    chmodSync(join(root, program.as), 0o755)
    mkdirSync(join(root, 'etc'))
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:\nnonroot:x:65532:65532::/:\n')
    mkdirSync(join(root, 'tmp'))
    chmodSync(join(root, 'tmp'), 0o1777)
  })

/** busybox and the names of all its applets. */
export const packBusybox = (archive: string, name: string): Promise<void> =>
  packRoot(archive, name, { entrypoint: ['/bin/sleep', '2147483647'] }, async (root) => {
    mkdirSync(join(root, 'bin'))
    mkdirSync(join(root, 'tmp'))
    chmodSync(join(root, 'tmp'), 0o1777)
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
    const applets = await run(['/bin/busybox', '--list'])
    for (const applet of applets.trim().split('\n')) {
      if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet))
    }
  })
