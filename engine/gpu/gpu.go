// Package gpu is the only room that knows a GPU binding: wgpu natively, WebGPU through JavaScript in the tab.
//
// A Device makes Buffers, Kernels (compiled shaders) and BindGroups; a Recorder writes a step's work as a tape of
// integers, and Submit hands the whole tape over in one call. Everything above this package is the same on all hosts.
package gpu

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"quire/engine/json"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrNoAdapter   = errors.New("gpu: no adapter found")
	ErrDeviceLost  = errors.New("gpu: the device was lost")
	ErrOutOfMemory = errors.New("gpu: out of memory")
	ErrReleased    = errors.New("gpu: used after release")
)

// MemoryError says which allocation failed; it is an ErrOutOfMemory.
type MemoryError struct {
	Label string
	Asked uint64 // bytes
	Held  uint64 // bytes that this device already holds
	Limit uint64 // the adapter's limit on one buffer
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("gpu: out of memory: %s needs %d bytes; %d are held already, one buffer may have %d", e.Label, e.Asked, e.Held, e.Limit)
}

// Unwrap makes the error an ErrOutOfMemory.
func (e *MemoryError) Unwrap() error { return ErrOutOfMemory }

// ShaderError is a shader that did not compile, located in the file it was composed from.
type ShaderError struct {
	Kernel  string
	File    string // "header" for the lines that the Go side put in front
	Line    int    // from 1; 0 when the compiler named none
	Message string
}

func (e *ShaderError) Error() string {
	return fmt.Sprintf("gpu: kernel %s: %s:%d: %s", e.Kernel, e.File, e.Line, e.Message)
}

// Usage says what a buffer is for; values combine.
type Usage uint32

// Buffer usages. Storage buffers are read and written by kernels; uniform buffers are small and read only.
const (
	Storage Usage = 1 << iota
	Uniform
	CopySource
	CopyTarget
	mapRead
)

// Feature is something an adapter may offer beyond WebGPU's core.
type Feature uint32

// The features Quire negotiates.
const (
	FeatureF16 Feature = 1 << iota
	FeatureSubgroups
	FeatureTimestamps
	FeatureSubgroupMatrix
)

type featureName struct {
	f    Feature
	name string
}

// AllFeatures are all of them.
const AllFeatures = FeatureF16 | FeatureSubgroups | FeatureTimestamps | FeatureSubgroupMatrix

var featureNames = []featureName{{FeatureF16, "shader-f16"}, {FeatureSubgroups, "subgroups"}, {FeatureTimestamps, "timestamp-query"}, {FeatureSubgroupMatrix, "subgroup-matrix"}}

// Has reports whether all of want are present.
func (f Feature) Has(want Feature) bool { return f&want == want }

// Names lists the features by WebGPU's names.
func (f Feature) Names() []string {
	names := []string{}
	for _, n := range featureNames {
		if f.Has(n.f) {
			names = append(names, n.name)
		}
	}
	return names
}

// ParseFeatures reads WebGPU's names of features, as Names gives them.
func ParseFeatures(names []string) (Feature, error) {
	var all Feature
	for _, name := range names {
		i := slices.IndexFunc(featureNames, func(n featureName) bool { return n.name == name })
		if i < 0 {
			return 0, fmt.Errorf("there is no feature %q; these are used: %s", name, strings.Join(AllFeatures.Names(), ", "))
		}
		all |= featureNames[i].f
	}
	return all, nil
}

// MarshalJSON writes a list of the features' names.
func (f Feature) MarshalJSON() ([]byte, error) { return json.Marshal(f.Names()) }

// Limits are the adapter's limits that kernels and buffers must keep, in WebGPU's units.
type Limits struct {
	MaxBufferSize                     uint64 `json:"maxBufferSize"`               // bytes
	MaxStorageBufferBindingSize       uint64 `json:"maxStorageBufferBindingSize"` // bytes
	MaxStorageBuffersPerShaderStage   uint32 `json:"maxStorageBuffersPerShaderStage"`
	MinStorageBufferOffsetAlignment   uint32 `json:"minStorageBufferOffsetAlignment"` // bytes
	MaxComputeWorkgroupStorageSize    uint32 `json:"maxComputeWorkgroupStorageSize"`  // bytes
	MaxComputeInvocationsPerWorkgroup uint32 `json:"maxComputeInvocationsPerWorkgroup"`
	MaxComputeWorkgroupSizeX          uint32 `json:"maxComputeWorkgroupSizeX"`
	MaxComputeWorkgroupsPerDimension  uint32 `json:"maxComputeWorkgroupsPerDimension"`
}

// AdapterInfo describes an adapter.
type AdapterInfo struct {
	Index       int            `json:"index"` // place in Adapters' list; what Options.Adapter may name
	Name        string         `json:"name"`  // device description
	Vendor      string         `json:"vendor"`
	Backend     string         `json:"backend"` // vulkan, metal, d3d12, webgpu …
	Type        string         `json:"type"`    // discrete, integrated, cpu, unknown
	Driver      string         `json:"driver"`
	Features    Feature        `json:"features"`
	Limits      Limits         `json:"limits"`
	SubgroupMin uint32         `json:"-"` // 0 where not known
	SubgroupMax uint32         `json:"-"`
	Matrices    []MatrixConfig `json:"-"`
}

// MatrixConfig is a product of subgroup matrices that an adapter offers: M × K by K × N, with the component types' names in
// WGSL.
type MatrixConfig struct {
	Factor, Sum string
	M, N, K     int
}

// HasMatrix reports whether the adapter multiplies subgroup matrices so.
func (a *AdapterInfo) HasMatrix(c MatrixConfig) bool { return slices.Contains(a.Matrices, c) }

// SubgroupLanes returns how many neighbouring invocations share a subgroup for certain, a power of two from 4 on, or 0 where
// none do.
func (a AdapterInfo) SubgroupLanes() int {
	if !a.Features.Has(FeatureSubgroups) || a.SubgroupMin < 4 || a.SubgroupMin&(a.SubgroupMin-1) != 0 {
		return 0
	}
	return int(a.SubgroupMin)
}

// PowerPreference asks for the fast or the frugal adapter.
type PowerPreference string

// The power preferences; the empty string leaves the choice to the host.
const (
	HighPerformance PowerPreference = "high-performance"
	LowPower        PowerPreference = "low-power"
)

// Options choose an adapter and what is asked of its device.
type Options struct {
	Adapter string          // an index in Adapters' list or part of a name, case ignored; "" for the best
	Power   PowerPreference // used when Adapter is ""; the default is HighPerformance
	Disable Feature         // features not to ask for even where the adapter has them
	NoWake  bool            // in the tab: send nothing while the only readback in flight is awaited; it lands up to 2 ms later
}
