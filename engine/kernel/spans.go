package kernel

import (
	"encoding/binary"

	"quire/engine/gpu"
)

// spanBytes is the distance of a launch's uniform from the next's.
const spanBytes = 256

// NewSpans makes the uniforms that say which launch of so many it is, each to be bound on its own.
func NewSpans(d *gpu.Device, launches int) ([]gpu.View, error) {
	b, err := d.NewBuffer("spans", uint64(launches*spanBytes), gpu.Uniform)
	if err != nil {
		return nil, err
	}
	data := make([]byte, launches*spanBytes)
	views := make([]gpu.View, launches)
	for i := range launches {
		binary.LittleEndian.PutUint32(data[i*spanBytes:], uint32(i))
		views[i] = gpu.View{Buffer: b, Offset: uint64(i * spanBytes), Size: 16}
	}
	return views, b.Upload(0, data)
}

// ReleaseSpans gives the uniforms back.
func ReleaseSpans(spans []gpu.View) {
	if len(spans) > 0 {
		spans[0].Buffer.Release()
	}
}

// BindSpans binds a kernel for each launch.
func BindSpans(d *gpu.Device, k *gpu.Kernel, spans []gpu.View, views []gpu.View) ([]*gpu.BindGroup, error) {
	var groups []*gpu.BindGroup
	for _, span := range spans {
		g, err := d.Bind(k, append(views[:len(views):len(views)], span)...)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}
