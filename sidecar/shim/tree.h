// Removes a directory and all that a hostile owner of the same uid may have built in it: any depth,
// any mode, links. Follows no link, uses bounded memory and descriptors, and gives up in time.
#ifndef SHIM_TREE_H
#define SHIM_TREE_H

#include <stdint.h>

// Removes `name` in the directory `parent`; 0 once it is gone, -1 where something is left.
int tree_remove(int parent, const char *name, uint64_t give_up_at_ms);

// Removes all that is in a directory, of which a descriptor may be one that cannot be read by.
void tree_empty(int directory, uint64_t give_up_at_ms);

#endif
