/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netmap's slots and rings for the loops in C, and those loops. main.cpp compares the layout with
 * <netmap/abi.hpp>.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BUF_CHANGED = 0x01, MORE_FRAGMENTS = 0x20, FIRST_USABLE_BUFFER = 2 };

struct slot {
  uint32_t buf_idx;
  uint16_t len;
  uint16_t flags;
  uint64_t ptr;
};

struct ring {
  int64_t buf_ofs;
  uint32_t num_slots;
  uint32_t nr_buf_size;
  uint16_t ringid;
  uint16_t dir;
  uint32_t head;
  uint32_t cur;
  uint32_t tail;
  uint8_t rest[224];
}; /* and behind it, its slots */

static inline struct slot* slots_of(struct ring* ring) {
  return (struct slot*)(ring + 1);
}

/* A ring and its true extent, copied out of shared memory and checked when it was opened. */
struct bounded_ring {
  struct ring* shared;
  struct slot* first;
  struct slot* end;
  uint32_t num_slots;
  uint32_t usable_buffers; /* those from FIRST_USABLE_BUFFER on */
  uint32_t buffer_size;
  char* buffers;
};

struct seen {
  uint64_t bytes;
  uint64_t sum; /* of the first eight bytes of each packet */
};

struct moved {
  size_t packets;
  size_t bytes;
};

/*
 * Each handles every slot that is there, hands them over, and yields 0. Receive reads length and
 * first eight bytes of each packet. Send stamps eight bytes into each slot, one packet a slot, and
 * sets its length to the next of `lengths`. Forward exchanges buffers between two rings of one
 * region, up to `limit` packets.
 */
int receive_unchecked(struct ring* rx, struct seen* seen);
int receive_checked(struct bounded_ring* rx, struct seen* seen);
int send_unchecked(struct ring* tx, const uint16_t* lengths, uint64_t stamp);
int send_checked(struct bounded_ring* tx, const uint16_t* lengths, uint64_t stamp);
int forward_unchecked(struct ring* rx, struct ring* tx, size_t limit, struct moved* moved);
int forward_checked(struct bounded_ring* rx, struct bounded_ring* tx, size_t limit,
                    struct moved* moved);

#ifdef __cplusplus
}
#endif
