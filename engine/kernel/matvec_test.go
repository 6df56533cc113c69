package kernel

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/quant"
	"quire/engine/reference"
)

// A table that the invocations of a subgroup hold gives the same products. Mesa's lavapipe has subgroups that are large enough where
// its vectors are asked to be, before it starts; other software adapters only compile the kernels.
func TestTableInLanes(t *testing.T) {
	const width, lanes = "LP_NATIVE_VECTOR_WIDTH", heldTable
	r := newRig(t)
	info := r.dev.Info()
	if !info.Features.Has(gpu.FeatureSubgroups) {
		t.Skip("the adapter has no subgroups")
	}
	runs := info.SubgroupLanes() >= lanes
	if strings.Contains(info.Name, "llvmpipe") && runtime.GOOS != "js" {
		if runs = os.Getenv(width) == "512"; !runs {
			again := exec.Command(os.Args[0], "-test.run=^TestTableInLanes$", "-test.v")
			again.Env = append(os.Environ(), width+"=512")
			said, err := again.CombinedOutput()
			require.NoError(t, err, "%s", said)
			assert.Contains(t, string(said), "--- PASS: TestTableInLanes/")
			return
		}
	}
	const n, k = 37, 512
	for _, typ := range []quant.Type{quant.IQ4_NL, quant.IQ4_XS} {
		raw, w := r.weights(typ, n, k)
		p := LinearParams{Matrix: r.matrix(typ, n, k, raw, 0), XStride: k, YStride: RowStride(n), MWord: WordTokens}
		for _, m := range []int{1, 2, 8} {
			t.Run(fmt.Sprintf("%s/%d", typ, m), func(t *testing.T) {
				s := matvecSpec(&p, p.Matrix.Pieces[0], m, lanes)
				require.Equal(t, "table_lanes", s.Slots["table"])
				module, err := Module(r.dev, s)
				require.NoError(t, err)
				kernel := r.dev.Kernel(module)
				require.NoError(t, kernel.Wait(context.Background()))
				if !runs {
					return
				}
				x := r.floats(m*k, 1)
				xs, y := r.rows("x", x, k, k, 0), r.rows("y", r.same(m*n, 0), n, p.YStride, 0)
				piece := p.Matrix.Pieces[0]
				bind, err := r.dev.Bind(kernel, r.step(StepData{Tokens: make([]uint32, m)}), piece.codes, piece.scales, xs.All(), y.All(), xs.All(), xs.All())
				require.NoError(t, err)
				r.submit(func(rec *gpu.Recorder) { rec.Dispatch(kernel, bind, uint32(matvecGroups(&p, piece, m, lanes)), 1, 1) })
				var got []float32
				for i, f := range r.read(y) {
					if i%p.YStride < n {
						got = append(got, f)
					}
				}
				r.accurate(reference.MatMul(w, widen(x), k), reference.MatMul(w, x, k), got)
			})
		}
	}
	uneven := LinearParams{Matrix: r.matrix(quant.IQ4_NL, n, 96, make([]byte, n*54), 0), XStride: 96, YStride: RowStride(n)}
	assert.Equal(t, "table_copy", matvecSpec(&uneven, uneven.Matrix.Pieces[0], 1, lanes).Slots["table"], "some invocations end before others")
}
