package bench

import (
	"slices"

	"quire/engine/quant"
)

// ConvolutionShape is what the layers of a hybrid are like that have a short convolution in place of attention.
type ConvolutionShape struct {
	Taps      int
	Attention []int // the layers that have attention
}

// has tells whether a layer has a convolution.
func (c *ConvolutionShape) has(layer int) bool {
	return c != nil && !slices.Contains(c.Attention, layer)
}

// tensors declares what stands for attention in a layer with a convolution.
func (c *ConvolutionShape) tensors(layer func(name string, t quant.Type, shape ...uint64), width uint64, t quant.Type) {
	layer("shortconv.in_proj.weight", t, width, 3*width)
	layer("shortconv.conv.weight", quant.F32, uint64(c.Taps), width)
	layer("shortconv.out_proj.weight", t, width, width)
}

// kvHeads is the number of KV heads of each layer.
func (c *ConvolutionShape) kvHeads(layers, heads int) []int32 {
	counts := make([]int32, layers)
	for _, i := range c.Attention {
		counts[i] = int32(heads)
	}
	return counts
}
