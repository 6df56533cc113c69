// What the Go side calls of native_replay.c. Every function that can fail takes a Failure and fills it.
#ifndef QUIRE_REPLAY_H
#define QUIRE_REPLAY_H

#include "native_webgpu.h"

// Failure is the first error of a call: kind 0 is none, else wgpu's error type. lost tells that the device is gone.
typedef struct { uint32_t kind, lost; char text[8192]; } Failure;

// Session is an open device and what its callbacks say of it. It is never freed: a driver may call back late.
typedef struct Session Session;

// Mapping is one map of a readback or of a stage: 0 while it is pending, then the status.
typedef struct Mapping Mapping;

typedef struct {
  char name[256], vendor[128], driver[256];
  uint32_t backend, type, vendorID;
  uint32_t f16, subgroups, timestamps;
  WGPULimits limits;
} AdapterFacts;

enum { errorUnclaimed = 100 }; // a failure of no call: an error that came up later

Instance quireInstance(uint32_t backends);
void quireAdapterFacts(Adapter adapter, AdapterFacts *facts);
Session *quireOpen(Adapter adapter, const uint32_t *features, size_t featureCount, Failure *failure);
const char *quireLostReason(Session *session);
void quireDestroy(Session *session);
void quireClose(Session *session);

DeviceBuffer quireBuffer(Session *session, uint64_t size, uint64_t usage, Failure *failure);
// quireStage makes a buffer that is mapped to be written, and gives its memory; quireUnmapStage leaves it to the GPU.
DeviceBuffer quireStage(Session *session, uint64_t size, void **memory, Failure *failure);
void quireUnmapStage(Session *session, DeviceBuffer buffer, Failure *failure);
// quireMapStage begins to map a stage again. quireStageMemory gives its memory, or NULL while the GPU has it.
Mapping *quireMapStage(Session *session, DeviceBuffer buffer, size_t size, Failure *failure);
void *quireStageMemory(Session *session, DeviceBuffer buffer, Mapping *mapping, Failure *failure);
void quireDropBuffer(Session *session, DeviceBuffer buffer, Failure *failure);
Pipeline quirePipeline(Session *session, const char *text, size_t length, const uint32_t *kinds, size_t count,
                       BindGroupLayout *layout, Failure *failure);
BindGroup quireBindGroup(Session *session, BindGroupLayout layout, const DeviceBuffer *buffers,
                         const uint64_t *ranges, size_t count, Failure *failure);
void quireWrite(Session *session, DeviceBuffer buffer, uint64_t offset, const void *data, size_t size, Failure *failure);
uint64_t quireFlush(Session *session, Failure *failure);
void quireWait(Session *session, const uint64_t *submission, Failure *failure);

// The tape's operations, as tape.go numbers them.
enum {
  tapeWrite = 1, tapeKernel, tapeBind, tapeDispatch, tapeCopy, tapeClear, tapeSplit, tapeMap, tapeTimed
};

// quireReplay encodes and submits a tape. Handles index the tables; mapped[i] receives the mapping of the tape's i-th
// opMap. It returns the last submission's index.
uint64_t quireReplay(Session *session, const int32_t *tape, size_t length, const uint8_t *data, DeviceBuffer const *buffers,
                     Pipeline const *pipelines, BindGroup const *groups, Mapping **mapped, uint32_t passes,
                     Failure *failure);
void quireDropMapping(Mapping *mapping);
// quireFetch waits for a mapping of a submission, copies size bytes out and unmaps.
void quireFetch(Session *session, DeviceBuffer buffer, Mapping *mapping, const uint64_t *submission, void *target,
                size_t size, Failure *failure);
void quireAbandon(Session *session, DeviceBuffer buffer, Mapping *mapping, Failure *failure);
void quireTimings(Session *session, uint64_t *ticks, uint32_t passes, Failure *failure);
float quirePeriod(Session *session);

#endif
