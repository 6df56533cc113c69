package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// EmbedParams describe x[t] = Scale · row of token t of Matrix. A token is a literal or its row's lane's last one.
type EmbedParams struct {
	Matrix  *Matrix
	XStride int     // floats, a multiple of 32, at least Cols rounded up to 32
	Scale   float32 // 0 means 1

	Positions bool // x[t] += the row of token t's position instead
}

// Embed writes the embeddings of a step's tokens.
type Embed struct {
	dev     *gpu.Device
	params  EmbedParams
	kernels []*gpu.Kernel // one a piece
}

// NewEmbed composes the kernels and starts to compile them.
func NewEmbed(dev *gpu.Device, p EmbedParams) (*Embed, error) {
	if p.XStride%32 != 0 || p.XStride < p.Matrix.strips()*strip {
		return nil, fmt.Errorf("embed: %w: stride %d for rows of %d", ErrMatrixShape, p.XStride, p.Matrix.Cols)
	}
	if p.Scale == 0 {
		p.Scale = 1
	}
	e := &Embed{dev: dev, params: p}
	for _, piece := range p.Matrix.Pieces {
		m, err := Module(dev, Spec{
			File: "embed", Variant: "baseline",
			Consts: []Const{
				{"STRIPS", p.Matrix.strips()}, {"FIRST", piece.First}, {"N", piece.Rows}, {"VOCABULARY", p.Matrix.Rows},
				{"X_STRIDE", p.XStride}, {"SCALE", p.Scale}, {"POSITIONS", p.Positions},
			},
			Slots:    weightSlots(p.Matrix.Type, false),
			Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
		})
		if err != nil {
			return nil, err
		}
		e.kernels = append(e.kernels, dev.Kernel(m))
	}
	return e, nil
}

// Wait blocks until the kernels have compiled.
func (e *Embed) Wait(ctx context.Context) error {
	for _, k := range e.kernels {
		if err := k.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Bind binds the step buffer, the lanes' last tokens (a word a lane) and x [tokens][XStride].
func (e *Embed) Bind(step, lanes, x gpu.View) ([]*gpu.BindGroup, error) {
	var binds []*gpu.BindGroup
	for i, k := range e.kernels {
		p := e.params.Matrix.Pieces[i]
		g, err := e.dev.Bind(k, step, p.codes, p.scales, lanes, x)
		if err != nil {
			return nil, err
		}
		binds = append(binds, g)
	}
	return binds, nil
}

// Record records the embedding of the step's tokens, at most 65,535.
func (e *Embed) Record(rec *gpu.Recorder, binds []*gpu.BindGroup, tokens int) {
	for i, k := range e.kernels {
		rec.Dispatch(k, binds[i], uint32(ceilDiv(e.params.Matrix.strips()*4, 64)), uint32(tokens), 1)
	}
}
