/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loops with every check that the library makes; the letters are those of ../README.md. What
 * the other side can write is read once. The form of each check is the one that cost fewest
 * instructions with both compilers.
 */
#include "netmap.h"

#include <stdbool.h>
#include <string.h>

#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)
#define STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELAXED)
#define rarely(condition) __builtin_expect((condition) != 0, 0)

struct owned {
  uint32_t head;
  uint32_t tail;
};

/* (a) head and tail are slots */
static inline bool is_sound(const struct bounded_ring* ring, struct owned now) {
  return now.head < ring->num_slots && now.tail < ring->num_slots;
}

static inline struct owned look(const struct bounded_ring* ring) {
  return (struct owned){LOAD(ring->shared->head), LOAD(ring->shared->tail)};
}

static inline uint32_t distance(const struct bounded_ring* ring, uint32_t from, uint32_t to) {
  return to >= from ? to - from : to + ring->num_slots - from;
}

/* (b) what is handed over was owned */
static inline bool hand_over(struct bounded_ring* ring, struct owned now, const struct slot* to) {
  const uint32_t position = (uint32_t)(to - ring->first);
  if (rarely(position >= ring->num_slots ||
             distance(ring, now.head, position) > distance(ring, now.head, now.tail))) {
    return false;
  }
  STORE(ring->shared->cur, position);
  STORE(ring->shared->head, position);
  return true;
}

static inline struct slot* previous(const struct bounded_ring* ring, struct slot* slot) {
  return (slot == ring->first ? ring->end : slot) - 1;
}

/* (c) whole packets only */
static inline struct slot* end_of_packets(const struct bounded_ring* ring, const struct slot* from,
                                          struct slot* end) {
  while (end != from) {
    struct slot* const last = previous(ring, end);
    if (!rarely(LOAD(last->flags) & MORE_FRAGMENTS)) break;
    end = last;
  }
  return end;
}

int receive_checked(struct bounded_ring* rx, struct seen* seen) {
  const struct owned now = look(rx);
  if (rarely(!is_sound(rx, now))) return -1;
  struct slot* const first = rx->first;
  struct slot* const ring_end = rx->end;
  const char* const buffers = rx->buffers;
  const uint32_t usable = rx->usable_buffers;
  const uint32_t buffer_size = rx->buffer_size;
  struct slot* slot = first + now.head;
  struct slot* const end = end_of_packets(rx, slot, first + now.tail);
  uint64_t bytes = 0, sum = 0;
  while (slot != end) {
    const uint32_t index = LOAD(slot->buf_idx);
    uint32_t length = LOAD(slot->len);
    uint32_t flags = LOAD(slot->flags);
    slot = slot + 1 == ring_end ? first : slot + 1;
    if (rarely(index - FIRST_USABLE_BUFFER >= usable)) { /* (d) the buffer exists */
      length = 0;
    } else if (rarely(length > buffer_size)) { /* (e) the packet lies in it */
      length = 0;
    }
    if (length >= sizeof(uint64_t)) { /* (f) the bytes to be read are there */
      uint64_t word;
      memcpy(&word, buffers + (uint64_t)index * buffer_size, sizeof word);
      sum += word;
    }
    bytes += length;
    while (rarely(flags & MORE_FRAGMENTS) && slot != end) { /* (g) fragments end with the ring's */
      length = LOAD(slot->len);
      flags = LOAD(slot->flags);
      if (LOAD(slot->buf_idx) - FIRST_USABLE_BUFFER < usable && length <= buffer_size) {
        bytes += length;
      }
      slot = slot + 1 == ring_end ? first : slot + 1;
    }
  }
  seen->bytes += bytes;
  seen->sum += sum;
  return hand_over(rx, now, slot) ? 0 : -1;
}

int send_checked(struct bounded_ring* tx, const uint16_t* lengths, uint64_t stamp) {
  const struct owned now = look(tx);
  if (rarely(!is_sound(tx, now))) return -1;
  struct slot* const first = tx->first;
  struct slot* const ring_end = tx->end;
  char* const buffers = tx->buffers;
  const uint32_t usable = tx->usable_buffers;
  const uint32_t buffer_size = tx->buffer_size;
  struct slot* slot = first + now.head;
  const struct slot* const end = first + now.tail;
  while (slot != end) {
    const uint32_t index = LOAD(slot->buf_idx);
    const uint16_t length = *lengths++;
    if (rarely(index - FIRST_USABLE_BUFFER >= usable)) break; /* (d) */
    if (rarely(length > buffer_size)) break;                  /* (e) */
    memcpy(buffers + (uint64_t)index * buffer_size, &stamp, sizeof stamp);
    stamp++;
    const uint16_t flags = LOAD(slot->flags);
    STORE(slot->len, length);
    STORE(slot->flags, flags & BUF_CHANGED);
    slot = slot + 1 == ring_end ? first : slot + 1;
  }
  return hand_over(tx, now, slot) ? 0 : -1;
}

int forward_checked(struct bounded_ring* rx, struct bounded_ring* tx, size_t limit,
                    struct moved* moved) {
  const struct owned received = look(rx);
  const struct owned free = look(tx);
  if (rarely(!is_sound(rx, received) || !is_sound(tx, free))) return -1;
  struct slot* const rx_first = rx->first;
  struct slot* const rx_end = rx->end;
  struct slot* const tx_first = tx->first;
  struct slot* const tx_end = tx->end;
  const uint32_t usable = rx->usable_buffers;
  const uint32_t buffer_size = rx->buffer_size;
  struct slot* in = rx_first + received.head;
  struct slot* out = tx_first + free.head;
  struct slot* end = rx_first + received.tail;
  const uint32_t room = distance(tx, free.head, free.tail);
  if (room < distance(rx, received.head, received.tail)) {
    end = in + room < rx_end ? in + room : in + room - rx->num_slots;
  }
  end = end_of_packets(rx, in, end);
  size_t packets = 0, bytes = 0;
  while (in != end && packets < limit) {
    const uint32_t full = LOAD(in->buf_idx);
    const uint16_t length = LOAD(in->len);
    const uint16_t flags = LOAD(in->flags);
    const uint32_t empty = LOAD(out->buf_idx);
    if (rarely(full - FIRST_USABLE_BUFFER >= usable)) break;  /* (d) */
    if (rarely(length > buffer_size)) break;                  /* (e) */
    if (rarely(empty - FIRST_USABLE_BUFFER >= usable)) break; /* (d) */
    STORE(out->buf_idx, full);
    STORE(out->len, length);
    STORE(out->flags, (flags & MORE_FRAGMENTS) | BUF_CHANGED);
    STORE(in->buf_idx, empty);
    STORE(in->flags, flags | BUF_CHANGED);
    bytes += length;
    packets += !(flags & MORE_FRAGMENTS);
    in = in + 1 == rx_end ? rx_first : in + 1;
    out = out + 1 == tx_end ? tx_first : out + 1;
  }
  const bool sound = in == end || packets == limit;
  while (out != tx_first + free.head && rarely(LOAD(previous(tx, out)->flags) & MORE_FRAGMENTS)) {
    in = previous(rx, in); /* (c) */
    out = previous(tx, out);
  }
  if (!hand_over(tx, free, out) || !hand_over(rx, received, in)) return -1;
  moved->packets = packets;
  moved->bytes = bytes;
  return sound ? 0 : -1;
}
