/*
 * libpcap's bpf_filter over a whole batch: each packet against one filter after
 * another until one accepts it. Needs no headers of libpcap, only the library.
 */
#include <stdint.h>
#include <stdlib.h>

enum { BATCH_MAX = 256, DLT_EN10MB = 1, SNAPLEN = 65535 };

struct bpf_program {
  unsigned int length;
  struct bpf_insn *instructions;
};

void *pcap_open_dead(int linktype, int snaplen);
int pcap_compile(void *, struct bpf_program *, const char *, int optimize, uint32_t netmask);
void pcap_close(void *);
unsigned int bpf_filter(const struct bpf_insn *, const unsigned char *, unsigned int wire, unsigned int captured);

struct filters {
  uint32_t count;
  struct bpf_program programs[];
};

/* Room for `room` filters; NULL when there is no memory. */
struct filters *filters_make(uint32_t room) {
  return calloc(1, sizeof(struct filters) + room * sizeof(struct bpf_program));
}

/* Adds a filter, optimized: its packets get slot = how many there are now. -1 when it does not compile. */
int filters_add(struct filters *filters, const char *expression) {
  void *handle = pcap_open_dead(DLT_EN10MB, SNAPLEN);
  if (handle == NULL) return -1;
  int failed = pcap_compile(handle, &filters->programs[filters->count], expression, 1, 0xffffffff);
  pcap_close(handle);
  if (failed != 0) return -1;
  return (int)++filters->count;
}

/* Fills slot[0..count) of the batch; `count` packets lie in `memory`. */
void filters_classify(const struct filters *filters, uint8_t *memory, uint32_t batch, uint32_t count) {
  const uint32_t *offset = (const uint32_t *)(memory + batch);
  const uint32_t *length = offset + BATCH_MAX;
  uint32_t *slot = (uint32_t *)(memory + batch) + 2 * BATCH_MAX;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t found = 0;
    for (uint32_t j = 0; j < filters->count && found == 0; j++) {
      if (bpf_filter(filters->programs[j].instructions, memory + offset[i], length[i], length[i]) != 0)
        found = j + 1;
    }
    slot[i] = found;
  }
}
