// The shim: first process of the server's container. README.md is its contract. Nothing here but
// the choice of the command; what a command does is in the file of its name.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "copy.h"
#include "descriptors.h"
#include "exec.h"
#include "frame.h"
#include "probe.h"
#include "report.h"
#include "serve.h"

#ifndef SHIM_VERSION
#define SHIM_VERSION "unknown"
#endif

enum { EXIT_USAGE = 2 };

static int refuse_usage(const char *fault) {
  report_line("%s", fault);
  report_line("usage: shim copy DIR | serve --run DIR [flags] -- CMD ARGS... | "
              "exec [flags] -- CMD ARGS... | probe [--within SECONDS] PORT [PATH [HEADER]...] | "
              "version");
  return EXIT_USAGE;
}

static int copy(char **words) {
  if (words[0] == NULL || words[0][0] == '\0' || words[1] != NULL) {
    return refuse_usage("copy wants one directory");
  }
  return copy_run(words[0]);
}

static int serve(char **words) {
  struct serve_options options;
  const char *fault;
  if (!args_parse_serve(words, &options, &fault)) {
    report_line("serve: %s", fault);
    return refuse_usage("see README.md for the flags of serve");
  }
  report_open();
  writable_open(&options.writable);
  return serve_run(&options);
}

static int exec(char **words) {
  struct exec_options options;
  const char *fault;
  if (!args_parse_exec(words, &options, &fault)) {
    report_line("exec: %s", fault);
    return refuse_usage("see README.md for the flags of exec");
  }
  report_open();
  writable_open(&options.writable);
  return exec_run(&options);
}

static int probe(char **words) {
  struct probe_options options;
  const char *fault;
  if (!probe_parse(words, &options, &fault)) return refuse_usage(fault);
  return probe_run(&options);
}

static int version(char **words) {
  if (words[0] != NULL) return refuse_usage("version wants nothing more");
  return printf("shim %s (control protocol %d)\n", SHIM_VERSION, FRAME_VERSION) > 0 ? 0 : 1;
}

int main(int count, char **words) {
  if (descriptors_fill_standard() != 0) return 1;
  descriptors_close_all_but(NULL, 0);
  if (count < 2) return refuse_usage("a command is missing");
  if (strcmp(words[1], "copy") == 0) return copy(words + 2);
  if (strcmp(words[1], "serve") == 0) return serve(words + 2);
  if (strcmp(words[1], "exec") == 0) return exec(words + 2);
  if (strcmp(words[1], "probe") == 0) return probe(words + 2);
  if (strcmp(words[1], "version") == 0) return version(words + 2);
  return refuse_usage("an unknown command");
}
