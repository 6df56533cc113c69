//go:build !js && cogentcore

#include "native_version.h"

#include <string.h>
#include <time.h>

enum { chainWGSL = 6, statusSuccess = 0 };

typedef void (*ErrorCallback)(uint32_t kind, const char *, void *);
typedef void (*LostCallback)(uint32_t reason, const char *, void *);
typedef void (*DeviceCallback)(uint32_t status, GPUDevice, const char *, void *);
typedef void (*MapCallback)(uint32_t status, void *);

typedef struct {
  Chain chain;
  uint32_t backends, flags, dx12Compiler, gles3Minor;
  const char *dxilPath, *dxcPath;
} InstanceExtras;

typedef struct {
  Chain *next;
  const char *label;
  size_t featureCount;
  const uint32_t *features;
  const WGPULimits *limits;
  struct { Chain *next; const char *label; } queue;
  LostCallback lost;
  void *lostUser;
  struct { Chain *next; ErrorCallback call; void *user; } error;
} DeviceDescriptor;

typedef struct { Chain *next; const char *label; size_t hintCount; const void *hints; } ShaderDescriptor;

void wgpuAdapterRequestDevice(Adapter, const DeviceDescriptor *, DeviceCallback, void *);
void wgpuDeviceDestroy(GPUDevice);
uint32_t wgpuDevicePoll(GPUDevice, uint32_t wait, const void *submission);
ShaderModule wgpuDeviceCreateShaderModule(GPUDevice, const ShaderDescriptor *);
void wgpuBufferMapAsync(DeviceBuffer, uint32_t mode, size_t, size_t, MapCallback, void *);

static void onError(uint32_t kind, const char *text, void *session) {
  sessionError(session, kind, (StringView){text, SIZE_MAX});
}

static void onLost(uint32_t reason, const char *text, void *session) {
  (void)reason;
  sessionLost(session, (StringView){text, SIZE_MAX});
}

static void onDevice(uint32_t status, GPUDevice device, const char *text, void *session) {
  sessionOpened(session, status == statusSuccess, device, (StringView){text, SIZE_MAX});
}

static void onMap(uint32_t status, void *mapping) { mappingDone(mapping, status == statusSuccess); }

Instance versionInstance(Flags backends) {
  InstanceExtras extras = {.chain = {NULL, chainInstanceExtras}, .backends = backends, .flags = flagDiscardLabels};
  InstanceDescriptor descriptor = {.next = &extras.chain};
  return wgpuCreateInstance(&descriptor);
}

// adapterLimits reads the limits. An unlimited buffer size reads as "not set" when a device is asked for, which means
// 256 MiB: it is clamped to the largest number that does not.
static void adapterLimits(Adapter adapter, WGPULimits *limits) {
  wgpuAdapterGetLimits(adapter, limits);
  limits->next = NULL;
  if (limits->maxBufferSize > INT64_MAX) limits->maxBufferSize = INT64_MAX;
}

void versionFacts(Adapter adapter, AdapterFacts *facts) {
  Info info = {0};
  wgpuAdapterGetInfo(adapter, &info);
  callText(facts->name, sizeof facts->name, (StringView){info.description, SIZE_MAX}); // device is a number here
  callText(facts->vendor, sizeof facts->vendor, (StringView){info.vendor, SIZE_MAX});
  facts->backend = info.backend;
  facts->type = info.type + 1; // 29 counts from 1
  wgpuAdapterInfoFreeMembers(info);
  adapterLimits(adapter, &facts->limits);
}

// versionOpen chains no limits of wgpu's own: those of push constants read back as garbage, and none is what we need.
void versionOpen(Session *session, Adapter adapter, const uint32_t *features, size_t featureCount) {
  WGPULimits limits = {0};
  adapterLimits(adapter, &limits);
  DeviceDescriptor descriptor = {
      .featureCount = featureCount,
      .features = features,
      .limits = &limits,
      .lost = onLost,
      .lostUser = session,
      .error = {.call = onError, .user = session},
  };
  wgpuAdapterRequestDevice(adapter, &descriptor, onDevice, session);
}

// versionPoll waits until the queue is empty, whatever the submission: 0.19's own wait takes work for done after five
// seconds, and gives back what is still being written.
void versionPoll(Session *session, const uint64_t *submission) {
  (void)submission;
  const struct timespec pause = {.tv_nsec = 20000};
  while (!wgpuDevicePoll(session->device, 0, NULL) && !sessionIsLost(session)) nanosleep(&pause, NULL);
}

void versionLook(Session *session) { wgpuDevicePoll(session->device, 0, NULL); }

void versionMap(DeviceBuffer buffer, uint32_t mode, size_t size, Mapping *mapping) {
  wgpuBufferMapAsync(buffer, mode, 0, size, onMap, mapping);
}

// versionShader relies on the byte 0 that follows the text.
ShaderModule versionShader(Session *session, const char *text, size_t length) {
  (void)length;
  WGSL source = {.chain = {NULL, chainWGSL}, .code = text};
  ShaderDescriptor descriptor = {.next = &source.chain};
  return wgpuDeviceCreateShaderModule(session->device, &descriptor);
}

// versionPeriod is 0: 0.19 does not tell what its timestamps count, so none are offered.
float versionPeriod(Session *session) {
  (void)session;
  return 0;
}

// versionDestroy lets the work end first, see quireClose.
void versionDestroy(Session *session) {
  versionPoll(session, NULL);
  wgpuDeviceDestroy(session->device);
}
