//go:build !js

#include "native_version.h"

#include <stdlib.h>
#include <string.h>

enum { queriesPerSet = 4096 };

struct Mapping {
  atomic_uint state;
  size_t size;
};

enum { mapRead = 1, mapWrite = 2 };
enum { mappingPending, mappingReady, mappingFailed, mappingAbandoned };

void mappingDone(Mapping *mapping, int success) {
  uint32_t before = atomic_exchange(&mapping->state, success ? mappingReady : mappingFailed);
  if (before == mappingAbandoned) free(mapping);
}

// growQueries makes room for two timestamps a pass and the buffers they are resolved to.
static void growQueries(Session *session, uint32_t passes) {
  uint32_t want = (2 * passes + queriesPerSet - 1) / queriesPerSet;
  if (want <= session->setCount) return;
  session->sets = realloc(session->sets, want * sizeof *session->sets);
  for (; session->setCount < want; session->setCount++) {
    QuerySetDescriptor descriptor = {.type = queryTimestamp, .count = queriesPerSet};
    session->sets[session->setCount] = wgpuDeviceCreateQuerySet(session->device, &descriptor);
  }
  if (session->resolved != NULL) wgpuBufferRelease(session->resolved);
  if (session->ticks != NULL) wgpuBufferRelease(session->ticks);
  uint64_t size = 8ull * want * queriesPerSet;
  session->resolved = sessionBuffer(session, size, bufferQueryResolve | bufferCopySource);
  session->ticks = sessionBuffer(session, size, bufferMapRead | bufferCopyTarget);
}

// Encoding is a command buffer under way.
typedef struct {
  Session *session;
  CommandEncoder encoder;
  ComputePass pass;
} Encoding;

static void endPass(Encoding *e) {
  if (e->pass == NULL) return;
  wgpuComputePassEncoderEnd(e->pass);
  wgpuComputePassEncoderRelease(e->pass);
  e->pass = NULL;
}

static CommandEncoder encoder(Encoding *e) {
  endPass(e);
  if (e->encoder == NULL) e->encoder = wgpuDeviceCreateCommandEncoder(e->session->device, NULL);
  return e->encoder;
}

static void beginPass(Encoding *e, int32_t timed) {
  if (e->pass != NULL) return;
  PassDescriptor descriptor = {0};
  TimestampWrites stamps = {0};
  if (timed >= 0) {
    uint32_t first = 2 * (uint32_t)timed;
    stamps.set = e->session->sets[first / queriesPerSet];
    stamps.begin = first % queriesPerSet;
    stamps.end = stamps.begin + 1;
    descriptor.timestamps = &stamps;
  }
  e->pass = wgpuCommandEncoderBeginComputePass(encoder(e), &descriptor);
}

// submit hands over what is encoded, if only the writes before it. wgpu ends the process where it is given an invalid
// command buffer or a lost device: making and finishing the encoder are the calls that tell.
static uint64_t submit(Encoding *e) {
  CommandEncoder commands = encoder(e);
  CommandBuffer buffer = commands == NULL ? NULL : wgpuCommandEncoderFinish(commands, NULL);
  if (commands != NULL) wgpuCommandEncoderRelease(commands);
  e->encoder = NULL;
  uint64_t index = 0;
  if (buffer == NULL) return 0;
  if (callFailure->kind == 0 && !sessionIsLost(e->session)) index = wgpuQueueSubmitForIndex(e->session->queue, 1, &buffer);
  wgpuCommandBufferRelease(buffer);
  return index;
}

uint64_t quireFlush(Session *session, Failure *failure) {
  Encoding e = {.session = session};
  uint64_t index = callBegin(session, failure) ? submit(&e) : 0;
  callEnd(session);
  return index;
}

static Mapping *map(DeviceBuffer buffer, uint32_t mode, size_t size) {
  Mapping *mapping = calloc(1, sizeof *mapping);
  mapping->size = size;
  versionMap(buffer, mode, size, mapping);
  return mapping;
}

uint64_t quireReplay(Session *session, const int32_t *tape, size_t length, const uint8_t *data, DeviceBuffer const *buffers,
                     Pipeline const *pipelines, BindGroup const *groups, Mapping **mapped, uint32_t passes,
                     Failure *failure) {
  static const uint8_t operands[] = {[tapeWrite] = 4, [tapeKernel] = 1, [tapeBind] = 1, [tapeDispatch] = 3, [tapeCopy] = 5,
                                     [tapeClear] = 3, [tapeSplit] = 0, [tapeMap] = 2, [tapeTimed] = 1};
  int alive = callBegin(session, failure);
  if (alive && passes > 0) growQueries(session, passes);
  for (size_t at = 0; at < length && alive; at += 1 + operands[tape[at]]) {
    const int32_t *op = tape + at;
    if (op[0] == tapeWrite)
      wgpuQueueWriteBuffer(session->queue, buffers[op[1]], 4ull * (uint32_t)op[2], data + op[3], (size_t)op[4]);
  }
  Encoding e = {.session = session};
  Pipeline pipeline = NULL;
  BindGroup group = NULL;
  int32_t timed = -1;
  for (size_t at = 0; at < length && alive && failure->kind == 0; at += 1 + operands[tape[at]]) {
    const int32_t *op = tape + at;
    switch (op[0]) {
    case tapeKernel:
      pipeline = pipelines[op[1]];
      if (e.pass != NULL) wgpuComputePassEncoderSetPipeline(e.pass, pipeline);
      break;
    case tapeBind:
      group = groups[op[1]];
      if (e.pass != NULL) wgpuComputePassEncoderSetBindGroup(e.pass, 0, group, 0, NULL);
      break;
    case tapeDispatch:
      if (e.pass == NULL) {
        beginPass(&e, timed);
        if (pipeline != NULL) wgpuComputePassEncoderSetPipeline(e.pass, pipeline);
        if (group != NULL) wgpuComputePassEncoderSetBindGroup(e.pass, 0, group, 0, NULL);
      }
      wgpuComputePassEncoderDispatchWorkgroups(e.pass, (uint32_t)op[1], (uint32_t)op[2], (uint32_t)op[3]);
      if (timed >= 0) endPass(&e);
      timed = -1;
      break;
    case tapeCopy:
      wgpuCommandEncoderCopyBufferToBuffer(encoder(&e), buffers[op[1]], 4ull * (uint32_t)op[2], buffers[op[3]],
                                           4ull * (uint32_t)op[4], 4ull * (uint32_t)op[5]);
      break;
    case tapeClear:
      wgpuCommandEncoderClearBuffer(encoder(&e), buffers[op[1]], 4ull * (uint32_t)op[2], 4ull * (uint32_t)op[3]);
      break;
    case tapeSplit:
      submit(&e);
      break;
    case tapeTimed:
      endPass(&e);
      timed = op[1];
      break;
    }
  }
  if (alive && passes > 0 && failure->kind == 0) {
    for (uint32_t set = 0; set * queriesPerSet < 2 * passes; set++) {
      uint32_t count = 2 * passes - set * queriesPerSet;
      if (count > queriesPerSet) count = queriesPerSet;
      wgpuCommandEncoderResolveQuerySet(encoder(&e), session->sets[set], 0, count, session->resolved,
                                        8ull * set * queriesPerSet);
    }
    wgpuCommandEncoderCopyBufferToBuffer(encoder(&e), session->resolved, 0, session->ticks, 0, 16ull * passes);
  }
  uint64_t index = alive ? submit(&e) : 0;
  for (size_t at = 0; at < length && alive && failure->kind == 0; at += 1 + operands[tape[at]]) {
    const int32_t *op = tape + at;
    if (op[0] != tapeMap) continue;
    *mapped = map(buffers[op[1]], mapRead, 4 * (size_t)(uint32_t)op[2]);
    mapped++;
  }
  callEnd(session);
  return index;
}

Mapping *quireMapStage(Session *session, DeviceBuffer buffer, size_t size, Failure *failure) {
  Mapping *mapping = callBegin(session, failure) ? map(buffer, mapWrite, size) : NULL;
  callEnd(session);
  return mapping;
}

void *quireStageMemory(Session *session, DeviceBuffer buffer, Mapping *mapping, Failure *failure) {
  void *memory = NULL;
  if (callBegin(session, failure)) {
    if (atomic_load(&mapping->state) == mappingPending) versionLook(session);
    uint32_t state = atomic_load(&mapping->state);
    if (state == mappingReady) memory = wgpuBufferGetMappedRange(buffer, 0, mapping->size);
    else if (state == mappingFailed) callFail(1, (StringView){"the stage could not be mapped", SIZE_MAX});
  }
  callEnd(session);
  return memory;
}

void quireDropMapping(Mapping *mapping) {
  if (atomic_exchange(&mapping->state, mappingAbandoned) != mappingPending) free(mapping);
}

// take waits for a mapping, copies size bytes out and unmaps.
static void take(Session *session, DeviceBuffer buffer, Mapping *mapping, const uint64_t *submission, void *target,
                 size_t size) {
  // Another thread's poll may be the one that calls back, a moment after this one returns.
  while (atomic_load(&mapping->state) == mappingPending && callFailure->kind == 0 && !sessionIsLost(session))
    versionPoll(session, submission);
  if (sessionIsLost(session)) return;
  if (atomic_load(&mapping->state) != mappingReady) {
    callFail(1, (StringView){"the readback could not be mapped", SIZE_MAX});
    return;
  }
  if (size > mapping->size) callFail(1, (StringView){"more was asked of the readback than was read into it", SIZE_MAX});
  else if (size > 0) memcpy(target, wgpuBufferGetConstMappedRange(buffer, 0, mapping->size), size);
  wgpuBufferUnmap(buffer);
}

void quireFetch(Session *session, DeviceBuffer buffer, Mapping *mapping, const uint64_t *submission, void *target,
                size_t size, Failure *failure) {
  if (callBegin(session, failure)) take(session, buffer, mapping, submission, target, size);
  callEnd(session);
  quireDropMapping(mapping);
}

void quireAbandon(Session *session, DeviceBuffer buffer, Mapping *mapping, Failure *failure) {
  if (callBegin(session, failure)) wgpuBufferUnmap(buffer);
  callEnd(session);
  quireDropMapping(mapping);
}

void quireTimings(Session *session, uint64_t *ticks, uint32_t passes, Failure *failure) {
  if (callBegin(session, failure)) {
    Mapping *mapping = map(session->ticks, mapRead, 16ull * passes);
    take(session, session->ticks, mapping, NULL, ticks, 16ull * passes);
    quireDropMapping(mapping);
  }
  callEnd(session);
}

float quirePeriod(Session *session) { return versionPeriod(session); }
