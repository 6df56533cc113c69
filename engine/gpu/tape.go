package gpu

import "unsafe"

// The tape's operations. Each is one word followed by its operands, all int32; offsets and sizes are in words of
// 4 bytes, so that 8 GiB can be named. web/gpu.js replays the same tape.
const (
	opWrite    = 1 // buffer, offset, index of the first byte in data, bytes: written before everything else
	opKernel   = 2 // kernel: binds the pipeline for what follows
	opBind     = 3 // bind group
	opDispatch = 4 // x, y, z
	opCopy     = 5 // source, offset, target, offset, size
	opClear    = 6 // buffer, offset, size
	opSplit    = 7 // submit what is encoded so far, go on in a new command buffer
	opMap      = 8 // readback buffer, size: map it for reading once submitted
	opTimed    = 9 // index: the next dispatch runs in a pass of its own between timestamps 2·index and 2·index+1
)

// Recorder writes a step's work as a tape. It keeps its memory from step to step: recording allocates nothing once
// warm. A Recorder is used by one goroutine at a time.
type Recorder struct {
	tape       []int32
	data       []byte
	kernel     int32
	bind       int32
	dispatches int
	labels     []string
	Profile    bool // time every dispatch on the GPU (needs FeatureTimestamps)
}

// Reset empties the tape.
func (r *Recorder) Reset() {
	r.tape, r.data, r.labels = r.tape[:0], r.data[:0], r.labels[:0]
	r.kernel, r.bind, r.dispatches = 0, 0, 0
}

// Dispatches counts the dispatches recorded since Reset.
func (r *Recorder) Dispatches() int { return r.dispatches }

// Write copies data (a multiple of 4 bytes) to a buffer before anything else on the tape runs.
func (r *Recorder) Write(b *Buffer, offset uint64, data []byte) {
	r.tape = append(r.tape, opWrite, b.handle, int32(offset/4), int32(len(r.data)), int32(len(data)))
	r.data = append(r.data, data...)
}

// WriteWords is Write of words, which are as the GPU has them: the lowest byte first.
func (r *Recorder) WriteWords(b *Buffer, offset uint64, words []uint32) {
	r.Write(b, offset, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 4*len(words)))
}

// Dispatch runs x·y·z workgroups of the kernel on bound buffers; a zero count records nothing.
func (r *Recorder) Dispatch(k *Kernel, g *BindGroup, x, y, z uint32) {
	if x == 0 || y == 0 || z == 0 {
		return
	}
	if r.Profile {
		r.tape = append(r.tape, opTimed, int32(len(r.labels)))
		r.labels = append(r.labels, k.module.Label)
		r.kernel, r.bind = 0, 0
	}
	if k.handle != r.kernel {
		r.tape = append(r.tape, opKernel, k.handle)
		r.kernel = k.handle
		r.bind = 0
	}
	if g.handle != r.bind {
		r.tape = append(r.tape, opBind, g.handle)
		r.bind = g.handle
	}
	r.tape = append(r.tape, opDispatch, int32(x), int32(y), int32(z))
	r.dispatches++
}

// Copy copies size bytes between buffers; offsets and size are multiples of 4.
func (r *Recorder) Copy(from *Buffer, fromOffset uint64, to *Buffer, toOffset, size uint64) {
	r.tape = append(r.tape, opCopy, from.handle, int32(fromOffset/4), to.handle, int32(toOffset/4), int32(size/4))
	r.kernel, r.bind = 0, 0
}

// Clear zeroes size bytes of a buffer.
func (r *Recorder) Clear(b *Buffer, offset, size uint64) {
	r.tape = append(r.tape, opClear, b.handle, int32(offset/4), int32(size/4))
	r.kernel, r.bind = 0, 0
}

// Split ends the current submission: what follows is submitted on its own, so that none holds the GPU too long.
func (r *Recorder) Split() {
	r.tape = append(r.tape, opSplit)
	r.kernel, r.bind = 0, 0
}

// Read copies size bytes of b into the readback and maps it once the tape has run; Readback.Wait fetches them.
func (r *Recorder) Read(to *Readback, b *Buffer, offset, size uint64) {
	r.Copy(b, offset, to.buffer, 0, size)
	r.Map(to, size)
}

// Map maps a readback that the tape's copies have filled.
func (r *Recorder) Map(to *Readback, size uint64) {
	r.tape = append(r.tape, opMap, to.buffer.handle, int32(size/4))
}
