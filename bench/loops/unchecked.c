/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops as one writes them who believes what the other side says. */
#include "netmap.h"

#include <string.h>

int receive_unchecked(struct ring* rx, struct seen* seen) {
  const struct slot* const first = slots_of(rx);
  const struct slot* const end = first + rx->num_slots;
  const struct slot* const tail = first + rx->tail;
  const char* const buffers = (const char*)rx + rx->buf_ofs;
  const uint64_t buffer_size = rx->nr_buf_size;
  const struct slot* slot = first + rx->head;
  uint64_t bytes = 0, sum = 0;
  int is_first = 1;
  while (slot != tail) {
    if (is_first) {
      uint64_t word;
      memcpy(&word, buffers + slot->buf_idx * buffer_size, sizeof word);
      sum += word;
    }
    bytes += slot->len;
    is_first = !(slot->flags & MORE_FRAGMENTS);
    slot = slot + 1 == end ? first : slot + 1;
  }
  rx->cur = rx->head = (uint32_t)(slot - first);
  seen->bytes += bytes;
  seen->sum += sum;
  return 0;
}

int send_unchecked(struct ring* tx, const uint16_t* lengths, uint64_t stamp) {
  struct slot* const first = slots_of(tx);
  struct slot* const end = first + tx->num_slots;
  struct slot* const tail = first + tx->tail;
  char* const buffers = (char*)tx + tx->buf_ofs;
  const uint64_t buffer_size = tx->nr_buf_size;
  struct slot* slot = first + tx->head;
  while (slot != tail) {
    memcpy(buffers + slot->buf_idx * buffer_size, &stamp, sizeof stamp);
    stamp++;
    slot->len = *lengths++;
    slot->flags = 0;
    slot = slot + 1 == end ? first : slot + 1;
  }
  tx->cur = tx->head = (uint32_t)(slot - first);
  return 0;
}

static uint32_t owned(const struct ring* ring) {
  return ring->tail - ring->head + (ring->tail < ring->head ? ring->num_slots : 0);
}

int forward_unchecked(struct ring* rx, struct ring* tx, size_t limit, struct moved* moved) {
  struct slot* const rx_first = slots_of(rx);
  struct slot* const tx_first = slots_of(tx);
  struct slot* const rx_end = rx_first + rx->num_slots;
  struct slot* const tx_end = tx_first + tx->num_slots;
  struct slot* in = rx_first + rx->head;
  struct slot* out = tx_first + tx->head;
  uint32_t left = owned(rx) < owned(tx) ? owned(rx) : owned(tx);
  for (; left > 0; left--) { /* the last whole packet */
    const uint32_t last = rx->head + left - 1;
    if (!(rx_first[last < rx->num_slots ? last : last - rx->num_slots].flags & MORE_FRAGMENTS)) {
      break;
    }
  }
  size_t packets = 0, bytes = 0;
  for (; left > 0 && packets < limit; left--) {
    const uint32_t free = out->buf_idx;
    const uint16_t flags = in->flags;
    out->buf_idx = in->buf_idx;
    out->len = in->len;
    out->flags = (flags & MORE_FRAGMENTS) | BUF_CHANGED;
    in->buf_idx = free;
    in->flags = flags | BUF_CHANGED;
    bytes += in->len;
    packets += !(flags & MORE_FRAGMENTS);
    in = in + 1 == rx_end ? rx_first : in + 1;
    out = out + 1 == tx_end ? tx_first : out + 1;
  }
  tx->cur = tx->head = (uint32_t)(out - tx_first);
  rx->cur = rx->head = (uint32_t)(in - rx_first);
  moved->packets = packets;
  moved->bytes = bytes;
  return 0;
}
