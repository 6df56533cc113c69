//go:build !js

#include "native_version.h"

#include <stdlib.h>
#include <string.h>

enum { queriesPerSet = 4096 };

struct Mapping { atomic_uint state; };

enum { mappingPending, mappingReady, mappingFailed, mappingAbandoned };

// wgpu reports an error on the thread that made the call, before the call returns: a thread's failure is that of the
// call it is in.
static _Thread_local Failure *catching;

void copyText(char *target, size_t size, StringView text) {
  size_t length = text.data == NULL ? 0 : text.length == SIZE_MAX ? strlen(text.data) : text.length;
  if (length > size - 1) length = size - 1;
  if (length > 0) memcpy(target, text.data, length);
  target[length] = 0;
}

// note writes a text once, for another thread to read.
static void note(atomic_int *state, char *target, size_t size, StringView text) {
  int none = 0;
  if (!atomic_compare_exchange_strong(state, &none, 1)) return;
  copyText(target, size, text);
  atomic_store(state, 2);
}

static void fail(uint32_t kind, StringView text) {
  if (catching == NULL || catching->kind != 0) return;
  copyText(catching->text, sizeof catching->text, text);
  catching->kind = kind;
}

void sessionError(Session *session, uint32_t kind, StringView text) {
  if (catching != NULL) fail(kind, text);
  else note(&session->uncaptured, session->uncapturedText, sizeof session->uncapturedText, text);
}

void sessionLost(Session *session, StringView text) {
  note(&session->lost, session->lostText, sizeof session->lostText, text);
}

void sessionOpened(Session *session, int success, GPUDevice device, StringView text) {
  if (success) session->device = device;
  else fail(1, text);
}

void mappingDone(Mapping *mapping, int success) {
  uint32_t before = atomic_exchange(&mapping->state, success ? mappingReady : mappingFailed);
  if (before == mappingAbandoned) free(mapping);
}

static void begin(Failure *failure) {
  failure->kind = failure->lost = 0;
  failure->text[0] = 0;
  catching = failure;
}

static void end(Session *session) {
  if (catching->kind == 0 && atomic_load(&session->uncaptured) == 2) {
    fail(errorUnclaimed, (StringView){session->uncapturedText, SIZE_MAX});
    atomic_store(&session->uncaptured, 0);
  }
  catching->lost = atomic_load(&session->lost) == 2;
  catching = NULL;
}

Instance quireInstance(uint32_t backends) {
  wgpuSetLogLevel(0);
  return versionInstance(backends);
}

void quireAdapterFacts(Adapter adapter, AdapterFacts *facts) { versionFacts(adapter, facts); }

Session *quireOpen(Adapter adapter, const uint32_t *features, size_t featureCount, Failure *failure) {
  Session *session = calloc(1, sizeof *session);
  begin(failure);
  versionOpen(session, adapter, features, featureCount);
  end(session);
  if (session->device == NULL) return NULL;
  session->queue = wgpuDeviceGetQueue(session->device);
  return session;
}

const char *quireLostReason(Session *session) { return session->lostText; }

void quireDestroy(Session *session) { versionDestroy(session); }

// quireClose lets the work end first: 0.19 mixes up the devices that come after one that was dropped at work.
void quireClose(Session *session) {
  if (atomic_load(&session->lost) == 0) versionPoll(session, NULL);
  for (uint32_t i = 0; i < session->setCount; i++) wgpuQuerySetRelease(session->sets[i]);
  free(session->sets);
  session->sets = NULL;
  session->setCount = 0;
  if (session->resolved != NULL) wgpuBufferRelease(session->resolved);
  if (session->ticks != NULL) wgpuBufferRelease(session->ticks);
  session->resolved = session->ticks = NULL;
  wgpuQueueRelease(session->queue);
  wgpuDeviceRelease(session->device);
}

static DeviceBuffer makeBuffer(Session *session, uint64_t size, uint64_t usage) {
  BufferDescriptor descriptor = {.usage = usage, .size = size};
  return wgpuDeviceCreateBuffer(session->device, &descriptor);
}

DeviceBuffer quireBuffer(Session *session, uint64_t size, uint64_t usage, Failure *failure) {
  begin(failure);
  DeviceBuffer buffer = makeBuffer(session, size, usage);
  end(session);
  if (failure->kind != 0 && buffer != NULL) {
    wgpuBufferRelease(buffer);
    buffer = NULL;
  }
  return buffer;
}

void quireDropBuffer(Session *session, DeviceBuffer buffer, Failure *failure) {
  begin(failure);
  if (atomic_load(&session->lost) == 0) wgpuBufferDestroy(buffer);
  wgpuBufferRelease(buffer);
  end(session);
}

Pipeline quirePipeline(Session *session, const char *text, size_t length, const uint32_t *kinds, size_t count,
                       BindGroupLayout *layout, Failure *failure) {
  Pipeline pipeline = NULL;
  PipelineLayout pipelineLayout = NULL;
  *layout = NULL;
  begin(failure);
  ShaderModule module = versionShader(session, text, length);
  if (failure->kind != 0) goto done;

  LayoutEntry *entries = calloc(count + 1, sizeof *entries);
  for (size_t i = 0; i < count; i++) {
    entries[i].binding = (uint32_t)i;
    entries[i].visibility = stageCompute;
    entries[i].buffer.type = kinds[i];
  }
  BindGroupLayoutDescriptor layoutDescriptor = {.count = count, .entries = entries};
  *layout = wgpuDeviceCreateBindGroupLayout(session->device, &layoutDescriptor);
  free(entries);
  if (failure->kind != 0) goto done;

  PipelineLayoutDescriptor pipelineLayoutDescriptor = {.count = 1, .layouts = layout};
  pipelineLayout = wgpuDeviceCreatePipelineLayout(session->device, &pipelineLayoutDescriptor);
  if (failure->kind != 0) goto done;

  PipelineDescriptor pipelineDescriptor = {
      .layout = pipelineLayout, .compute = {.module = module, .entry = entryMain}};
  pipeline = wgpuDeviceCreateComputePipeline(session->device, &pipelineDescriptor);
done:
  end(session);
  if (pipelineLayout != NULL) wgpuPipelineLayoutRelease(pipelineLayout);
  if (module != NULL) wgpuShaderModuleRelease(module);
  if (failure->kind != 0) {
    if (*layout != NULL) wgpuBindGroupLayoutRelease(*layout);
    if (pipeline != NULL) wgpuComputePipelineRelease(pipeline);
    *layout = NULL;
    pipeline = NULL;
  }
  return pipeline;
}

BindGroup quireBindGroup(Session *session, BindGroupLayout layout, const DeviceBuffer *buffers,
                         const uint64_t *ranges, size_t count, Failure *failure) {
  BindEntry *entries = calloc(count + 1, sizeof *entries);
  for (size_t i = 0; i < count; i++)
    entries[i] = (BindEntry){
        .binding = (uint32_t)i, .buffer = buffers[i], .offset = ranges[2 * i], .size = ranges[2 * i + 1]};
  BindGroupDescriptor descriptor = {.layout = layout, .count = count, .entries = entries};
  begin(failure);
  BindGroup group = wgpuDeviceCreateBindGroup(session->device, &descriptor);
  end(session);
  free(entries);
  if (failure->kind != 0 && group != NULL) {
    wgpuBindGroupRelease(group);
    group = NULL;
  }
  return group;
}

void quireWrite(Session *session, DeviceBuffer buffer, uint64_t offset, const void *data, size_t size, Failure *failure) {
  begin(failure);
  wgpuQueueWriteBuffer(session->queue, buffer, offset, data, size);
  end(session);
}

uint64_t quireFlush(Session *session, Failure *failure) {
  begin(failure);
  uint64_t index = wgpuQueueSubmitForIndex(session->queue, 0, NULL);
  end(session);
  return index;
}

void quireWait(Session *session, const uint64_t *submission, Failure *failure) {
  begin(failure);
  versionPoll(session, submission);
  end(session);
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
  session->resolved = makeBuffer(session, size, bufferQueryResolve | bufferCopySource);
  session->ticks = makeBuffer(session, size, bufferMapRead | bufferCopyTarget);
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

static uint64_t submit(Encoding *e) {
  endPass(e);
  if (e->encoder == NULL) return wgpuQueueSubmitForIndex(e->session->queue, 0, NULL);
  CommandBuffer commands = wgpuCommandEncoderFinish(e->encoder, NULL);
  wgpuCommandEncoderRelease(e->encoder);
  e->encoder = NULL;
  if (commands == NULL) return 0;
  uint64_t index = 0;
  // An invalid command buffer would take every later error with it: the first one is enough.
  if (catching->kind == 0) index = wgpuQueueSubmitForIndex(e->session->queue, 1, &commands);
  wgpuCommandBufferRelease(commands);
  return index;
}

uint64_t quireReplay(Session *session, const int32_t *tape, size_t length, const uint8_t *data, DeviceBuffer const *buffers,
                     Pipeline const *pipelines, BindGroup const *groups, Mapping **mapped, uint32_t passes,
                     Failure *failure) {
  static const uint8_t operands[] = {0, 4, 1, 1, 3, 5, 3, 0, 2, 1};
  begin(failure);
  if (passes > 0) growQueries(session, passes);
  for (size_t at = 0; at < length; at += 1 + operands[tape[at]]) {
    const int32_t *op = tape + at;
    if (op[0] == 1)
      wgpuQueueWriteBuffer(session->queue, buffers[op[1]], 4ull * (uint32_t)op[2], data + op[3], (size_t)op[4]);
  }
  Encoding e = {.session = session};
  Pipeline pipeline = NULL;
  BindGroup group = NULL;
  int32_t timed = -1;
  for (size_t at = 0; at < length && failure->kind == 0; at += 1 + operands[tape[at]]) {
    const int32_t *op = tape + at;
    switch (op[0]) {
    case 2:
      pipeline = pipelines[op[1]];
      if (e.pass != NULL) wgpuComputePassEncoderSetPipeline(e.pass, pipeline);
      break;
    case 3:
      group = groups[op[1]];
      if (e.pass != NULL) wgpuComputePassEncoderSetBindGroup(e.pass, 0, group, 0, NULL);
      break;
    case 4:
      if (e.pass == NULL) {
        beginPass(&e, timed);
        if (pipeline != NULL) wgpuComputePassEncoderSetPipeline(e.pass, pipeline);
        if (group != NULL) wgpuComputePassEncoderSetBindGroup(e.pass, 0, group, 0, NULL);
      }
      wgpuComputePassEncoderDispatchWorkgroups(e.pass, (uint32_t)op[1], (uint32_t)op[2], (uint32_t)op[3]);
      if (timed >= 0) endPass(&e);
      timed = -1;
      break;
    case 5:
      wgpuCommandEncoderCopyBufferToBuffer(encoder(&e), buffers[op[1]], 4ull * (uint32_t)op[2], buffers[op[3]],
                                           4ull * (uint32_t)op[4], 4ull * (uint32_t)op[5]);
      break;
    case 6:
      wgpuCommandEncoderClearBuffer(encoder(&e), buffers[op[1]], 4ull * (uint32_t)op[2], 4ull * (uint32_t)op[3]);
      break;
    case 7:
      submit(&e);
      break;
    case 9:
      endPass(&e);
      timed = op[1];
      break;
    }
  }
  if (passes > 0 && failure->kind == 0) {
    for (uint32_t set = 0; set * queriesPerSet < 2 * passes; set++) {
      uint32_t count = 2 * passes - set * queriesPerSet;
      if (count > queriesPerSet) count = queriesPerSet;
      wgpuCommandEncoderResolveQuerySet(encoder(&e), session->sets[set], 0, count, session->resolved,
                                        8ull * set * queriesPerSet);
    }
    wgpuCommandEncoderCopyBufferToBuffer(encoder(&e), session->resolved, 0, session->ticks, 0, 16ull * passes);
  }
  uint64_t index = submit(&e);
  for (size_t at = 0; at < length && failure->kind == 0; at += 1 + operands[tape[at]]) {
    const int32_t *op = tape + at;
    if (op[0] != 8) continue;
    Mapping *mapping = calloc(1, sizeof *mapping);
    *mapped++ = mapping;
    versionMap(buffers[op[1]], 4 * (size_t)(uint32_t)op[2], mapping);
  }
  end(session);
  return index;
}

void quireDropMapping(Mapping *mapping) {
  if (atomic_exchange(&mapping->state, mappingAbandoned) != mappingPending) free(mapping);
}

// await polls until a mapping is there. Another thread's poll may be the one that calls back, a moment later.
static int await(Session *session, Mapping *mapping, const uint64_t *submission) {
  while (atomic_load(&mapping->state) == mappingPending && catching->kind == 0 && atomic_load(&session->lost) == 0)
    versionPoll(session, submission);
  return atomic_load(&mapping->state) == mappingReady;
}

static void fetch(DeviceBuffer buffer, void *target, size_t size) {
  const void *source = size == 0 ? NULL : wgpuBufferGetConstMappedRange(buffer, 0, (size + 3) & ~(size_t)3);
  if (source != NULL) memcpy(target, source, size);
  wgpuBufferUnmap(buffer);
  if (source == NULL && size > 0) fail(1, (StringView){"the mapped buffer gave no memory", SIZE_MAX});
}

void quireFetch(Session *session, DeviceBuffer buffer, Mapping *mapping, const uint64_t *submission, void *target,
                size_t size, Failure *failure) {
  begin(failure);
  if (await(session, mapping, submission)) fetch(buffer, target, size);
  else fail(1, (StringView){"the readback could not be mapped", SIZE_MAX});
  end(session);
  quireDropMapping(mapping);
}

void quireAbandon(Session *session, DeviceBuffer buffer, Mapping *mapping, Failure *failure) {
  begin(failure);
  if (atomic_load(&session->lost) == 0) wgpuBufferUnmap(buffer);
  end(session);
  quireDropMapping(mapping);
}

void quireTimings(Session *session, uint64_t *ticks, uint32_t passes, Failure *failure) {
  Mapping *mapping = calloc(1, sizeof *mapping);
  begin(failure);
  versionMap(session->ticks, 16ull * passes, mapping);
  if (await(session, mapping, NULL)) fetch(session->ticks, ticks, 16ull * passes);
  end(session);
  quireDropMapping(mapping);
}

float quirePeriod(Session *session) { return versionPeriod(session); }
