// See bucket.h.
#include "bucket.h"

struct bucket bucket_full(uint64_t rate_per_second, uint64_t burst, uint64_t now_ms) {
  return (struct bucket){
      .rate_per_second = rate_per_second,
      .burst = burst,
      .millitokens = burst * 1000,
      .filled_at_ms = now_ms,
  };
}

static void fill(struct bucket *bucket, uint64_t now_ms) {
  const uint64_t elapsed_ms = now_ms > bucket->filled_at_ms ? now_ms - bucket->filled_at_ms : 0;
  const uint64_t limit = bucket->burst * 1000;
  // After this long the bucket is full anyhow; the bound keeps the product small.
  const uint64_t full_ms = limit / bucket->rate_per_second + 1;
  const uint64_t gained = (elapsed_ms < full_ms ? elapsed_ms : full_ms) * bucket->rate_per_second;
  bucket->millitokens = bucket->millitokens + gained < limit ? bucket->millitokens + gained : limit;
  bucket->filled_at_ms = now_ms;
}

bool bucket_take(struct bucket *bucket, uint64_t tokens, uint64_t now_ms) {
  fill(bucket, now_ms);
  if (bucket->millitokens < tokens * 1000) return false;
  bucket->millitokens -= tokens * 1000;
  return true;
}
