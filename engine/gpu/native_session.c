//go:build !js

#include "native_version.h"

#include <stdlib.h>
#include <string.h>

// wgpu reports an error on the thread that made the call, before the call returns: a thread's failure is that of the
// call it is in.
_Thread_local Failure *callFailure;

void callText(char *target, size_t size, StringView text) {
  size_t length = text.data == NULL ? 0 : text.length == SIZE_MAX ? strlen(text.data) : text.length;
  if (length > size - 1) length = size - 1;
  if (length > 0) memcpy(target, text.data, length);
  target[length] = 0;
}

// note writes a text once, for another thread to read.
static void note(atomic_int *state, char *target, size_t size, StringView text) {
  int none = 0;
  if (!atomic_compare_exchange_strong(state, &none, 1)) return;
  callText(target, size, text);
  atomic_store(state, 2);
}

void callFail(uint32_t kind, StringView text) {
  if (callFailure == NULL || callFailure->kind != 0) return;
  callText(callFailure->text, sizeof callFailure->text, text);
  callFailure->kind = kind;
}

void sessionError(Session *session, uint32_t kind, StringView text) {
  if (callFailure != NULL) callFail(kind, text);
  else note(&session->uncaptured, session->uncapturedText, sizeof session->uncapturedText, text);
}

void sessionLost(Session *session, StringView text) {
  note(&session->lost, session->lostText, sizeof session->lostText, text);
}

void sessionOpened(Session *session, int success, GPUDevice device, StringView text) {
  if (success) session->device = device;
  else callFail(1, text);
}

int sessionIsLost(Session *session) { return atomic_load(&session->lost) == 2; }

// callBegin opens a call and tells whether the device is there: wgpu ends the process where a lost one is submitted to.
int callBegin(Session *session, Failure *failure) {
  failure->kind = failure->lost = 0;
  failure->text[0] = 0;
  callFailure = failure;
  return !sessionIsLost(session);
}

void callEnd(Session *session) {
  if (callFailure->kind == 0 && atomic_load(&session->uncaptured) == 2) {
    callFail(errorUnclaimed, (StringView){session->uncapturedText, SIZE_MAX});
    atomic_store(&session->uncaptured, 0);
  }
  callFailure->lost = sessionIsLost(session);
  callFailure = NULL;
}

Instance quireInstance(uint32_t backends) {
  wgpuSetLogLevel(0);
  return versionInstance(backends);
}

void quireAdapterFacts(Adapter adapter, AdapterFacts *facts) { versionFacts(adapter, facts); }

Session *quireOpen(Adapter adapter, const uint32_t *features, size_t featureCount, Failure *failure) {
  Session *session = calloc(1, sizeof *session);
  callBegin(session, failure);
  versionOpen(session, adapter, features, featureCount);
  callEnd(session);
  if (session->device == NULL) return NULL;
  session->queue = wgpuDeviceGetQueue(session->device);
  return session;
}

const char *quireLostReason(Session *session) { return session->lostText; }

// quireDestroy tells the loss itself: the library speaks of it only when a later call fails.
void quireDestroy(Session *session) {
  versionDestroy(session);
  sessionLost(session, (StringView){"destroyed", SIZE_MAX});
}

// quireClose lets the work end first: 0.19 mixes up the devices that come after one that was dropped at work.
void quireClose(Session *session) {
  if (!sessionIsLost(session)) versionPoll(session, NULL);
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

DeviceBuffer sessionBuffer(Session *session, uint64_t size, uint64_t usage) {
  BufferDescriptor descriptor = {.usage = usage, .size = size};
  return wgpuDeviceCreateBuffer(session->device, &descriptor);
}

DeviceBuffer quireBuffer(Session *session, uint64_t size, uint64_t usage, Failure *failure) {
  DeviceBuffer buffer = callBegin(session, failure) ? sessionBuffer(session, size, usage) : NULL;
  callEnd(session);
  if (failure->kind != 0 && buffer != NULL) {
    wgpuBufferRelease(buffer);
    buffer = NULL;
  }
  return buffer;
}

DeviceBuffer quireStage(Session *session, uint64_t size, void **memory, Failure *failure) {
  BufferDescriptor descriptor = {.usage = bufferMapWrite | bufferCopySource, .size = size, .mapped = 1};
  DeviceBuffer buffer = callBegin(session, failure) ? wgpuDeviceCreateBuffer(session->device, &descriptor) : NULL;
  *memory = buffer != NULL && failure->kind == 0 ? wgpuBufferGetMappedRange(buffer, 0, size) : NULL;
  callEnd(session);
  if (*memory == NULL && buffer != NULL) {
    wgpuBufferRelease(buffer);
    buffer = NULL;
  }
  return buffer;
}

void quireUnmapStage(Session *session, DeviceBuffer buffer, Failure *failure) {
  if (callBegin(session, failure)) wgpuBufferUnmap(buffer);
  callEnd(session);
}

void quireDropBuffer(Session *session, DeviceBuffer buffer, Failure *failure) {
  if (callBegin(session, failure)) wgpuBufferDestroy(buffer);
  wgpuBufferRelease(buffer);
  callEnd(session);
}

Pipeline quirePipeline(Session *session, const char *text, size_t length, const uint32_t *kinds, size_t count,
                       BindGroupLayout *layout, Failure *failure) {
  Pipeline pipeline = NULL;
  PipelineLayout pipelineLayout = NULL;
  *layout = NULL;
  ShaderModule module = callBegin(session, failure) ? versionShader(session, text, length) : NULL;
  if (failure->kind != 0 || module == NULL) goto done;

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
  callEnd(session);
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
  BindGroup group = callBegin(session, failure) ? wgpuDeviceCreateBindGroup(session->device, &descriptor) : NULL;
  callEnd(session);
  free(entries);
  if (failure->kind != 0 && group != NULL) {
    wgpuBindGroupRelease(group);
    group = NULL;
  }
  return group;
}

void quireWrite(Session *session, DeviceBuffer buffer, uint64_t offset, const void *data, size_t size, Failure *failure) {
  if (callBegin(session, failure)) wgpuQueueWriteBuffer(session->queue, buffer, offset, data, size);
  callEnd(session);
}

void quireWait(Session *session, const uint64_t *submission, Failure *failure) {
  if (callBegin(session, failure)) versionPoll(session, submission);
  callEnd(session);
}

