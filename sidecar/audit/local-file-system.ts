// File systems whose writes end in this machine's memory: none of them waits for a network or another program. By the
// kernel's numbers (statfs(2)); on any other, writes are a thread's business. Pure.

const LOCAL: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0xf2f52010, // f2fs
  0x2fc12fc1, // zfs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
])

/** `type`: of the file system, as statfs(2) gives it. */
export const isLocal = (type: number): boolean => LOCAL.has(type)
