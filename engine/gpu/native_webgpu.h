// The part of wgpu-native 29's C interface that this package calls. The Go binding links the library; its wrappers
// allocate and open two error scopes a call, so the tape goes to the C functions themselves.
#ifndef QUIRE_WEBGPU_H
#define QUIRE_WEBGPU_H

#include <stddef.h>
#include <stdint.h>

typedef void *Adapter, *BindGroup, *BindGroupLayout, *DeviceBuffer, *CommandBuffer, *CommandEncoder, *ComputePass,
    *Pipeline, *GPUDevice, *Instance, *PipelineLayout, *QuerySet, *Queue, *ShaderModule;

typedef struct { const char *data; size_t length; } StringView;
typedef struct Chain { struct Chain *next; uint32_t type; } Chain;
typedef struct { uint64_t id; } Future;

enum {
  chainWGSL = 2, chainInstanceExtras = 0x00030006,
  bufferMapRead = 1, bufferCopySource = 4, bufferCopyTarget = 8, bufferUniform = 0x40, bufferStorage = 0x80,
  bufferQueryResolve = 0x200,
  bindUniform = 2, bindStorage = 3, bindReadOnly = 4,
  modeSpontaneous = 3, stageCompute = 4, queryTimestamp = 2, errorOutOfMemory = 3, errorUnclaimed = 100, statusSuccess = 1,
  checkBounds = 1, flagDiscardLabels = 4
};

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
typedef struct { Chain *next; size_t featureCount; const uint32_t *features; const void *limits; } InstanceDescriptor;
typedef struct { const Chain *next; uint64_t backends; } EnumerateOptions;

typedef struct {
  Chain *next;
  StringView vendor, architecture, device, description;
  uint32_t backend, type, vendorID, deviceID, subgroupMin, subgroupMax;
} Info;

typedef struct {
  Chain *next;
  uint32_t maxTextureDimension1D, maxTextureDimension2D, maxTextureDimension3D, maxTextureArrayLayers, maxBindGroups,
      maxBindGroupsPlusVertexBuffers, maxBindingsPerBindGroup, maxDynamicUniformBuffersPerPipelineLayout,
      maxDynamicStorageBuffersPerPipelineLayout, maxSampledTexturesPerShaderStage, maxSamplersPerShaderStage,
      maxStorageBuffersPerShaderStage, maxStorageTexturesPerShaderStage, maxUniformBuffersPerShaderStage;
  uint64_t maxUniformBufferBindingSize, maxStorageBufferBindingSize;
  uint32_t minUniformBufferOffsetAlignment, minStorageBufferOffsetAlignment, maxVertexBuffers;
  uint64_t maxBufferSize;
  uint32_t maxVertexAttributes, maxVertexBufferArrayStride, maxInterStageShaderVariables, maxColorAttachments,
      maxColorAttachmentBytesPerSample, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX, maxComputeWorkgroupSizeY, maxComputeWorkgroupSizeZ, maxComputeWorkgroupsPerDimension,
      maxImmediateSize;
} WGPULimits;

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

typedef struct { Chain *next; StringView label; uint64_t usage, size; uint32_t mapped; } BufferDescriptor;
typedef struct { Chain *next; StringView label; } Labelled; // shader modules, command encoders, command buffers
typedef struct { Chain chain; StringView code; } WGSL;
typedef struct {
  Chain *next;
  uint32_t binding;
  uint64_t visibility;
  uint32_t arraySize;
  struct { Chain *next; uint32_t type, dynamic; uint64_t minSize; } buffer;
  struct { Chain *next; uint32_t type; } sampler;
  struct { Chain *next; uint32_t type, dimension, multisampled; } texture;
  struct { Chain *next; uint32_t access, format, dimension; } storageTexture;
} LayoutEntry;
typedef struct { Chain *next; StringView label; size_t count; const LayoutEntry *entries; } BindGroupLayoutDescriptor;
typedef struct {
  Chain *next; StringView label; size_t count; const BindGroupLayout *layouts; uint32_t immediateSize;
} PipelineLayoutDescriptor;
typedef struct {
  Chain *next;
  StringView label;
  PipelineLayout layout;
  struct { Chain *next; ShaderModule module; StringView entry; size_t constantCount; const void *constants; } compute;
} PipelineDescriptor;
typedef struct {
  Chain *next; uint32_t binding; DeviceBuffer buffer; uint64_t offset, size; void *sampler, *texture;
} BindEntry;
typedef struct {
  Chain *next; StringView label; BindGroupLayout layout; size_t count; const BindEntry *entries;
} BindGroupDescriptor;
typedef struct { Chain *next; QuerySet set; uint32_t begin, end; } TimestampWrites;
typedef struct { Chain *next; StringView label; const TimestampWrites *timestamps; } PassDescriptor;
typedef struct { Chain *next; StringView label; uint32_t type, count; } QuerySetDescriptor;

void wgpuSetLogLevel(uint32_t level);
Instance wgpuCreateInstance(const InstanceDescriptor *);
void wgpuInstanceRelease(Instance);
size_t wgpuInstanceEnumerateAdapters(Instance, const EnumerateOptions *, Adapter *);
uint32_t wgpuAdapterGetInfo(Adapter, Info *);
void wgpuAdapterInfoFreeMembers(Info);
uint32_t wgpuAdapterGetLimits(Adapter, WGPULimits *);
uint32_t wgpuAdapterHasFeature(Adapter, uint32_t feature);
Future wgpuAdapterRequestDevice(Adapter, const DeviceDescriptor *, DeviceCallbackInfo);
void wgpuAdapterRelease(Adapter);
Queue wgpuDeviceGetQueue(GPUDevice);
void wgpuDeviceDestroy(GPUDevice);
void wgpuDeviceRelease(GPUDevice);
uint32_t wgpuDevicePoll(GPUDevice, uint32_t wait, const uint64_t *submission);
DeviceBuffer wgpuDeviceCreateBuffer(GPUDevice, const BufferDescriptor *);
ShaderModule wgpuDeviceCreateShaderModuleTrusted(GPUDevice, const Labelled *, uint64_t checks);
BindGroupLayout wgpuDeviceCreateBindGroupLayout(GPUDevice, const BindGroupLayoutDescriptor *);
PipelineLayout wgpuDeviceCreatePipelineLayout(GPUDevice, const PipelineLayoutDescriptor *);
Pipeline wgpuDeviceCreateComputePipeline(GPUDevice, const PipelineDescriptor *);
BindGroup wgpuDeviceCreateBindGroup(GPUDevice, const BindGroupDescriptor *);
CommandEncoder wgpuDeviceCreateCommandEncoder(GPUDevice, const Labelled *);
QuerySet wgpuDeviceCreateQuerySet(GPUDevice, const QuerySetDescriptor *);
ComputePass wgpuCommandEncoderBeginComputePass(CommandEncoder, const PassDescriptor *);
void wgpuCommandEncoderCopyBufferToBuffer(CommandEncoder, DeviceBuffer, uint64_t, DeviceBuffer, uint64_t, uint64_t);
void wgpuCommandEncoderClearBuffer(CommandEncoder, DeviceBuffer, uint64_t, uint64_t);
void wgpuCommandEncoderResolveQuerySet(CommandEncoder, QuerySet, uint32_t, uint32_t, DeviceBuffer, uint64_t);
CommandBuffer wgpuCommandEncoderFinish(CommandEncoder, const Labelled *);
void wgpuComputePassEncoderSetPipeline(ComputePass, Pipeline);
void wgpuComputePassEncoderSetBindGroup(ComputePass, uint32_t, BindGroup, size_t, const uint32_t *);
void wgpuComputePassEncoderDispatchWorkgroups(ComputePass, uint32_t, uint32_t, uint32_t);
void wgpuComputePassEncoderEnd(ComputePass);
uint64_t wgpuQueueSubmitForIndex(Queue, size_t, const CommandBuffer *);
void wgpuQueueWriteBuffer(Queue, DeviceBuffer, uint64_t, const void *, size_t);
float wgpuQueueGetTimestampPeriod(Queue);
Future wgpuBufferMapAsync(DeviceBuffer, uint64_t mode, size_t, size_t, MapCallbackInfo);
const void *wgpuBufferGetConstMappedRange(DeviceBuffer, size_t, size_t);
void wgpuBufferUnmap(DeviceBuffer);
void wgpuBufferDestroy(DeviceBuffer);
void wgpuBufferRelease(DeviceBuffer);
void wgpuQueueRelease(Queue);
void wgpuShaderModuleRelease(ShaderModule);
void wgpuBindGroupLayoutRelease(BindGroupLayout);
void wgpuPipelineLayoutRelease(PipelineLayout);
void wgpuComputePipelineRelease(Pipeline);
void wgpuBindGroupRelease(BindGroup);
void wgpuQuerySetRelease(QuerySet);
void wgpuCommandEncoderRelease(CommandEncoder);
void wgpuCommandBufferRelease(CommandBuffer);
void wgpuComputePassEncoderRelease(ComputePass);

#endif
