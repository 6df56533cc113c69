package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"quire/cmd/native/model"
	"quire/engine"
	"quire/engine/gpu"
)

type adaptersCommand struct {
	JSON     bool `name:"json" help:"Print JSON Lines, one object an adapter."`
	SelfTest bool `help:"Have each adapter compute with the kernels of the built-in model, on numbers whose results are known."`
}

// Help is what --help shows beyond the flags.
func (*adaptersCommand) Help() string {
	return `Lists the adapters with their features and limits, the best first. --adapter of the other commands takes the number in front, or
a part of the name. --self-test says which adapters compute rightly: --json adds "selfTest", with "kernels" that do, "replaced" ones whose
baseline runs in their place, and "time" in milliseconds, or "error".

Examples:

  quire adapters
  quire adapters --self-test
  quire run --adapter llvmpipe "Hello."`
}

// Run runs the command.
func (c *adaptersCommand) Run(h *host) error {
	ctx := context.Background()
	list, err := gpu.Adapters(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return gpu.ErrNoAdapter
	}
	for _, a := range list {
		var tested *adapterTest
		if c.SelfTest {
			tested = testAdapter(ctx, a.Index)
		}
		if c.JSON {
			object := struct {
				gpu.AdapterInfo
				SelfTest *adapterTest `json:"selfTest,omitempty"`
			}{a, tested}
			if err := writeJSON(h.out, object); err != nil {
				return err
			}
			continue
		}
		_, err := fmt.Fprintf(h.out, "%d  %s\n   %s, %s; driver %s\n   features: %s\n"+
			"   one buffer %s, one binding %s, %d storage bindings, workgroup memory %s, %d invocations\n",
			a.Index, a.Name, a.Type, a.Backend, orDash(a.Driver), orDash(strings.Join(a.Features.Names(), ", ")),
			formatSize(a.Limits.MaxBufferSize), formatSize(a.Limits.MaxStorageBufferBindingSize),
			a.Limits.MaxStorageBuffersPerShaderStage, formatSize(uint64(a.Limits.MaxComputeWorkgroupStorageSize)),
			a.Limits.MaxComputeInvocationsPerWorkgroup)
		if err == nil && tested != nil {
			_, err = fmt.Fprintf(h.out, "   self-test: %s\n", tested)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// adapterTest is what became of an adapter's self-test.
type adapterTest struct {
	engine.SelfTest
	Error string `json:"error,omitempty"`
}

func testAdapter(ctx context.Context, index int) *adapterTest {
	data := bytes.NewReader(model.Bytes)
	e, err := engine.Open(ctx, gpu.ReaderSource(data, data.Size()), engine.Options{GPU: gpu.Options{Adapter: strconv.Itoa(index)}, SelfTest: true, MaxSeqs: 1, Context: 256})
	if err != nil {
		return &adapterTest{Error: say(err)}
	}
	test := &adapterTest{SelfTest: e.Info().SelfTest}
	if err := e.Close(); err != nil {
		test.Error = say(err)
	}
	return test
}

// String says it in words.
func (t *adapterTest) String() string {
	switch {
	case t.Error != "":
		return t.Error
	case len(t.Replaced) > 0:
		return fmt.Sprintf("%d kernels compute rightly; these do not, and their baseline runs in their place: %s", len(t.Kernels), strings.Join(t.Replaced, ", "))
	}
	return fmt.Sprintf("%d kernels compute rightly, in %d ms", len(t.Kernels), t.Time.Milliseconds())
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
