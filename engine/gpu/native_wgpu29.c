//go:build !js && !cogentcore

#include "native_version.h"

enum { chainWGSL = 2, modeSpontaneous = 3, statusSuccess = 1, checkBounds = 1 };

typedef struct { uint64_t id; } Future;
typedef void (*ErrorCallback)(GPUDevice const *, uint32_t kind, StringView, void *, void *);
typedef void (*LostCallback)(GPUDevice const *, uint32_t reason, StringView, void *, void *);
typedef void (*DeviceCallback)(uint32_t status, GPUDevice, StringView, void *, void *);
typedef void (*MapCallback)(uint32_t status, StringView, void *, void *);
typedef struct { Chain *next; uint32_t mode; DeviceCallback call; void *user1, *user2; } DeviceCallbackInfo;
typedef struct { Chain *next; uint32_t mode; LostCallback call; void *user1, *user2; } LostCallbackInfo;
typedef struct { Chain *next; uint32_t mode; MapCallback call; void *user1, *user2; } MapCallbackInfo;
typedef struct { Chain *next; ErrorCallback call; void *user1, *user2; } ErrorCallbackInfo;

typedef struct {
  Chain chain;
  uint64_t backends, flags;
  uint32_t dx12Compiler, gles3Minor, glFence;
  StringView dxcPath;
  uint32_t dxcModel, dx12Presentation;
  const uint8_t *budgetCreation, *budgetLoss;
  struct { uint32_t kind; union { struct { void *display; int screen; } x; void *wayland; } data; } display;
} InstanceExtras;

typedef struct {
  Chain *next;
  StringView label;
  size_t featureCount;
  const uint32_t *features;
  const WGPULimits *limits;
  struct { Chain *next; StringView label; } queue;
  LostCallbackInfo lost;
  ErrorCallbackInfo error;
} DeviceDescriptor;

Future wgpuAdapterRequestDevice(Adapter, const DeviceDescriptor *, DeviceCallbackInfo);
uint32_t wgpuDevicePoll(GPUDevice, uint32_t wait, const uint64_t *submission);
ShaderModule wgpuDeviceCreateShaderModuleTrusted(GPUDevice, const Labelled *, uint64_t checks);
Future wgpuBufferMapAsync(DeviceBuffer, uint64_t mode, size_t, size_t, MapCallbackInfo);
float wgpuQueueGetTimestampPeriod(Queue);
void wgpuDeviceDestroy(GPUDevice);

static void onError(GPUDevice const *device, uint32_t kind, StringView text, void *session, void *unused) {
  (void)device, (void)unused;
  sessionError(session, kind, text);
}

static void onLost(GPUDevice const *device, uint32_t reason, StringView text, void *session, void *unused) {
  (void)device, (void)reason, (void)unused;
  sessionLost(session, text);
}

static void onDevice(uint32_t status, GPUDevice device, StringView text, void *session, void *unused) {
  (void)unused;
  sessionOpened(session, status == statusSuccess, device, text);
}

static void onMap(uint32_t status, StringView text, void *mapping, void *unused) {
  (void)text, (void)unused;
  mappingDone(mapping, status == statusSuccess);
}

Instance versionInstance(Flags backends) {
  InstanceExtras extras = {.chain = {NULL, chainInstanceExtras}, .backends = backends, .flags = flagDiscardLabels};
  InstanceDescriptor descriptor = {.next = &extras.chain};
  return wgpuCreateInstance(&descriptor);
}

void versionFacts(Adapter adapter, AdapterFacts *facts) {
  Info info = {0};
  if (wgpuAdapterGetInfo(adapter, &info) == statusSuccess) {
    callText(facts->name, sizeof facts->name, info.device);
    callText(facts->vendor, sizeof facts->vendor, info.vendor);
    callText(facts->driver, sizeof facts->driver, info.description);
    facts->backend = info.backend;
    facts->type = info.type;
    facts->vendorID = info.vendorID;
    wgpuAdapterInfoFreeMembers(info);
  }
  facts->timestamps = wgpuAdapterHasFeature(adapter, featureTimestamps);
  facts->f16 = wgpuAdapterHasFeature(adapter, featureF16);
  facts->subgroups = wgpuAdapterHasFeature(adapter, featureSubgroups);
  wgpuAdapterGetLimits(adapter, &facts->limits);
}

void versionOpen(Session *session, Adapter adapter, const uint32_t *features, size_t featureCount) {
  WGPULimits limits = {0};
  wgpuAdapterGetLimits(adapter, &limits);
  DeviceDescriptor descriptor = {
      .featureCount = featureCount,
      .features = features,
      .limits = &limits,
      .lost = {.mode = modeSpontaneous, .call = onLost, .user1 = session},
      .error = {.call = onError, .user1 = session},
  };
  wgpuAdapterRequestDevice(adapter, &descriptor,
                           (DeviceCallbackInfo){.mode = modeSpontaneous, .call = onDevice, .user1 = session});
}

void versionPoll(Session *session, const uint64_t *submission) { wgpuDevicePoll(session->device, 1, submission); }

void versionLook(Session *session) { wgpuDevicePoll(session->device, 0, NULL); }

void versionMap(DeviceBuffer buffer, uint32_t mode, size_t size, Mapping *mapping) {
  wgpuBufferMapAsync(buffer, mode, 0, size, (MapCallbackInfo){.mode = modeSpontaneous, .call = onMap, .user1 = mapping});
}

// versionShader keeps naga's bounds checks, for model files are not to be trusted, and leaves out its iteration counters:
// every loop of ours ends.
ShaderModule versionShader(Session *session, const char *text, size_t length) {
  WGSL source = {.chain = {NULL, chainWGSL}, .code = {text, length}};
  Labelled descriptor = {.next = &source.chain};
  return wgpuDeviceCreateShaderModuleTrusted(session->device, &descriptor, checkBounds);
}

float versionPeriod(Session *session) { return wgpuQueueGetTimestampPeriod(session->queue); }

void versionDestroy(Session *session) { wgpuDeviceDestroy(session->device); }
