// See tree.h. A tree is made flat instead of walked: directories found inside a subdirectory are
// moved up to the top, so that nothing is ever deeper than two levels and depth costs nothing.
#include "tree.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

struct entry {
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

struct removal {
  int top;
  unsigned moved;
  uint64_t give_up_at_ms;
};

typedef void visit(struct removal *removal, int directory, const char *name);

static int open_directory(int parent, const char *name) {
  // Its owner may have taken away its own rights; the name can't be a link, for those unlink.
  (void)!fchmodat(parent, name, 0700, 0);
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Visits what the directory lists now; the number of entries seen.
static unsigned visit_all(struct removal *removal, int directory, visit *visitor) {
  union {
    struct entry entry;
    char bytes[4096];
  } buffer;
  unsigned seen = 0;
  lseek(directory, 0, SEEK_SET);
  long length;
  while ((length = syscall(SYS_getdents64, directory, buffer.bytes, sizeof buffer.bytes)) > 0) {
    for (long at = 0; at < length;) {
      struct entry head;
      memcpy(&head, buffer.bytes + at, offsetof(struct entry, name));
      const char *name = buffer.bytes + at + offsetof(struct entry, name);
      at += head.size;
      if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
      seen++;
      visitor(removal, directory, name);
      if (clock_now_ms() >= removal->give_up_at_ms) return seen;
    }
  }
  return seen;
}

static bool remove_simple(int directory, const char *name) {
  return unlinkat(directory, name, 0) == 0 || unlinkat(directory, name, AT_REMOVEDIR) == 0;
}

static void remove_or_raise(struct removal *removal, int directory, const char *name) {
  if (remove_simple(directory, name)) return;
  char raised[32];
  snprintf(raised, sizeof raised, ".raised-%u", removal->moved++);
  // Moving a directory writes to it.
  (void)!fchmodat(directory, name, 0700, 0);
  renameat(directory, name, removal->top, raised);
}

static void remove_top_entry(struct removal *removal, int directory, const char *name) {
  if (remove_simple(directory, name)) return;
  const int child = open_directory(directory, name);
  if (child < 0) return;
  visit_all(removal, child, remove_or_raise);
  close(child);
  unlinkat(directory, name, AT_REMOVEDIR);
}

static void clear(int top, uint64_t give_up_at_ms) {
  struct removal removal = {.top = top, .give_up_at_ms = give_up_at_ms};
  if (top < 0) return;
  while (visit_all(&removal, top, remove_top_entry) > 0) {
    if (clock_now_ms() >= give_up_at_ms) break;
  }
  close(top);
}

int tree_remove(int parent, const char *name, uint64_t give_up_at_ms) {
  if (unlinkat(parent, name, 0) == 0) return 0;
  clear(open_directory(parent, name), give_up_at_ms);
  return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : -1;
}

void tree_empty(int directory, uint64_t give_up_at_ms) {
  clear(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), give_up_at_ms);
}
