package kernel

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
)

// A remembered tile is taken for its numbers of rows where the adapter has a choice and the product may take it, and by nobody else.
func TestTunedTiles(t *testing.T) {
	all := TileNames{"skinny4x64", "skinny8x256", "tile64", "tile128ahead"}
	integrated := gpu.AdapterInfo{Type: "integrated", Limits: gpu.Limits{MaxComputeWorkgroupStorageSize: 32 << 10, MaxComputeInvocationsPerWorkgroup: 256, MaxComputeWorkgroupSizeX: 256}}
	plain := large()
	plain.Limits.MaxComputeInvocationsPerWorkgroup, plain.Limits.MaxComputeWorkgroupSizeX = 256, 256
	plain.Features = gpu.FeatureSubgroups
	plain.Matrices = nil
	matrices, tight, narrow := plain, integrated, plain
	matrices.Features, matrices.Matrices = large().Features, large().Matrices
	tight.Limits.MaxComputeWorkgroupStorageSize = 16 << 10
	narrow.Limits.MaxComputeInvocationsPerWorkgroup, narrow.Limits.MaxComputeWorkgroupSizeX = 128, 128
	own := func(info gpu.AdapterInfo, rows int) map[int]string {
		p := LinearParams{Matrix: &Matrix{Type: quant.Q8_0, Rows: rows, Cols: 2048}}
		l := Linear{params: p}
		require.NoError(t, l.choose(info))
		return tilesTaken(&l)
	}
	for _, c := range []struct {
		name   string
		info   gpu.AdapterInfo
		rows   int
		tiles  TileNames
		change func(p *LinearParams)
		want   map[int]string // what differs from the adapter's choice, by rows of x
	}{
		{"none", integrated, 8192, TileNames{}, nil, nil},
		{"integrated", integrated, 8192, all, nil, map[int]string{129: "tile128ahead", 512: "tile128ahead", 2048: "tile128ahead"}},
		{"other rows", integrated, 8192, TileNames{2: "tile128"}, nil, map[int]string{128: "tile128"}},
		{"one tile for all", integrated, 8192, TileNames{2: "tile128", 3: "tile128"}, nil, map[int]string{128: "tile128", 129: "tile128", 512: "tile128", 2048: "tile128"}},
		{"no memory for it", tight, 8192, all, nil, nil},
		{"large", plain, 65536, TileNames{"skinny4x64", "skinny8x256", "tile128", "tile64"}, nil, map[int]string{
			5: "skinny4x64", 8: "skinny4x64", 9: "skinny8x256", 32: "skinny8x256", 128: "tile128", 129: "tile64", 512: "tile64", 2048: "tile64"}},
		{"the adapter's own", plain, 2048, TileNames{3: "tile64"}, nil, nil},
		{"too many invocations", narrow, 65536, TileNames{1: "skinny8x256"}, nil, nil},
		{"matrices", matrices, 65536, TileNames{2: "tile128", 3: "tile64"}, nil, nil},
		{"of no such kind", plain, 65536, TileNames{"tile64", "tile128", "skinny4x64", "skinny8x64"}, nil, nil},
		{"unknown", plain, 65536, TileNames{"skinny2x64", "skinny8x32", "tile96", "tile256"}, nil, nil},
		{"named", plain, 65536, all, func(p *LinearParams) { p.Variant = "f32" }, nil},
		{"deterministic", plain, 65536, all, func(p *LinearParams) { p.Deterministic = true }, map[int]string{5: "", 8: "", 9: "", 32: "", 33: "", 128: "", 129: "", 512: "", 2048: ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := own(c.info, c.rows)
			for m, name := range c.want {
				want[m] = name
			}
			l := Linear{params: LinearParams{Matrix: &Matrix{Type: quant.Q8_0, Rows: c.rows, Cols: 2048}, Tiles: c.tiles}}
			if c.change != nil {
				c.change(&l.params)
			}
			require.NoError(t, l.choose(c.info))
			assert.Equal(t, want, tilesTaken(&l))
		})
	}
}

// tilesTaken are the names of what is taken for numbers of rows; "" where that is no tile.
func tilesTaken(l *Linear) map[int]string {
	taken := map[int]string{}
	for _, m := range []int{5, 8, 9, 32, 33, 128, 129, 512, 2048} {
		taken[m] = ""
		if s, ok := l.ways[l.way(m)].shape.(interface{ name() string }); ok {
			taken[m] = s.name()
		}
	}
	return taken
}

// All tiles that a record may choose among give the same bits.
func TestTilesAreEqual(t *testing.T) {
	info := newRig(t).dev.Info()
	var choices [][]shape
	add := func(own shape, class int) {
		a := arithmetic{memory: int(info.Limits.MaxComputeWorkgroupStorageSize), invocations: 256}
		list := a.tilesOf(&LinearParams{Matrix: &Matrix{Type: quant.Q8_0, Rows: 150, Cols: 416}, Norm: class < 3}, own, class)
		require.GreaterOrEqual(t, len(list), 2)
		if !gputest.First || class == 1 { // they take long to compile
			list = []shape{list[0], list[len(list)-1]}
		}
		choices = append(choices, list)
	}
	add(tileWay{tile: matmulTile}, 3)
	if lanes := uint32(info.SubgroupLanes()); lanes > 0 {
		add(skinnyWay{skinnyShape{8, 8, 16, 1, 128}, 8, 0, lanes}, 0)
		if gputest.First {
			add(skinnyWay{skinnyShape{16, 4, 8, 1, 128}, 32, 192, lanes}, 1)
		}
	}
	for i, list := range choices {
		var first []float32
		for j, s := range list {
			m := 131
			if i > 0 {
				m = 11
			}
			got := newRig(t).runLinear(linearCase{typ: quant.Q8_0, n: 150, k: 416, m: m, LinearParams: LinearParams{Norm: i > 0, Gated: SiLU, Bias: true, only: s}})
			if j == 0 {
				first = got.got
			}
			require.Equal(t, first, got.got, "%s gives what %s does not", tileName(s), tileName(list[0]))
		}
	}
}

// Each tile is measured; one whose results differ by a bit is told and not chosen, however fast it is.
func TestTileTuning(t *testing.T) {
	r := newRig(t)
	if r.dev.Info().Type == "cpu" && runtime.GOOS == "js" {
		t.Skip("products have no tiles here")
	}
	const n, k, m = 64, 256, 200
	step := r.step(StepData{Tokens: make([]uint32, m), Slots: [][]int32{make([]int32, m)}, Positions: make([]uint32, 2*m)})
	x, y := r.buffer("x", make([]byte, 4*k*m)).All(), r.buffer("y", make([]byte, 4*n*m)).All()
	raw, _ := r.weights(quant.Q4_K, n, k)
	l, err := NewLinear(r.dev, LinearParams{Matrix: r.matrix(quant.Q4_K, n, k, raw, 0), XStride: k, YStride: n, MWord: WordTokens})
	require.NoError(t, err)
	products := []RowProduct{{l, LinearViews{Step: step, X: x, Y: y}}}
	broken = func(label, text string) string {
		if strings.Contains(text, "const QUADS: u32 = 2u;") {
			return strings.Replace(text, "store(m, n, v.x);", "store(m, n, v.x * 1.0000005);", 1)
		}
		return text
	}
	defer func() { broken = nil }()
	tuning, err := NewTileTuning(products, 3)
	require.NoError(t, err)
	tried, err := tuning.Run(context.Background())
	require.NoError(t, err)
	kind, ok := l.TuneTiles()
	require.True(t, ok)
	require.Equal(t, TileMatrix{RowMatrix: RowMatrix{Type: "Q4_K", Rows: 64, Columns: 256}}, kind)
	var names []string
	for i, s := range tried {
		names = append(names, s.Tile)
		assert.Equal(t, kind, s.TileMatrix)
		assert.Equal(t, 512, s.Tokens)
		assert.Equal(t, s.Tile != "tile64", strings.HasPrefix(s.Skipped, "results differ"), "%+v", s)
		assert.Equal(t, s.Skipped == "", s.Seconds > 0, "%+v", s)
		assert.Equal(t, i == 0, s.Best)
		assert.NoError(t, s.Validate())
	}
	assert.Equal(t, []string{"tile64", "tile128", "tile128ahead"}, names)
	for class := range TileRows[:3] { // of few rows there is no choice here, and of 128 one
		tuning, err := NewTileTuning(products, class)
		require.NoError(t, err)
		assert.Equal(t, class == 2, tuning != nil)
	}
	if lanes := uint32(r.dev.Info().SubgroupLanes()); gputest.First && lanes > 0 { // as on a large GPU
		l.ways = []*way{{shape: skinnyWay{skinnyShape{8, 8, 16, 1, 128}, 8, 0, lanes}}}
		tuning, err := NewTileTuning(products, 0)
		require.NoError(t, err)
		tried, err := tuning.Run(context.Background())
		require.NoError(t, err)
		names = nil
		for _, s := range tried {
			names = append(names, s.Tile)
			assert.Empty(t, s.Skipped)
			assert.Positive(t, s.Seconds)
		}
		assert.Equal(t, []string{"skinny8x128", "skinny4x64", "skinny4x128", "skinny4x256", "skinny8x64", "skinny8x256"}, names)
		tuning, err = NewTileTuning(products, 1)
		require.NoError(t, err)
		assert.Nil(t, tuning)
		l.ways = []*way{{shape: tileWay{tile: matmulTile}}}
	}
	products[0].Views.X.Size /= 2
	tuning, err = NewTileTuning(products, 3)
	require.NoError(t, err)
	assert.Nil(t, tuning, "buffers have no room for so many rows")
}
