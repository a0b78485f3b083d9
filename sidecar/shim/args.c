// See args.h.
#include "args.h"

#include <stddef.h>
#include <string.h>

// DIR/control must fit into a socket address (108 bytes).
enum { MAX_RUN_DIR_LENGTH = 96 };

struct number_flag {
  const char *name;
  uint32_t least;
  uint32_t most;
  size_t offset;
  const char *fault;
};

static const struct number_flag NUMBERS[] = {
    {"--max-processes", 1, 1024, offsetof(struct serve_options, max_processes),
     "--max-processes wants a whole number from 1 to 1024"},
    {"--spawn-rate", 1, 10000, offsetof(struct serve_options, spawn_rate),
     "--spawn-rate wants a whole number from 1 to 10000"},
    {"--grace", 0, 86400, offsetof(struct serve_options, grace_seconds),
     "--grace wants whole seconds from 0 to 86400"},
};

bool args_parse_number(const char *text, uint32_t least, uint32_t most, uint32_t *number) {
  const size_t length = text == NULL ? 0 : strlen(text);
  if (length < 1 || length > 9) return false;
  uint32_t value = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (uint32_t)(text[i] - '0');
  }
  *number = value;
  return value >= least && value <= most;
}

static const char *add_writable(struct writable *writable, const char *path) {
  if (path == NULL || path[0] != '/') return "--writable wants an absolute path";
  if (writable->count == WRITABLE_MAX) return "--writable is there more than 128 times";
  writable->paths[writable->count++] = path;
  return NULL;
}

// Takes one flag about files; the number of words used, 0 where it is none.
static int parse_writable(char **words, struct writable *writable, const char **fault) {
  if (strcmp(words[0], "--writable") == 0) {
    *fault = add_writable(writable, words[1]);
    return 2;
  }
  if (strcmp(words[0], "--files") != 0) return 0;
  writable->rule = WRITABLE_ANYWHERE;
  if (words[1] != NULL && strcmp(words[1], "require") == 0) writable->rule = WRITABLE_REQUIRED;
  if (words[1] != NULL && strcmp(words[1], "advisory") == 0) writable->rule = WRITABLE_ADVISORY;
  if (writable->rule == WRITABLE_ANYWHERE) *fault = "--files wants require or advisory";
  return 2;
}

static const char *writable_fault(const struct writable *writable) {
  const bool is_any = writable->rule == WRITABLE_ANYWHERE;
  return is_any && writable->count > 0 ? "--writable goes with --files" : NULL;
}

// Takes a flag that has a value; the number of words used, 0 where it is none of these.
static int parse_valued(char **words, struct serve_options *options, const char **fault) {
  if (strcmp(words[0], "--run") == 0) {
    options->run_dir = words[1];
    if (words[1] == NULL) *fault = "--run wants a directory";
    return 2;
  }
  if (strcmp(words[0], "--homes") == 0) {
    options->homes = words[1];
    if (words[1] == NULL || words[1][0] != '/') *fault = "--homes wants an absolute directory";
    return 2;
  }
  if (strcmp(words[0], "--memory-events") == 0) {
    options->memory_events = words[1];
    if (words[1] == NULL) *fault = "--memory-events wants a file";
    return 2;
  }
  for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
    if (strcmp(words[0], NUMBERS[i].name) != 0) continue;
    uint32_t number = 0;
    if (!args_parse_number(words[1], NUMBERS[i].least, NUMBERS[i].most, &number)) {
      *fault = NUMBERS[i].fault;
    }
    memcpy((char *)options + NUMBERS[i].offset, &number, sizeof number);
    return 2;
  }
  return parse_writable(words, &options->writable, fault);
}

static const char *command_fault(char **command) {
  if (command == NULL) return "-- CMD is missing";
  return command[0] == NULL || command[0][0] == '\0' ? "the command is empty" : NULL;
}

static const char *run_dir_fault(const char *run_dir) {
  if (run_dir[0] != '/') return "--run wants an absolute directory";
  if (strlen(run_dir) > MAX_RUN_DIR_LENGTH) return "--run wants a directory of at most 96 bytes";
  return NULL;
}

static const char *missing(const struct serve_options *options) {
  if (options->run_dir == NULL) return "--run DIR is missing";
  const char *fault = run_dir_fault(options->run_dir);
  if (fault == NULL) fault = writable_fault(&options->writable);
  return fault != NULL ? fault : command_fault(options->command);
}

bool args_parse_serve(char **words, struct serve_options *options, const char **fault) {
  *options = (struct serve_options){.max_processes = 64, .spawn_rate = 50, .grace_seconds = 30};
  *fault = NULL;
  while (*words != NULL && *fault == NULL) {
    if (strcmp(*words, "--") == 0) {
      options->command = words + 1;
      break;
    }
    const int used = parse_valued(words, options, fault);
    if (used > 0) {
      words += used;
      continue;
    }
    if (strcmp(*words, "--keep-home") == 0) {
      options->keep_home = true;
    } else if (strcmp(*words, "--once") == 0) {
      options->once = true;
    } else if (strcmp(*words, "--quiet") == 0) {
      options->quiet = true;
    } else {
      *fault = "an unknown flag";
    }
    words++;
  }
  if (*fault == NULL) *fault = missing(options);
  return *fault == NULL;
}

// CONFINEMENT_OFF where it is no mode.
static enum confinement_mode parse_egress(const char *word) {
  if (word == NULL) return CONFINEMENT_OFF;
  if (strcmp(word, "observe") == 0) return CONFINEMENT_OBSERVE;
  return strcmp(word, "enforce") == 0 ? CONFINEMENT_ENFORCE : CONFINEMENT_OFF;
}

// Takes one flag of exec's; the number of words used, 0 where it is none.
static int parse_exec_flag(char **words, struct exec_options *options, const char **fault) {
  if (strcmp(words[0], "--loopback") == 0) {
    options->loopback = true;
    return 1;
  }
  if (strcmp(words[0], "--egress") == 0) {
    options->egress = parse_egress(words[1]);
    if (options->egress == CONFINEMENT_OFF) *fault = "--egress wants observe or enforce";
    return 2;
  }
  if (strcmp(words[0], "--run") == 0) {
    options->run_dir = words[1];
    *fault = words[1] == NULL ? "--run wants a directory" : run_dir_fault(words[1]);
    return 2;
  }
  if (strcmp(words[0], "--grace") == 0) {
    if (!args_parse_number(words[1], 0, 86400, &options->grace_seconds)) {
      *fault = "--grace wants whole seconds from 0 to 86400";
    }
    return 2;
  }
  return parse_writable(words, &options->writable, fault);
}

bool args_parse_exec(char **words, struct exec_options *options, const char **fault) {
  *options = (struct exec_options){.grace_seconds = 30};
  *fault = NULL;
  while (*words != NULL && *fault == NULL) {
    if (strcmp(*words, "--") == 0) {
      options->command = words + 1;
      break;
    }
    const int used = parse_exec_flag(words, options, fault);
    if (used == 0) *fault = "an unknown flag";
    words += used;
  }
  if (*fault == NULL) *fault = writable_fault(&options->writable);
  if (*fault == NULL) *fault = command_fault(options->command);
  return *fault == NULL;
}
