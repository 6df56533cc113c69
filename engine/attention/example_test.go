//go:build !js

package attention_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"math"

	"quire/engine/attention"
	"quire/engine/gpu"
)

// Two sequences of one head, of three and two tokens, one after another; queries see keys up to their own position. The
// queries are zero, so that a token's output is the mean of the values it sees.
func Example() {
	ctx := context.Background()
	device, err := gpu.Open(ctx, gpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer device.Release()

	const dim, tokens = 4, 5
	attend, err := attention.New(device, attention.Params{
		HeadDim: dim, Heads: 1, KVHeads: 1, Contiguous: true, QStride: dim, OutStride: dim, Scale: 1 / float32(math.Sqrt(dim)),
	})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := attend.Plan([]attention.Sequence{{Queries: 3, Keys: 3}, {Queries: 2, Keys: 2}}, 0)
	if err != nil {
		log.Fatal(err)
	}

	upload := func(label string, words []uint32) gpu.View {
		buffer, err := device.NewBuffer(label, uint64(4*len(words)), gpu.Storage)
		if err != nil {
			log.Fatal(err)
		}
		var data []byte
		for _, w := range words {
			data = binary.LittleEndian.AppendUint32(data, w)
		}
		if err := buffer.Upload(0, data); err != nil {
			log.Fatal(err)
		}
		return buffer.All()
	}
	values := make([]uint32, tokens*dim)
	for i := range values {
		values[i] = math.Float32bits(float32(i / dim))
	}
	zero := make([]uint32, tokens*dim)
	out := upload("out", zero)
	bindings, err := attend.Bind(attention.Operands{
		Step: upload("step", plan.AppendWords(nil)), Q: upload("q", zero), K: upload("k", zero), V: upload("v", values), Out: out,
		Partials: upload("partials", make([]uint32, max(4, attend.PartialBytes(len(plan.Decode))/4))),
	})
	if err != nil {
		log.Fatal(err)
	}
	var tape gpu.Recorder
	attend.Record(&tape, bindings, plan)
	if err := device.Submit(&tape); err != nil {
		log.Fatal(err)
	}
	result := make([]byte, 4*tokens*dim)
	if err := out.Buffer.Read(ctx, 0, result); err != nil {
		log.Fatal(err)
	}
	for t := range tokens {
		fmt.Println(math.Float32frombits(binary.LittleEndian.Uint32(result[4*dim*t:])))
	}
	// Output:
	// 0
	// 0.5
	// 1
	// 3
	// 3.5
}
