// What lies in the shared folder about who the shim is: `proof`, what we leave for the first who looks there, which he empties; and
// `known`, by which we know the shim again after a restart, which nobody else can read or write. Both are ours from our first
// start on, before the server's container has run, so that nobody can put his own there. Fails closed: where somebody has, it throws.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'

const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
const OUR_OWN = 0o600
/** Whoever takes what is in it empties it. */
const FOR_ANYBODY = 0o666
const MOST_BYTES = 256

const openOwn = (path: string, mode: number): number => {
  const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, OUR_OWN)
  const stat = fstatSync(fd)
  if (stat.isFile() && stat.uid === process.geteuid?.()) {
    fchmodSync(fd, mode)
    return fd
  }
  closeSync(fd)
  throw new Error(`${path} is somebody else's`)
}

const replace = (fd: number, text: string): void => {
  writeSync(fd, text, 0)
  ftruncateSync(fd, Buffer.byteLength(text))
}

const beginning = (fd: number): string => {
  const bytes = Buffer.alloc(MOST_BYTES)
  return bytes.toString('latin1', 0, readSync(fd, bytes, 0, MOST_BYTES, 0))
}

export class ProofFiles {
  private readonly proof: number
  private readonly known: number

  /** Throws where either is not ours. */
  constructor(folder: string) {
    this.known = openOwn(`${folder}/known`, OUR_OWN)
    try {
      this.proof = openOwn(`${folder}/proof`, FOR_ANYBODY)
    } catch (error) {
      closeSync(this.known)
      throw error
    }
  }

  /** What was kept last; empty at first. */
  read(): string {
    return beginning(this.known)
  }

  /** Always of one length, so that it is there whole or not at all. */
  keep(text: string): void {
    replace(this.known, text)
  }

  offer(text: string): void {
    replace(this.proof, text)
  }

  withdraw(): void {
    ftruncateSync(this.proof, 0)
  }

  /** Whether what was offered lies there still: nobody has taken it, nor written over it. */
  isLeft(text: string): boolean {
    return beginning(this.proof) === text
  }

  close(): void {
    closeSync(this.known)
    closeSync(this.proof)
  }
}
