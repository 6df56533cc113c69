package gpu

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"syscall/js"
)

// PackedDot tells whether kernels may use dot products of packed integers: a matter of the browser, not of the adapter.
func PackedDot() bool {
	web := js.Global().Get("navigator").Get("gpu")
	return web.Truthy() && web.Get("wgslLanguageFeatures").Truthy() && web.Get("wgslLanguageFeatures").Call("has", "packed_4x8_integer_dot_product").Bool()
}

// jsBackend is a WebGPU device in the tab.
type jsBackend struct {
	host    *host
	id      int32
	adapter AdapterInfo
	events  events
	kept    bool // the device had a user before

	mu      sync.Mutex
	mapped  map[int32]chan bool // by handle: whether the readback that is awaited could be copied
	compile map[int32]struct{}  // tokens of kernels under way
	gone    chan struct{}       // closed when the device is lost or released
	cause   error               // why, once that has happened
}

func listAdapters(ctx context.Context) ([]AdapterInfo, error) {
	h, err := theHost()
	if err != nil {
		return nil, err
	}
	list, err := h.await(ctx, nil, func(token int32) { h.object.Call("adapters", token) })
	if err != nil {
		return nil, noAdapter(err)
	}
	out := make([]AdapterInfo, list.Length())
	for i := range out {
		out[i] = adapterInfo(list.Index(i))
	}
	return out, nil
}

func openBackend(ctx context.Context, o Options, e events) (backend, error) {
	h, err := theHost()
	if err != nil {
		return nil, err
	}
	power := o.Power
	if power == "" {
		power = HighPerformance
	}
	answers := make(chan answer, 1)
	token := h.expect(func(kind int, value js.Value) { answers <- answer{kind, value} })
	h.object.Call("open", token, o.Adapter, string(power), uint32(o.Disable), !o.NoWake)
	var a answer
	select {
	case a = <-answers:
	case <-ctx.Done():
		go func() { // nobody else would give it back
			if a := <-answers; a.kind == answerDone {
				h.object.Call("release", a.value.Get("device"))
			}
		}()
		return nil, ctx.Err()
	}
	if err := a.err(); err != nil {
		return nil, noAdapter(err)
	}
	opened := a.value
	b := &jsBackend{
		host: h, id: int32(opened.Get("device").Int()), adapter: adapterInfo(opened), events: e, kept: opened.Get("kept").Truthy(),
		mapped: map[int32]chan bool{}, compile: map[int32]struct{}{}, gone: make(chan struct{}),
	}
	h.mu.Lock()
	h.devices[b.id] = b
	h.mu.Unlock()
	h.object.Call("listen", b.id)
	return b, nil
}

func noAdapter(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNoAdapter, err)
}

func adapterInfo(v js.Value) AdapterInfo {
	l := v.Get("limits")
	limit := func(name string) uint64 {
		if n := l.Get(name); n.Type() == js.TypeNumber {
			return uint64(n.Float())
		}
		return 0
	}
	small := func(name string) uint32 { return uint32(min(limit(name), math.MaxUint32)) }
	return AdapterInfo{
		Index: v.Get("index").Int(), Name: v.Get("name").String(), Vendor: v.Get("vendor").String(),
		Backend: "webgpu", Type: v.Get("type").String(), Features: Feature(v.Get("features").Int()),
		SubgroupMin: uint32(v.Get("subgroupMin").Int()), SubgroupMax: uint32(v.Get("subgroupMax").Int()),
		Matrices: matrices(v.Get("matrices")),
		Limits: Limits{
			MaxBufferSize:                     limit("maxBufferSize"),
			MaxStorageBufferBindingSize:       limit("maxStorageBufferBindingSize"),
			MaxStorageBuffersPerShaderStage:   small("maxStorageBuffersPerShaderStage"),
			MinStorageBufferOffsetAlignment:   small("minStorageBufferOffsetAlignment"),
			MaxComputeWorkgroupStorageSize:    small("maxComputeWorkgroupStorageSize"),
			MaxComputeInvocationsPerWorkgroup: small("maxComputeInvocationsPerWorkgroup"),
			MaxComputeWorkgroupSizeX:          small("maxComputeWorkgroupSizeX"),
			MaxComputeWorkgroupsPerDimension:  small("maxComputeWorkgroupsPerDimension"),
		},
	}
}

func matrices(list js.Value) []MatrixConfig {
	var out []MatrixConfig
	if list.Type() != js.TypeObject {
		return nil
	}
	for i := range list.Length() {
		c := list.Index(i)
		out = append(out, MatrixConfig{Factor: c.Get("factor").String(), Sum: c.Get("sum").String(),
			M: c.Get("m").Int(), N: c.Get("n").Int(), K: c.Get("k").Int()})
	}
	return out
}

func (b *jsBackend) info() AdapterInfo { return b.adapter }

// notified is what JavaScript says of the device; it must not block.
func (b *jsBackend) notified(kind int, value js.Value) {
	switch kind {
	case deviceLost:
		if reason := value.String(); b.end(fmt.Errorf("%w: %s", ErrDeviceLost, reason)) {
			b.events.lost(reason)
		}
	case deviceUncaptured:
		b.events.uncaptured(value.String())
	case deviceMapped, deviceBroken:
		b.mu.Lock()
		landed := b.mapped[int32(value.Int())]
		b.mu.Unlock()
		select {
		case landed <- kind == deviceMapped:
		default:
		}
	}
}

// end fails what is under way and everything after: the device is lost or was released.
func (b *jsBackend) end(cause error) bool {
	b.mu.Lock()
	if b.cause != nil {
		b.mu.Unlock()
		return false
	}
	b.cause = cause
	var compiling []func(int, js.Value)
	for token := range b.compile {
		if done, ok := b.host.cancel(token); ok {
			compiling = append(compiling, done)
		}
	}
	b.mu.Unlock()
	close(b.gone)
	for _, done := range compiling {
		done(answerFailed, js.ValueOf(cause.Error()))
	}
	return true
}

// await is host.await for as long as the device lives.
func (b *jsBackend) await(ctx context.Context, start func(token int32)) (js.Value, error) {
	v, err := b.host.await(ctx, b.gone, start)
	return v, b.explain(err)
}

// explain gives the end of the device as the error where there was one.
func (b *jsBackend) explain(err error) error {
	if err == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cause != nil {
		return b.cause
	}
	return err
}

func (b *jsBackend) createBuffer(label string, size uint64, usage Usage) (int32, error) {
	v, err := b.await(context.Background(), func(token int32) {
		b.host.object.Call("createBuffer", b.id, token, label, float64(size), uint32(usage))
	})
	if err != nil {
		return 0, err
	}
	return int32(v.Int()), nil
}

func (b *jsBackend) destroyBuffer(handle int32) {
	b.mu.Lock()
	delete(b.mapped, handle)
	b.mu.Unlock()
	b.host.object.Call("destroyBuffer", b.id, handle)
}

// kinds spells a module's bindings.
func kinds(m *Module) string {
	kinds := make([]byte, len(m.Bindings))
	for i, kind := range m.Bindings {
		kinds[i] = '0' + byte(kind)
	}
	return string(kinds)
}

func (b *jsBackend) recallKernel(m *Module) int32 {
	if !b.kept {
		return 0
	}
	return int32(b.host.object.Call("recallKernel", b.id, m.Text, kinds(m)).Int())
}

func (b *jsBackend) createKernel(m *Module, done func(handle int32, err error)) {
	var token int32
	token = b.host.expect(func(kind int, value js.Value) {
		b.mu.Lock()
		delete(b.compile, token)
		b.mu.Unlock()
		if err := (answer{kind, value}).err(); err != nil {
			done(0, b.explain(err))
			return
		}
		done(int32(value.Int()), nil)
	})
	b.mu.Lock()
	cause := b.cause
	b.compile[token] = struct{}{}
	b.mu.Unlock()
	if cause != nil {
		if fail, ok := b.host.cancel(token); ok {
			fail(answerFailed, js.ValueOf(cause.Error()))
		}
		return
	}
	b.host.object.Call("createKernel", b.id, token, m.Label, m.Text, kinds(m))
}

func (b *jsBackend) createBindGroup(label string, kernel int32, views []View) (int32, error) {
	triples := make([]float64, 0, 3*len(views))
	for _, v := range views {
		triples = append(triples, float64(v.Buffer.handle), float64(v.Offset), float64(v.Size))
	}
	v := b.host.object.Call("createBindGroup", b.id, label, kernel, address(triples), len(views))
	runtime.KeepAlive(triples)
	if v.Type() != js.TypeNumber {
		return 0, fmt.Errorf("binding %s: %s", label, v.String())
	}
	return int32(v.Int()), nil
}

func (b *jsBackend) destroyBindGroup(handle int32) {
	b.host.object.Call("destroyBindGroup", b.id, handle)
}

func (b *jsBackend) submit(tape []int32, data []byte) error {
	_, err := b.host.call(b.host.submit, uint32(b.id), address(tape), uint32(len(tape)), address(data))
	runtime.KeepAlive(tape)
	runtime.KeepAlive(data)
	return b.explain(err)
}

// wait makes one call: JavaScript copies the result at once or when it lands.
func (b *jsBackend) wait(ctx context.Context, handle int32, dst []byte) error {
	defer runtime.KeepAlive(dst)
	if err := ctx.Err(); err != nil {
		return err
	}
	landed := b.landing(handle)
	select {
	case <-landed: // of a wait that was given up
	default:
	}
	take := func() (int, error) {
		return b.host.call(b.host.take, uint32(b.id), uint32(handle), address(dst), uint32(len(dst)))
	}
	if done, err := take(); err != nil || done == 1 {
		return b.explain(err)
	}
	select {
	case ok := <-landed:
		if !ok {
			_, err := take()
			return b.explain(err)
		}
		return nil
	case <-b.gone:
		b.host.object.Call("settle", b.id, handle)
		return b.explain(errGone)
	case <-ctx.Done():
		b.host.object.Call("settle", b.id, handle)
		return ctx.Err()
	}
}

// landing is the channel that tells of a readback's arrival.
func (b *jsBackend) landing(handle int32) chan bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.mapped[handle]
	if !ok {
		c = make(chan bool, 1)
		b.mapped[handle] = c
	}
	return c
}

func (b *jsBackend) upload(handle int32, offset uint64, data []byte) error {
	_, err := b.host.call(b.host.upload, uint32(b.id), uint32(handle), uint32(offset/4), address(data), uint32(len(data)))
	runtime.KeepAlive(data)
	return b.explain(err)
}

func (b *jsBackend) idle(ctx context.Context) error {
	_, err := b.await(ctx, func(token int32) { b.host.object.Call("idle", b.id, token) })
	return err
}

func (b *jsBackend) timings(ctx context.Context, passes int) ([]float64, error) {
	v, err := b.await(ctx, func(token int32) { b.host.object.Call("timings", b.id, token, passes) })
	if err != nil {
		return nil, err
	}
	data := make([]byte, 8*passes)
	js.CopyBytesToGo(data, v)
	out := make([]float64, passes)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return out, nil
}

func (b *jsBackend) destroy() {
	b.host.object.Call("destroy", b.id)
	b.end(fmt.Errorf("%w: destroyed", ErrDeviceLost))
}

func (b *jsBackend) release() {
	b.host.mu.Lock()
	delete(b.host.devices, b.id)
	b.host.mu.Unlock()
	b.host.object.Call("release", b.id)
	b.end(ErrReleased)
}
