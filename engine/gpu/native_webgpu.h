// The part of wgpu-native's C interface that this package calls, in the two versions that its Go bindings link: 29, and
// with QUIRE_COGENTCORE 0.19. The bindings' own wrappers allocate and open two error scopes a call, so the tape goes to
// the C functions themselves.
#ifndef QUIRE_WEBGPU_H
#define QUIRE_WEBGPU_H

#include <stddef.h>
#include <stdint.h>

typedef void *Adapter, *BindGroup, *BindGroupLayout, *DeviceBuffer, *CommandBuffer, *CommandEncoder, *ComputePass,
    *Pipeline, *GPUDevice, *Instance, *PipelineLayout, *QuerySet, *Queue, *ShaderModule;

typedef struct { const char *data; size_t length; } StringView;
typedef struct Chain { struct Chain *next; uint32_t type; } Chain;

#ifdef QUIRE_COGENTCORE
typedef const char *Label;
typedef uint32_t Flags;
enum { errorOutOfMemory = 2, bindUniform = 1, bindStorage = 2, bindReadOnly = 3, queryTimestamp = 1 };
#else
typedef StringView Label;
typedef uint64_t Flags;
enum { errorOutOfMemory = 3, bindUniform = 2, bindStorage = 3, bindReadOnly = 4, queryTimestamp = 2 };
#endif

enum {
  chainInstanceExtras = 0x00030006,
  bufferMapRead = 1, bufferMapWrite = 2, bufferCopySource = 4, bufferCopyTarget = 8, bufferUniform = 0x40, bufferStorage = 0x80,
  bufferQueryResolve = 0x200, stageCompute = 4, flagDiscardLabels = 4,
  featureTimestamps = 0x09, featureF16 = 0x0b, featureSubgroups = 0x00030021 // by 29's numbers, 0.19 is asked for none
};

typedef struct { Chain *next; size_t featureCount; const uint32_t *features; const void *limits; } InstanceDescriptor;
typedef struct { const Chain *next; Flags backends; } EnumerateOptions;

typedef struct {
  Chain *next;
  Label vendor, architecture, device, description;
  uint32_t backend, type, vendorID, deviceID;
#ifndef QUIRE_COGENTCORE
  uint32_t subgroupMin, subgroupMax;
#endif
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
  uint32_t maxVertexAttributes, maxVertexBufferArrayStride,
#ifdef QUIRE_COGENTCORE
      maxInterStageShaderComponents,
#endif
      maxInterStageShaderVariables, maxColorAttachments,
      maxColorAttachmentBytesPerSample, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX, maxComputeWorkgroupSizeY, maxComputeWorkgroupSizeZ, maxComputeWorkgroupsPerDimension
#ifndef QUIRE_COGENTCORE
      , maxImmediateSize
#endif
      ;
} WGPULimits;

typedef struct { Chain *next; Label label; Flags usage; uint64_t size; uint32_t mapped; } BufferDescriptor;
typedef struct { Chain *next; Label label; } Labelled; // command encoders, command buffers, shader modules of 29
typedef struct { Chain chain; Label code; } WGSL;
typedef struct {
  Chain *next;
  uint32_t binding;
  Flags visibility;
#ifndef QUIRE_COGENTCORE
  uint32_t arraySize;
#endif
  struct { Chain *next; uint32_t type, dynamic; uint64_t minSize; } buffer;
  struct { Chain *next; uint32_t type; } sampler;
  struct { Chain *next; uint32_t type, dimension, multisampled; } texture;
  struct { Chain *next; uint32_t access, format, dimension; } storageTexture;
} LayoutEntry;
typedef struct { Chain *next; Label label; size_t count; const LayoutEntry *entries; } BindGroupLayoutDescriptor;
typedef struct {
  Chain *next;
  Label label;
  size_t count;
  const BindGroupLayout *layouts;
#ifndef QUIRE_COGENTCORE
  uint32_t immediateSize;
#endif
} PipelineLayoutDescriptor;
typedef struct {
  Chain *next;
  Label label;
  PipelineLayout layout;
  struct { Chain *next; ShaderModule module; Label entry; size_t constantCount; const void *constants; } compute;
} PipelineDescriptor;
typedef struct {
  Chain *next; uint32_t binding; DeviceBuffer buffer; uint64_t offset, size; void *sampler, *texture;
} BindEntry;
typedef struct {
  Chain *next; Label label; BindGroupLayout layout; size_t count; const BindEntry *entries;
} BindGroupDescriptor;
typedef struct {
#ifndef QUIRE_COGENTCORE
  Chain *next;
#endif
  QuerySet set;
  uint32_t begin, end;
} TimestampWrites;
typedef struct { Chain *next; Label label; const TimestampWrites *timestamps; } PassDescriptor;
typedef struct { Chain *next; Label label; uint32_t type, count; } QuerySetDescriptor;

void wgpuSetLogLevel(uint32_t level);
Instance wgpuCreateInstance(const InstanceDescriptor *);
void wgpuInstanceRelease(Instance);
size_t wgpuInstanceEnumerateAdapters(Instance, const EnumerateOptions *, Adapter *);
uint32_t wgpuAdapterGetInfo(Adapter, Info *);
void wgpuAdapterInfoFreeMembers(Info);
uint32_t wgpuAdapterGetLimits(Adapter, WGPULimits *);
uint32_t wgpuAdapterHasFeature(Adapter, uint32_t feature);
void wgpuAdapterRelease(Adapter);
Queue wgpuDeviceGetQueue(GPUDevice);
void wgpuDeviceRelease(GPUDevice);
DeviceBuffer wgpuDeviceCreateBuffer(GPUDevice, const BufferDescriptor *);
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
const void *wgpuBufferGetConstMappedRange(DeviceBuffer, size_t, size_t);
void *wgpuBufferGetMappedRange(DeviceBuffer, size_t, size_t);
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
