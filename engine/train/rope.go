package train

import (
	"encoding/binary"
	"math"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// ropeTable makes the table of cosine and sine, [length][headDim/2], computed in float64.
func (p *builder) ropeTable(c Config) gpu.View {
	table := p.Buffer("rope table", c.Length*c.HeadDim)
	if p.Err() != nil {
		return table
	}
	var data []byte
	for position := range c.Length {
		for i := range c.HeadDim / 2 {
			sine, cosine := math.Sincos(float64(position) * math.Pow(c.RopeBase, -2*float64(i)/float64(c.HeadDim)))
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(cosine)))
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(sine)))
		}
	}
	if err := table.Buffer.Upload(0, data); err != nil {
		p.Fail(err)
	}
	return table
}

// rope appends the turning of x [tokens][heads · HeadDim] in its place; back turns it back, which is the backward pass.
func (p *builder) rope(c Config, table gpu.View, x matrix, back bool) {
	heads, direction := x.columns/c.HeadDim, 0
	if back {
		direction = 1
	}
	p.each(x.rows*x.columns/2, kernel.Spec{
		File: "rope", Consts: []kernel.Const{{Name: "HEAD_DIM", Value: c.HeadDim}, {Name: "LENGTH", Value: c.Length}},
		Bindings: []gpu.Binding{gpu.Constant, gpu.ReadOnly, gpu.ReadWrite},
	}, p.uniform(x.rows, heads, direction), table, x.View)
}
