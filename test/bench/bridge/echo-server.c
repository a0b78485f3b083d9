// The server that every contender of the bridge bench runs: MCP over stdio, one tool that gives back
// its arguments. In C so that the children, who share the machine with what is measured, cost next to
// nothing. It trusts its input to be JSON; it is a load, not an example. Its argument says which era alone it speaks; without
// one it speaks both.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct span {
  const char *at;
  size_t length;
};

struct buffer {
  char *bytes;
  size_t length;
  size_t size;
};

static struct buffer input, output;
static int initialized;
static int is_legacy = 1, is_modern = 1;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void reserve(struct buffer *buffer, size_t more) {
  if (buffer->length + more <= buffer->size) return;
  buffer->size = 2 * (buffer->length + more);
  buffer->bytes = realloc(buffer->bytes, buffer->size);
  if (buffer->bytes == NULL) die("echo-server: realloc");
}

static void put(struct span span) {
  reserve(&output, span.length);
  memcpy(output.bytes + output.length, span.at, span.length);
  output.length += span.length;
}

static void put_text(const char *text) {
  put((struct span){text, strlen(text)});
}

static void flush(void) {
  for (size_t done = 0; done < output.length;) {
    ssize_t wrote = write(STDOUT_FILENO, output.bytes + done, output.length - done);
    if (wrote < 0) die("echo-server: write");
    done += (size_t)wrote;
  }
  output.length = 0;
}

// All of the following move through text that ends with a newline, outside of which nothing is read.

static const char *skip_space(const char *at) {
  while (*at == ' ' || *at == '\t') at++;
  return at;
}

static const char *skip_string(const char *at) {
  for (at++;; at++) {
    at += strcspn(at, "\"\\\n");
    if (*at == '\n') return at;
    if (*at == '"') return at + 1;
    at++;
  }
}

static const char *skip_value(const char *at) {
  if (*at == '"') return skip_string(at);
  if (*at != '{' && *at != '[') return at + strcspn(at, ",]} \t\n");
  int depth = 0;
  do {
    if (*at == '"') {
      at = skip_string(at);
      continue;
    }
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    at++;
  } while (depth > 0 && *at != '\n');
  return at;
}

struct field {
  const char *name;
  struct span value;
};

// Fills in the values of those fields that the object has, in one pass over it.
static void members(struct span object, struct field *fields, size_t count) {
  const char *at = object.at;
  const char *end = object.at + object.length;
  if (object.length == 0 || *at != '{') return;
  for (at = skip_space(at + 1); at < end && *at == '"'; at = skip_space(at + 1)) {
    const char *key = at + 1;
    at = skip_string(at);
    size_t length = (size_t)(at - 1 - key);
    at = skip_space(skip_space(at) + 1);
    const char *value = at;
    at = skip_value(at);
    for (size_t index = 0; index < count; index++) {
      const char *name = fields[index].name;
      if (strlen(name) == length && memcmp(key, name, length) == 0)
        fields[index].value = (struct span){value, (size_t)(at - value)};
    }
    at = skip_space(at);
  }
}

static struct span member(struct span object, const char *name) {
  struct field field = {name, {"", 0}};
  members(object, &field, 1);
  return field.value;
}

static int is(struct span span, const char *text) {
  return span.length == strlen(text) && memcmp(span.at, text, span.length) == 0;
}

static void put_call(struct span params) {
  struct span arguments = member(params, "arguments");
  struct span text = member(arguments, "text");
  put_text("{\"content\":[{\"type\":\"text\",\"text\":");
  if (text.length > 0) {
    put(text);
    put_text("}]");
  } else {
    put_text("\"\"}],\"structuredContent\":");
    put(arguments);
  }
  put_text(initialized ? "}" : ",\"resultType\":\"complete\"}");
}

static void put_initialize(struct span params) {
  initialized = 1;
  put_text("{\"protocolVersion\":");
  put(member(params, "protocolVersion"));
  put_text(
      ",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"echo\",\"version\":\"1.0.0\"}}");
}

static void put_result(struct span method, struct span params) {
  put_text(",\"result\":");
  if (is(method, "\"tools/call\"")) {
    put_call(params);
  } else if (is(method, "\"initialize\"")) {
    put_initialize(params);
  } else if (is(method, "\"tools/list\"")) {
    put_text("{\"tools\":[{\"name\":\"echo\",\"inputSchema\":{\"type\":\"object\"}}],"
             "\"resultType\":\"complete\",\"ttlMs\":60000,\"cacheScope\":\"public\"}");
  } else {
    put_text("{\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}},"
             "\"resultType\":\"complete\",\"ttlMs\":60000,\"cacheScope\":\"public\",\"_meta\":{"
             "\"io.modelcontextprotocol/serverInfo\":{\"name\":\"echo\",\"version\":\"1.0.0\"}}}");
  }
}

static int knows(struct span method) {
  if (is(method, "\"initialize\"")) return is_legacy;
  if (is(method, "\"server/discover\"")) return is_modern;
  return is(method, "\"tools/call\"") || is(method, "\"tools/list\"");
}

static void answer(struct span line) {
  struct field fields[] = {{"id", {"", 0}}, {"method", {"", 0}}, {"params", {"", 0}}};
  members(line, fields, 3);
  struct span id = fields[0].value;
  struct span method = fields[1].value;
  if (id.length == 0) return;
  put_text("{\"jsonrpc\":\"2.0\",\"id\":");
  put(id);
  if (knows(method)) {
    put_result(method, fields[2].value);
  } else if (is(method, "\"ping\"")) {
    put_text(",\"result\":{}");
  } else {
    put_text(",\"error\":{\"code\":-32601,\"message\":\"Method not found\"}");
  }
  put_text("}\n");
}

int main(int count, char **words) {
  if (count > 1) {
    is_legacy = strcmp(words[1], "legacy") == 0;
    is_modern = strcmp(words[1], "modern") == 0;
  }
  for (;;) {
    reserve(&input, 65536);
    ssize_t got = read(STDIN_FILENO, input.bytes + input.length, input.size - input.length);
    if (got < 0) die("echo-server: read");
    if (got == 0) return 0;
    size_t start = 0;
    size_t scanned = input.length;
    input.length += (size_t)got;
    char *newline;
    while ((newline = memchr(input.bytes + scanned, '\n', input.length - scanned)) != NULL) {
      scanned = (size_t)(newline - input.bytes) + 1;
      answer((struct span){input.bytes + start, scanned - start - 1});
      start = scanned;
    }
    memmove(input.bytes, input.bytes + start, input.length - start);
    input.length -= start;
    flush();
  }
}
