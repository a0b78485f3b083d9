// See environment.h.
#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "home.h"
#include "token.h"

extern char **environ;

// A list of options, of which the last counts: what a container says of them is no reason to drop ours.
static const char LISTED[] = "JDK_JAVA_OPTIONS";

struct private_variable {
  const char *key;
  const char *below;
  // Set even where the environment has a good one.
  bool always;
};

static const struct private_variable PRIVATE[] = {
    {.key = "TMPDIR", .below = "/tmp", .always = true},
    {.key = "HOME", .below = "/home"},
    {.key = "XDG_CACHE_HOME", .below = "/home/.cache"},
    {.key = "npm_config_cache", .below = "/home/.npm"},
    {.key = "UV_CACHE_DIR", .below = "/home/.cache/uv"},
};

enum { PRIVATE_COUNT = sizeof PRIVATE / sizeof *PRIVATE, LINE_BYTES = HOME_PATH_BYTES + 48 };

int environment_open(struct environment *environment) {
  size_t own = 0;
  while (environ[own] != NULL) own++;
  environment->count = 0;
  environment->joined = NULL;
  environment->capacity = own + FRAME_MAX_VARIABLES + PRIVATE_COUNT + 2;
  environment->lines = calloc(environment->capacity, sizeof *environment->lines);
  return environment->lines == NULL ? -1 : 0;
}

void environment_close(struct environment *environment) {
  free(environment->joined);
  free(environment->lines);
  environment->joined = NULL;
  environment->lines = NULL;
}

static size_t key_length(const char *line) {
  return strcspn(line, "=");
}

static bool has_key(const char *line, const char *key, size_t length) {
  return key_length(line) == length && strncmp(line, key, length) == 0;
}

// The line, and behind a space the value of the other; the line alone where there is no memory.
static char *join(struct environment *environment, char *line, const char *other) {
  const char *value = other + key_length(other);
  char *joined = NULL;
  if (*value == '\0' || asprintf(&joined, "%s %s", line, value + 1) < 0) return line;
  free(environment->joined);
  environment->joined = joined;
  return joined;
}

// Replaces the line with the same key, or adds it.
static void put(struct environment *environment, char *line) {
  const size_t length = key_length(line);
  for (size_t i = 0; i < environment->count; i++) {
    char *other = environment->lines[i];
    if (!has_key(other, line, length)) continue;
    const bool is_listed = has_key(line, LISTED, sizeof LISTED - 1);
    environment->lines[i] = is_listed ? join(environment, line, other) : line;
    return;
  }
  if (environment->count + 1 >= environment->capacity) return;
  environment->lines[environment->count++] = line;
}

const char *environment_value(const struct environment *environment, const char *key) {
  const size_t length = strlen(key);
  for (size_t i = 0; i < environment->count; i++) {
    if (has_key(environment->lines[i], key, length) && environment->lines[i][length] == '=') {
      return environment->lines[i] + length + 1;
    }
  }
  return NULL;
}

// Whether files can be made at this place: it, or the nearest directory above it that exists.
static bool is_writable_place(const char *path) {
  char place[1024];
  if (path[0] != '/' || strlen(path) >= sizeof place) return false;
  snprintf(place, sizeof place, "%s", path);
  while (access(place, F_OK) != 0) {
    char *slash = strrchr(place, '/');
    if (slash == NULL || slash == place) return access("/", W_OK | X_OK) == 0;
    *slash = '\0';
  }
  return access(place, W_OK | X_OK) == 0;
}

static bool may_write(const struct writable *writable, const char *place) {
  return is_writable_place(place) && writable_has(writable, place);
}

static void put_private(struct environment *environment, const struct environment_places *places) {
  static char lines[PRIVATE_COUNT][LINE_BYTES];
  bool wanted[PRIVATE_COUNT];
  // All are judged before any is set: a cache under a private HOME would always be writable.
  for (size_t i = 0; i < PRIVATE_COUNT; i++) {
    const char *value = environment_value(environment, PRIVATE[i].key);
    const bool is_good = value != NULL && may_write(places->writable, value);
    wanted[i] = PRIVATE[i].always || (!places->keep_home && !is_good);
  }
  for (size_t i = 0; i < PRIVATE_COUNT; i++) {
    if (!wanted[i]) continue;
    snprintf(lines[i], LINE_BYTES, "%s=%s%s", PRIVATE[i].key, places->home, PRIVATE[i].below);
    put(environment, lines[i]);
  }
}

// Passed on as they are, even with a key twice; searching each of hundreds would take milliseconds.
void environment_build_own(struct environment *environment) {
  environment->count = 0;
  for (char **line = environ; *line != NULL; line++)
    environment->lines[environment->count++] = *line;
  environment->lines[environment->count] = NULL;
}

void environment_overlay(struct environment *environment, char *lines, size_t bytes) {
  for (size_t at = 0; at < bytes; at += strlen(lines + at) + 1) put(environment, lines + at);
  environment->lines[environment->count] = NULL;
}

static void put_token_place(struct environment *environment,
                            const struct environment_places *places) {
  static char line[LINE_BYTES];
  if (!places->has_token) return;
  snprintf(line, sizeof line, TOKEN_VARIABLE "=%s" TOKEN_BELOW, places->home);
  put(environment, line);
}

void environment_build(struct environment *environment, char *request, size_t request_bytes,
                       const struct environment_places *places) {
  environment_build_own(environment);
  for (size_t at = 0; at < request_bytes; at += strlen(request + at) + 1) {
    put(environment, request + at);
  }
  put_private(environment, places);
  put_token_place(environment, places);
  environment->lines[environment->count] = NULL;
}
