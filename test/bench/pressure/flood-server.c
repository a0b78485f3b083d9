// The server of the pressure bench: it answers by what the tool is called. It trusts its input to be a line of JSON
// with our number as the first "id"; it is a load, not an example.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER = 14 * 1000 * 1000, LINE = 16 * 1024 * 1024 - 1024, NOTICE = 1024, HEAD = 256 };

static char filler[65536];

static void put(const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t wrote = write(STDOUT_FILENO, bytes, length);
    if (wrote < 0) exit(0);
    bytes += wrote;
    length -= (size_t)wrote;
  }
}

static void put_text(const char *text) {
  put(text, strlen(text));
}

static void fill(size_t length) {
  for (size_t part; length > 0; length -= part) {
    part = length < sizeof filler ? length : sizeof filler;
    put(filler, part);
  }
}

static void notice(const char *method, size_t length) {
  put_text("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/");
  put_text(method);
  put_text("\",\"params\":{\"data\":\"");
  fill(length);
  put_text("\"}}\n");
}

// What says what is asked stands at the beginning, before what is long.
static void answer(char *line) {
  if (strlen(line) > HEAD) line[HEAD] = '\0';
  const char *id = strstr(line, "\"id\":");
  if (id == NULL || strstr(line, "\"method\":") == NULL) return;
  if (strstr(line, "\"announce\"") != NULL) notice("tools/list_changed", NOTICE);
  while (strstr(line, "\"endless\"") != NULL) notice("message", LINE);
  char head[128];
  snprintf(head, sizeof head, "{\"jsonrpc\":\"2.0\",\"id\":%ld,\"result\":{",
           strtol(id + 5, NULL, 10));
  put_text(head);
  if (strstr(line, "\"initialize\"") != NULL) {
    put_text("\"protocolVersion\":\"");
    put_text(strstr(line, "2025-03-26") != NULL ? "2025-03-26" : "2025-06-18");
    put_text(
        "\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"flood\",\"version\":\"1\"}");
  } else if (strstr(line, "\"large\"") != NULL) {
    put_text("\"content\":[{\"type\":\"text\",\"text\":\"");
    fill(ANSWER);
    put_text("\"}]");
  }
  put_text("}}\n");
}

int main(void) {
  char *line = NULL;
  size_t size = 0;
  memset(filler, 'x', sizeof filler);
  while (getline(&line, &size, stdin) > 0) answer(line);
  return 0;
}
