// What native_replay.c asks of the two versions of wgpu-native, and what these tell it.
#ifndef QUIRE_VERSION_H
#define QUIRE_VERSION_H

#include <stdatomic.h>

#include "native_replay.h"

struct Session {
  GPUDevice device;
  Queue queue;
  atomic_int lost, uncaptured; // 1 while the text is written, 2 once it is there
  char lostText[512], uncapturedText[1024];
  QuerySet *sets;
  uint32_t setCount;
  DeviceBuffer resolved, ticks;
};

// versionOpen requests a device whose callbacks are sessionError, sessionLost and opened.
void versionOpen(Session *session, Adapter adapter, const uint32_t *features, size_t featureCount);
void versionFacts(Adapter adapter, AdapterFacts *facts);
Instance versionInstance(Flags backends);
void versionPoll(Session *session, const uint64_t *submission);
// versionLook lets callbacks come, and waits for nothing.
void versionLook(Session *session);
void versionMap(DeviceBuffer buffer, uint32_t mode, size_t size, Mapping *mapping);
ShaderModule versionShader(Session *session, const char *text, size_t length);
float versionPeriod(Session *session);
void versionDestroy(Session *session);

#ifdef QUIRE_COGENTCORE
#define entryMain "main"
#else
#define entryMain {"main", 4}
#endif

extern _Thread_local Failure *callFailure; // the failure of the call that this thread is in, NULL between calls
int callBegin(Session *session, Failure *failure);
void callEnd(Session *session);
void callFail(uint32_t kind, StringView text);
int sessionIsLost(Session *session);
DeviceBuffer sessionBuffer(Session *session, uint64_t size, uint64_t usage);
void callText(char *target, size_t size, StringView text);
void sessionError(Session *session, uint32_t kind, StringView text);
void sessionLost(Session *session, StringView text);
void sessionOpened(Session *session, int success, GPUDevice device, StringView text);
void mappingDone(Mapping *mapping, int success);

#endif
